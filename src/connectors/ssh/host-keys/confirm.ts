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
  let waiting: { readonly unknown: UnknownKey; readonly resolve: (trusted: boolean) => void; readonly reject: (error: unknown) => void }[] = [];
  let isAsking = false;

  async function askAll(context: ConnectorContext): Promise<void> {
    isAsking = true;
    try {
      while (waiting.length > 0) {
        await pause(GATHERING);
        const group = waiting;
        waiting = [];
        try {
          const answer = await context.ask(question(group.map(({ unknown }) => unknown)));
          for (const { resolve } of group) resolve(answer?.reveal() === "yes");
        } catch (error) {
          for (const { reject } of group) reject(error);
        }
      }
    } finally {
      isAsking = false;
    }
  }

  return {
    confirm(unknown, context) {
      const { promise, resolve, reject } = Promise.withResolvers<boolean>();
      waiting.push({ unknown, resolve, reject });
      if (!isAsking) void askAll(context);
      return promise;
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
