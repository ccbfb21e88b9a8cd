/** Text inside regular expressions of `awk`. @module */

/** Extended regular expression, between slashes, that matches this text and nothing else. */
export const literalEre = (text: string): string => text.replace(/[\\.*+?^$(){}|[\]/]/g, "\\$&");
