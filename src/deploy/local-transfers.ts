/** The control machine's files as streams, for uploads and downloads. @module */
import { type BigIntStats, createReadStream, statSync } from "node:fs";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { LocalFileError } from "../core/errors.ts";
import type { LocalTransfers } from "../engine/settings.ts";

/** Big enough that reading is never what an upload waits for. */
const CHUNK_BYTES = 1024 * 1024;

/** What many hosts are sent is read once. */
const contents = new Map<string, { readonly identity: string; readonly content: Promise<Uint8Array> }>();
const KEPT = 200;

/** Throws `LocalFileError`. */
function fileAt(path: string): BigIntStats {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (!found) throw new LocalFileError(`There is no file "${path}" to upload`);
  if (!found.isFile()) throw new LocalFileError(`Cannot upload "${path}": it is not a file`);
  return found;
}

/** Reads files in pieces; writes under a temporary name beside the destination, renamed when complete. */
export const localTransfers: LocalTransfers = {
  size: async path => Number(fileAt(path).size),
  async small(path, most) {
    const { ino, mtimeNs, size } = fileAt(path);
    if (size > most) return undefined;
    const identity = `${ino} ${size} ${mtimeNs}`;
    const known = contents.get(path);
    if (known?.identity === identity) return known.content;
    const content = readFile(path);
    contents.set(path, { identity, content });
    if (contents.size > KEPT) contents.delete(contents.keys().next().value!);
    return content;
  },
  read: path => createReadStream(path, { highWaterMark: CHUNK_BYTES }),
  async write(path) {
    await mkdir(dirname(path), { recursive: true });
    const temporary = `${path}.tsinfra-${crypto.randomUUID()}`;
    const file = await open(temporary, "wx", 0o600);
    let written: Promise<unknown> = Promise.resolve();
    return {
      push(chunk) {
        written = written.then(() => file.writeFile(chunk));
        written.catch(() => undefined);
      },
      async commit() {
        await written;
        await file.chmod(0o666 & ~process.umask());
        await file.close();
        await rename(temporary, path);
      },
      async discard() {
        await file.close();
        await rm(temporary, { force: true });
      },
    };
  },
};
