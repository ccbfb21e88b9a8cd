/** Telling of unknown host keys that were accepted: one line, however many hosts connect at once. @module */
import type { ConnectorContext } from "../../../core/connector.ts";

/** A key that nobody knew and nobody was asked about. */
export interface AcceptedKey {
  /** Name in the inventory. */
  readonly name: string;
  /** Where it is written down; absent: nowhere. */
  readonly file: string | undefined;
  /** For people: its type and its fingerprint. */
  readonly key: string;
}

/** Keeps what was accepted until it is told; one object serves a run. */
export class AcceptedKeys {
  readonly #waiting = new Map<string | undefined, AcceptedKey[]>();
  #context: ConnectorContext | undefined;

  add(accepted: AcceptedKey, context: ConnectorContext): void {
    // What is written there is gone.
    const file = accepted.file === "/dev/null" ? undefined : accepted.file;
    const waiting = this.#waiting.get(file);
    if (waiting) waiting.push(accepted);
    else this.#waiting.set(file, [accepted]);
    this.#context = context;
  }

  tell(): void {
    for (const [file, keys] of this.#waiting) this.#context?.warn(lineOf(file, keys));
    this.#waiting.clear();
  }
}

function lineOf(file: string | undefined, keys: readonly AcceptedKey[]): string {
  const [{ name, key } = { name: "", key: "" }] = keys;
  const isOne = keys.length === 1;
  const whose = isOne ? `key of ${name} was` : `keys of ${keys.length} hosts were`;
  const where = file === undefined ? `${isOne ? "is" : "are"} not remembered` : `added to ${file}`;
  const names = keys.slice(0, NAMES).map(one => one.name);
  const more = keys.length > NAMES ? ` and ${keys.length - NAMES} more` : "";
  return `The unknown host ${whose} accepted and ${where}: ${isOne ? key : `${names.join(", ")}${more}`}`;
}
const NAMES = 5;
