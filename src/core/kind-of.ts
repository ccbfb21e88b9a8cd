/** What kind of thing a value is, for messages that do not show it. @module */

/** `a function`, `a promise`, `a list`; what is nothing is named. Never the source of a function, nor the text of a text. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "a list";
  if (value instanceof Promise) return "a promise";
  if (value instanceof Date) return "a date";
  if (value instanceof Uint8Array) return "bytes";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
