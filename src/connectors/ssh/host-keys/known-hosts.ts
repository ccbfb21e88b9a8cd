/** known_hosts files: what they say about a host. @module */
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { remembered, unlessLimit } from "../../shared/remembered.ts";
import { matchesAny } from "../config/patterns.ts";
import { keyTypeOf } from "../wire.ts";

/** One line of a known_hosts file. */
export interface KnownKey {
  readonly marker?: "cert-authority" | "revoked" | undefined;
  /** Patterns, or one hashed name. */
  readonly hosts: string;
  readonly type: string;
  readonly key: Buffer;
  readonly file: string;
  readonly line: number;
}

/** A known_hosts file's lines; those that cannot be read are left out, as in ssh. */
export function parseKnownHosts(text: string, file: string): readonly KnownKey[] {
  const keys: KnownKey[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const words = line.trim().split(/[ \t]+/);
    const marker = words[0]?.startsWith("@") ? words.shift()?.slice(1) : undefined;
    const [hosts = "", type = "", base64 = ""] = words;
    if (
      hosts.startsWith("#") ||
      base64 === "" ||
      (marker !== undefined && marker !== "cert-authority" && marker !== "revoked")
    )
      continue;
    const key = Buffer.from(base64, "base64");
    if (keyTypeOf(key) !== type) continue;
    keys.push({ marker, hosts, type, key, file, line: index + 1 });
  }
  return keys;
}

/** The name that a host's keys are filed under: `[web-1]:2222` where the port is not 22. */
export const knownHostName = (host: string, port: number): string => (port === 22 ? host : `[${host}]:${port}`);

/** Does the line speak of this host? */
export function speaksOf(known: Pick<KnownKey, "hosts">, name: string): boolean {
  if (known.hosts.startsWith("|")) return matchesHash(known.hosts, name);
  return matchesAny(name.toLowerCase(), known.hosts.toLowerCase().split(","));
}

/** A name that only those who know it can recognise. */
export function hashName(name: string, salt: Buffer): string {
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
}

function matchesHash(hashed: string, name: string): boolean {
  const [, version, salt, digest] = hashed.split("|");
  if (version !== "1" || !salt || !digest) return false;
  return createHmac("sha1", Buffer.from(salt, "base64")).update(name.toLowerCase()).digest("base64") === digest;
}

/** All files of a run, each read once; what is added later is known too. */
export interface KnownHosts {
  /** What the files say about a host, in their order. */
  about(name: string, files: readonly string[]): Promise<readonly KnownKey[]>;
  /** Remember a line that was written during this run. */
  add(known: KnownKey): void;
}

export function createKnownHosts(): KnownHosts {
  const files = new Map<string, Promise<KnownFile>>();
  const fileAt = (path: string): Promise<KnownFile> =>
    remembered(files, path, async () => {
      // What cannot be read says nothing: the host is unknown then, which is asked about or refused.
      const text = await readFile(path, "utf8").catch(unlessLimit(""));
      return new KnownFile(parseKnownHosts(text, path));
    });
  return {
    async about(name, paths) {
      const lists = await Promise.all(paths.map(async path => (await fileAt(path)).about(name)));
      return lists.flat();
    },
    add(known) {
      const file = fileAt(known.file);
      files.set(
        known.file,
        file.then(content => content.with(known)),
      );
    },
  };
}

/** Thousands of hosts ask a file of thousands of lines: plain names are found by name, only the others one by one. */
class KnownFile {
  readonly #byName = new Map<string, KnownKey[]>();
  readonly #others: KnownKey[] = [];
  constructor(keys: readonly KnownKey[]) {
    for (const key of keys) this.with(key);
  }
  with(key: KnownKey): this {
    if (/[*?!|]/.test(key.hosts)) this.#others.push(key);
    else
      for (const name of new Set(key.hosts.toLowerCase().split(","))) {
        const same = this.#byName.get(name);
        if (same) same.push(key);
        else this.#byName.set(name, [key]);
      }
    return this;
  }
  about(name: string): readonly KnownKey[] {
    const plain = this.#byName.get(name.toLowerCase()) ?? [];
    return [...plain, ...this.#others.filter(key => speaksOf(key, name))].sort((a, b) => a.line - b.line);
  }
}
