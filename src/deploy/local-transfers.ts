/** The control machine's files as streams, for uploads and downloads. @module */
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { LocalFileError } from "../core/errors.ts";
import type { LocalTransfers } from "../engine/session.ts";

/** Big enough that reading is never what an upload waits for. */
const CHUNK_BYTES = 1024 * 1024;

/** Reads files in pieces; writes under a temporary name beside the destination, renamed when complete. */
export const localTransfers: LocalTransfers = {
  async size(path) {
    const found = await stat(path).catch(() => undefined);
    if (!found) throw new LocalFileError(`There is no file "${path}" to upload`);
    if (!found.isFile()) throw new LocalFileError(`Cannot upload "${path}": it is not a file`);
    return found.size;
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
