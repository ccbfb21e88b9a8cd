/** Reading what commands print. @module */

/** The first line, without white space around it. */
export const firstLine = (lines: readonly string[]): string => (lines[0] ?? "").trim();

/** A number when the text is a whole number that can be held exactly, else the text. */
export function numberOr(text: string): number | string {
  const value = Number(text);
  return /^[+-]?\d+$/.test(text) && Number.isSafeInteger(value) ? value : text;
}

/** Split at the first separator; `undefined` when there is none. */
export function splitOnce(text: string, separator: string): [before: string, after: string] | undefined {
  const at = text.indexOf(separator);
  return at < 0 ? undefined : [text.slice(0, at), text.slice(at + separator.length)];
}

/** Words separated by white space; none in an empty text. */
export const words = (text: string): string[] => text.split(/\s+/).filter(word => word !== "");
