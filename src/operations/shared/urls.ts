/** Where things come from. @module */

/** True for a URL, false for a path. */
export const isUrl = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
