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

/** Whether a key of a file of group data is data: `_sudo` is a global argument, `_sud` was meant as one, `_private` is nobody's business. */
export const isGroupDatum = (key: string): boolean =>
  !key.startsWith("_") ||
  Object.hasOwn(GLOBAL_ARGUMENTS, key) ||
  nearest(key, Object.keys(GLOBAL_ARGUMENTS)) !== undefined;

/** The keys of host data that connectors read. */
export const dataKeysOf = (connectors: Iterable<Connector>): readonly string[] => [
  ...new Set([...connectors].flatMap(({ dataKeys }) => Object.keys(dataKeys))),
];

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

  /** Why `key` may be a typing mistake; `undefined` for what is clearly one of the user's own. */
  suspicion(key: string): Suspicion | undefined {
    if (Object.hasOwn(GLOBAL_ARGUMENTS, key) || this.#connector.includes(key)) return undefined;
    const isGlobal = key.startsWith("_");
    const known = isGlobal ? Object.keys(GLOBAL_ARGUMENTS) : this.#connector;
    // `ssh_user` is what pyinfra calls it; other words with underscores are names of the user's own.
    const same = known.find(one => letters(one) === letters(key));
    if (same !== undefined) return { near: same, isSure: false };
    const isOurs = /^(?:[a-z]+[A-Z]|_[a-z])[A-Za-z\d]*$/.test(key) && (isGlobal || this.#prefixes.has(firstWord(key)));
    if (!isGlobal && !isOurs) return undefined;
    const near = known.find(one => one.startsWith(key)) ?? nearest(key, known);
    if (near !== undefined) return { near, isSure: isOurs };
    return isGlobal ? undefined : { near: undefined, isSure: false };
  }
}

/** Why a key may be a typing mistake. */
export interface Suspicion {
  /** The key that is probably meant; `undefined` where there is only a connector's name before it. */
  readonly near: string | undefined;
  /** It is spelled as keys of ours are, so that nobody would name data of their own like this. */
  readonly isSure: boolean;
}

/** `ssh` of `sshUser`. */
const firstWord = (key: string): string => /^[a-z]+/.exec(key)?.[0] ?? key;

/** What is left of a name where neither case nor underscores count. */
const letters = (key: string): string => key.replaceAll("_", "").toLowerCase();
