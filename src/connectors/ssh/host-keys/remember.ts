/** Writing new host keys down. @module */
import { randomBytes } from "node:crypto";
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { keyTypeOf } from "../wire.ts";
import { hashName, type KnownHosts } from "./known-hosts.ts";

export interface NewKey {
  /** Name in known_hosts. */
  readonly name: string;
  readonly key: Buffer;
  readonly file: string;
  /** Write the name so that only those who know it can read it. */
  readonly hashed: boolean;
}

/** Adds lines to known_hosts files; one object serves a run. */
export interface Memory {
  /** Add a line unless the file has it. Throws what the file system says. */
  remember(newKey: NewKey): Promise<void>;
}

export function createMemory(knownHosts: KnownHosts): Memory {
  // One after the other, so that hosts connecting at once write no line twice.
  let last: Promise<unknown> = Promise.resolve();
  return {
    remember(newKey) {
      const written = last.then(() => append(newKey, knownHosts));
      last = written.catch(() => {});
      return written;
    },
  };
}

async function append({ name, key, file, hashed }: NewKey, knownHosts: KnownHosts): Promise<void> {
  const known = await knownHosts.about(name, [file]);
  if (known.some(line => line.marker === undefined && line.key.equals(key))) return;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(file, "a+", 0o600);
  try {
    const { size } = await handle.stat();
    const end = Buffer.alloc(1);
    if (size > 0) await handle.read(end, 0, 1, size - 1);
    const hosts = hashed ? hashName(name.toLowerCase(), randomBytes(20)) : name.toLowerCase();
    const type = keyTypeOf(key);
    // One write in append mode: what other programs add meanwhile stays whole.
    await handle.write(`${size > 0 && end[0] !== 0x0a ? "\n" : ""}${hosts} ${type} ${key.toString("base64")}\n`);
    knownHosts.add({ hosts, type, key, file, line: Number.MAX_SAFE_INTEGER });
  } finally {
    await handle.close();
  }
}
