/** The door to ssh2, opened when the first host needs it. @module */
import type { BaseAgent, Client, ClientChannel, ConnectConfig, ParsedKey } from "ssh2";

export type { Client, ClientChannel, ConnectConfig, ParsedKey };

/** What is used of ssh2. */
export interface SshLibrary {
  readonly Client: new () => Client;
  readonly BaseAgent: typeof BaseAgent;
  /** A key, or an error that says why it is none. */
  parseKey(key: Buffer | string, passphrase?: string): ParsedKey | Error;
}

let loaded: Promise<SshLibrary> | undefined;

export function loadLibrary(): Promise<SshLibrary> {
  loaded ??= import("ssh2").then(library => {
    // As a CommonJS module it may come whole or by name, depending on how it was bundled.
    const { Client, BaseAgent, utils } = (library.default ?? library) as unknown as typeof import("ssh2");
    return {
      Client,
      BaseAgent,
      parseKey(key, passphrase) {
        const parsed = utils.parseKey(key, passphrase);
        return Array.isArray(parsed) ? (parsed[0] as ParsedKey) : parsed;
      },
    };
  });
  return loaded;
}
