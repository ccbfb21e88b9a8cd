/** What a value is, for messages about values of a wrong shape. @module */

/** `a number`, `an async function`, `a list`: never what is in it, which may be secret. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "function") return functionKind(value);
  if (typeof value === "string") return "text";
  if (typeof value !== "object") return `a ${typeof value}`;
  if (Array.isArray(value)) return "a list";
  if (value instanceof Promise) return "a promise";
  if (value instanceof Date) return "a date";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Map) return "a Map";
  if (value instanceof Set) return "a Set";
  return /Generator\]$/.test(Object.prototype.toString.call(value)) ? "a generator" : "an object";
}

/** Whether a value is an object for its keys: no list, no `Map`, no promise. */
export const hasKeys = (value: unknown): value is object =>
  typeof value === "object" &&
  value !== null &&
  // Most are such, and there are many.
  (Object.getPrototypeOf(value) === Object.prototype || kindOf(value) === "an object");

/** Whether a value is an object as it is written down, or what a module exports: no instance of a class. */
export const isPlainObject = (value: unknown): value is Record<string, unknown> => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    prototype === null || prototype === Object.prototype || Object.prototype.toString.call(value) === "[object Module]"
  );
};

function functionKind(value: object): string {
  if (/^class\b/.test(Function.prototype.toString.call(value))) return "a class";
  const [, kind] = /^\[object (\w+)\]$/.exec(Object.prototype.toString.call(value)) ?? [];
  if (kind === "AsyncFunction") return "an async function";
  return kind?.endsWith("GeneratorFunction") ? "a generator function" : "a function";
}
