/** Host data that a connector, or the engine, reads: spelling, and what is secret. @module */
import { GLOBAL_ARGUMENTS } from "../core/arguments.ts";
import { Secret } from "../core/command.ts";
import type { Connector } from "../core/connector.ts";
import { InventoryError } from "../core/errors.ts";
import { RESERVED_KEY } from "../core/host-data.ts";
import { nearest } from "../core/nearest.ts";

type Data = Readonly<Record<string, unknown>>;

/** Throws `InventoryError` for a key that no key can be called. */
export function refuseReservedKey(data: Data, where: string): void {
  if (Object.hasOwn(data, RESERVED_KEY))
    throw new InventoryError(`The data of ${where} has the key "${RESERVED_KEY}", which no key can be called`, {
      hint: `Give it another name: host.data.${RESERVED_KEY}(key, fallback) reads the value of a key`,
    });
}

/** What connectors and global arguments say about host data keys. */
export class DataKeys {
  readonly #secret: ReadonlySet<string>;
  readonly #connector: readonly string[];
  readonly #prefixes: ReadonlySet<string>;

  constructor(connectors: Iterable<Connector>) {
    const keys = [...connectors].flatMap(connector => Object.entries(connector.dataKeys));
    const globals = Object.entries(GLOBAL_ARGUMENTS);
    this.#secret = new Set(
      [
        ...keys.filter(([, key]) => key.type === "secret"),
        ...globals.filter(([, argument]) => argument.kind === "secret"),
      ].map(([name]) => name),
    );
    this.#connector = [...new Set(keys.map(([name]) => name))];
    this.#prefixes = new Set(this.#connector.map(firstWord));
  }

  isSecret(key: string): boolean {
    return this.#secret.has(key);
  }

  /** The same data with passwords as secrets. */
  protect(data: Data): Data {
    const found = Object.keys(data).filter(key => this.#secret.has(key) && typeof data[key] === "string");
    return found.length === 0
      ? data
      : { ...data, ...Object.fromEntries(found.map(key => [key, new Secret(data[key] as string)])) };
  }

  /** Why `key` is probably a typing mistake; `undefined` for keys of the user's own. */
  suspicion(key: string): string | undefined {
    if (key in GLOBAL_ARGUMENTS || this.#connector.includes(key)) return undefined;
    // Connectors' keys are in camel case. One of theirs in snake case is what people write who come from pyinfra; any other is their own.
    if (isSnakeCase(key)) {
      const same = inCamelCase(key);
      return this.#connector.includes(same) ? `did you mean "${same}"?` : undefined;
    }
    const near = nearest(key, key.startsWith("_") ? Object.keys(GLOBAL_ARGUMENTS) : this.#connector);
    if (near !== undefined) return `did you mean "${near}"?`;
    return firstWord(key) !== key && this.#prefixes.has(firstWord(key)) ? "no connector reads it" : undefined;
  }
}

/** `ssh_user`: a key that a template, or a deploy file, reads more likely than a connector. */
export const isSnakeCase = (key: string): boolean => /^[a-z0-9]+(?:_[a-z0-9]+)+$/.test(key);

const inCamelCase = (key: string): string => key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** `ssh` of `sshUser` and of `ssh_user`. */
const firstWord = (key: string): string => /^[a-z]+/.exec(key)?.[0] ?? key;
