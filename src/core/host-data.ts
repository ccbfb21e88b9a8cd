/** Data about a host, whose types a project can declare. @module */

/**
 * Everything that the inventory, its groups and the command line say about a host, by key. Reading gives the value of highest precedence.
 * A project says what its keys hold by declaring them, by hand or from its inventory (`InventoryData`); other keys are `unknown`.
 * A list or a plain object is a copy of the host's own, made when it is first read: what is changed in it, this host alone sees from then on.
 * No key may be called `get`. A key is set by assigning, and cannot be deleted: one that is `undefined` counts as none for `get`.
 * @example
 * ```ts
 * declare module "tsinfra" {
 *   interface HostData {
 *     port: number;
 *     domain?: string;
 *   }
 * }
 * ```
 */
export interface HostData {
  /** The value, or `undefined`. Assigning sets it for this host, above everything else, for the rest of the run. */
  [key: string]: unknown;
  /** The value of a key, or a fallback. */
  readonly get: GetHostData;
  /** Whether there is a key of that name, as `in` and `Object.hasOwn` say it. */
  hasOwnProperty(key: PropertyKey): boolean;
}

/** What no key may be called. */
export const RESERVED_KEY = "get";

/** Keys that a project has declared. */
export type DeclaredKey = keyof {
  [
    K in keyof HostData as string extends K
      ? never
      : number extends K
        ? never
        : K extends "get" | "hasOwnProperty"
          ? never
          : K
  ]: true;
};

/**
 * The value of a key, or the fallback where the host has none: no such key, `undefined` or `null`.
 * Throws `InventoryError` when the value is no text, number, boolean, list or object where the fallback is one.
 */
export interface GetHostData {
  /** A declared key has the type that was declared. */
  <K extends DeclaredKey & string>(key: K, fallback: NonNullable<HostData[K]>): NonNullable<HostData[K]>;
  /** Any other key has the type of its fallback. */
  <T, K extends string = string>(key: K extends DeclaredKey ? never : K, fallback: T): NoInfer<T>;
}
