/** Asking a person about unknown host keys: one question for all hosts that wait. @module */
import type { ConnectorContext } from "../../../core/connector.ts";
import { pause } from "../../shared/wait.ts";

/** A key that nobody has seen before. */
export interface UnknownKey {
  /** Name in known_hosts. */
  readonly name: string;
  /** Name in the inventory. */
  readonly host: string;
  /** `ED25519 SHA256:…` */
  readonly key: string;
}

/** Hosts answer one after the other; those that do within this time share a question. In milliseconds. */
const GATHERING = 300;

/** Asks about unknown keys; one object serves a run. */
export interface Confirmation {
  /** True if the person at the terminal trusts the key. */
  confirm(unknown: UnknownKey, context: ConnectorContext): Promise<boolean>;
}

export function createConfirmation(): Confirmation {
  let waiting: {
    readonly unknown: UnknownKey;
    readonly resolve: (trusted: boolean) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];
  let isAsking = false;
  const trusted = new Set<string>();
  const idOf = ({ name, key }: UnknownKey): string => `${name} ${key}`;

  async function askAll(context: ConnectorContext): Promise<void> {
    isAsking = true;
    try {
      while (waiting.length > 0) {
        await pause(GATHERING);
        const group = waiting.filter(({ unknown }) => !trusted.has(idOf(unknown)));
        // Hosts of one address: the answer for the first is one for all.
        for (const { unknown, resolve } of waiting) if (trusted.has(idOf(unknown))) resolve(true);
        waiting = [];
        if (group.length === 0) continue;
        try {
          const answer = await context.ask(question(group.map(({ unknown }) => unknown)));
          const isTrusted = answer?.reveal() === "yes";
          for (const { unknown, resolve } of group) {
            if (isTrusted) trusted.add(idOf(unknown));
            resolve(isTrusted);
          }
        } catch (error) {
          for (const { reject } of group) reject(error);
        }
      }
    } finally {
      isAsking = false;
    }
  }

  return {
    async confirm(unknown, context) {
      if (trusted.has(idOf(unknown))) return true;
      const { promise, resolve, reject } = Promise.withResolvers<boolean>();
      waiting.push({ unknown, resolve, reject });
      if (!isAsking) void askAll(context);
      return await promise;
    },
  };
}

function question(unknown: readonly UnknownKey[]) {
  const keys = unknown.map(({ name, host, key }) => `  ${host === name ? host : `${host} (${name})`}: ${key}`);
  return {
    key: `ssh host keys ${unknown.map(({ name, key }) => `${name} ${key}`).join(" ")}`,
    text: `The host ${keys.length === 1 ? "key of this host is" : `keys of these ${keys.length} hosts are`} not known:\n${keys.join("\n")}\nTrust ${keys.length === 1 ? "it" : "them"} and remember?`,
    kind: "confirm" as const,
  };
}
