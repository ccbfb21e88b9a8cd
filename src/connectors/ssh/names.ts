/** Names into addresses, without anybody waiting for a name that is not theirs. @module */
import { isIP } from "node:net";
import type { Slots } from "../shared/slots.ts";
import { unlessAborted } from "../../core/abort.ts";

export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

/** The names of a run: each is looked up once. */
export interface Names {
  /**
   * The addresses of a name, in the order in which they are to be tried; none where nobody knows the name. An address is its own.
   * `asked` is called when the lookup itself begins, which may have to wait for others to end.
   */
  addressesOf(name: string, signal: AbortSignal, asked?: () => void): Promise<readonly Address[]>;
}

export interface NamesOptions {
  /** Ends all lookups. */
  readonly signal: AbortSignal;
  /** Lookups at once: a name server that does not answer holds each of its own for many seconds. */
  readonly slots: Slots;
  /** How names are looked up; default: as the machine does it, see `askMachine`. */
  readonly ask?: ((name: string, signal: AbortSignal) => Promise<readonly string[]>) | undefined;
}

export function createNames({ signal: ending, slots, ask = askMachine }: NamesOptions): Names {
  const lookups = new Map<string, Lookup>();
  /** Whoever comes later asks anew. */
  const forget = (name: string, { stop }: Pick<Lookup, "stop">): void => {
    if (lookups.get(name)?.stop === stop) lookups.delete(name);
  };
  const begin = (name: string): Lookup => {
    const stop = new AbortController();
    const begun = Promise.withResolvers<void>();
    const answer = (async () => {
      const signal = AbortSignal.any([ending, stop.signal]);
      using _ = await slots.take(signal);
      begun.resolve();
      return addresses(await ask(name, signal));
    })();
    const lookup: Lookup = { answer, begun: begun.promise, stop, waiting: 0 };
    lookups.set(name, lookup);
    answer.then(
      found => void (found.length === 0 && forget(name, lookup)),
      () => forget(name, lookup),
    );
    return lookup;
  };
  return {
    async addressesOf(name, signal, asked) {
      const literal = addresses([name]);
      if (literal.length > 0) return literal;
      signal.throwIfAborted();
      const lookup = lookups.get(name) ?? begin(name);
      if (asked) void lookup.begun.then(asked);
      lookup.waiting++;
      try {
        return await unlessAborted(lookup.answer, signal);
      } finally {
        if (--lookup.waiting === 0 && signal.aborted) {
          forget(name, lookup);
          lookup.stop.abort(signal.reason);
        }
      }
    },
  };
}

interface Lookup {
  readonly answer: Promise<readonly Address[]>;
  readonly begun: Promise<void>;
  readonly stop: AbortController;
  /** How many wait for it. */
  waiting: number;
}

const addresses = (texts: readonly string[]): readonly Address[] =>
  texts.flatMap(address => {
    const family = isIP(address);
    return family === 4 || family === 6 ? [{ address, family }] : [];
  });

/**
 * As every program of this machine does it (files, name servers, mDNS: whatever nsswitch.conf says), but in a process of its own.
 * `getaddrinfo` in this process would occupy one of the few threads that also read files, for as long as a name server does not answer.
 */
async function askMachine(name: string, signal: AbortSignal): Promise<readonly string[]> {
  const getent = Bun.which("getent", { PATH: process.env.PATH ?? "" });
  if (getent === null) return await askRuntime(name);
  // It would be an option.
  if (name.startsWith("-")) return [];
  const child = Bun.spawn([getent, "ahosts", name], { stdin: "ignore", stdout: "pipe", stderr: "ignore", signal });
  const [text, code] = await Promise.all([child.stdout.text(), child.exited]);
  signal.throwIfAborted();
  if (code !== 0 && code !== NOT_FOUND) throw new Error(`${getent} ended with the exit code ${code}`);
  return [...text.matchAll(/^(\S+)\s+STREAM/gm)].map(([, address = ""]) => address);
}
/** What getent says of a name that it finds nowhere. */
const NOT_FOUND = 2;

/** Where there is no getent: macOS asks without a thread of ours, and c-ares (`/etc/hosts` and name servers) needs none. */
async function askRuntime(name: string): Promise<readonly string[]> {
  try {
    const found = await Bun.dns.lookup(name, { backend: process.platform === "linux" ? "c-ares" : "system" });
    return found.map(({ address }) => address);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "DNS_ENOTFOUND") return [];
    throw error;
  }
}
