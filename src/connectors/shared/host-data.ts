/** Reading host data with its types checked. @module */
import { resolve } from "node:path";
import { Secret } from "../../core/command.ts";
import type { DataKey } from "../../core/connector.ts";
import { ConnectorDataError } from "../../core/errors.ts";
import { expandHome } from "./paths.ts";

/** A host's values of the keys that a connector declares. */
export interface DataReader<K extends string> {
  string(key: K): string | undefined;
  number(key: K): number | undefined;
  boolean(key: K): boolean | undefined;
  secret(key: K): Secret | undefined;
  /** An absolute path; `~/` is the home directory, anything else relative starts at `cwd`. */
  path(key: K, options: { readonly home: string; readonly cwd: string }): string | undefined;
}

/** Throws `ConnectorDataError` when a value has another type than its key declares. Numbers may be written as text. */
export function readData<K extends string>(
  data: Readonly<Record<string, unknown>>,
  { keys, host }: { readonly keys: Readonly<Record<K, DataKey>>; readonly host: string },
): DataReader<K> {
  const wrong = (key: K, wanted: string): ConnectorDataError => {
    const value = data[key];
    const shown = keys[key].type === "secret" || value instanceof Secret ? "something else" : JSON.stringify(value);
    return new ConnectorDataError(`The host data ${key} of ${host} is ${shown}, but must be ${wanted}`, { host });
  };
  const isMissing = (key: K): boolean => data[key] === undefined || data[key] === null;
  const string = (key: K): string | undefined => {
    if (isMissing(key)) return undefined;
    const value = data[key];
    if (typeof value !== "string" || value === "") throw wrong(key, "text");
    return value;
  };
  return {
    string,
    number(key) {
      if (isMissing(key)) return undefined;
      const value = data[key];
      const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
      if (typeof number !== "number" || !Number.isFinite(number) || number < 0) throw wrong(key, "a number");
      if (key.endsWith("Port") && !isPort(number)) throw wrong(key, "a port from 1 to 65535");
      return number;
    },
    boolean(key) {
      if (isMissing(key)) return undefined;
      const value = data[key];
      if (typeof value !== "boolean") throw wrong(key, "true or false");
      return value;
    },
    secret(key) {
      if (isMissing(key)) return undefined;
      const value = data[key];
      if (value instanceof Secret) return value;
      if (typeof value !== "string") throw wrong(key, "text or a secret");
      return new Secret(value);
    },
    path(key, { home, cwd }) {
      const value = string(key);
      return value === undefined ? undefined : expandHome(value, { home }, resolve(cwd));
    },
  };
}

const isPort = (number: number): boolean => Number.isInteger(number) && number >= 1 && number <= 65535;
