/** Secrets inside the data of templates. @module */
import { Secret } from "../../core/command.ts";

/** Data whose secrets read as text, and whether one was read. */
export interface Exposed {
  readonly data: Readonly<Record<string, unknown>>;
  /** True once a secret was read: what came of it is a secret too. */
  readonly usedSecret: () => boolean;
}

/** Copy maps and lists so that a secret in them reads as its text, and that reading it is noticed. */
export function expose(data: Readonly<Record<string, unknown>>): Exposed {
  let used = false;
  const reveal = (secret: Secret): string => {
    used = true;
    return secret.reveal();
  };
  const copies = new Map<object, unknown>();
  const copy = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if (copies.has(value)) return copies.get(value);
    if (Array.isArray(value)) return fill([], value.entries(), value);
    return isMap(value) ? fill({}, Object.entries(value), value) : value;
  };
  const fill = <T extends object>(into: T, entries: Iterable<[string | number, unknown]>, original: object): T => {
    copies.set(original, into);
    for (const [key, value] of entries) {
      const property = value instanceof Secret ? { get: () => reveal(value) } : { value: copy(value), writable: true };
      Object.defineProperty(into, key, { ...property, enumerable: true, configurable: true });
    }
    return into;
  };
  return { data: fill({}, Object.entries(data), data), usedSecret: () => used };
}

const isMap = (value: object): boolean => [Object.prototype, null].includes(Object.getPrototypeOf(value));
