/** The control machine's files as streams, for uploads and downloads. @module */
import { type BigIntStats, createReadStream, statSync } from "node:fs";
import { type FileHandle, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { LocalFileError } from "../core/errors.ts";
import type { LocalTransfers } from "../engine/settings.ts";

/** Big enough that reading is never what an upload waits for, small enough that what waits to be sent is little. */
const CHUNK_BYTES = 256 * 1024;

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
    const temporary = `${path}.tsinfra-${crypto.randomUUID()}`;
    const file = await openNew(temporary).catch(unwritable(path));
    let waiting: Uint8Array[] = [];
    let size = 0;
    let writing: Promise<void> | undefined;
    const write = async (): Promise<void> => {
      while (waiting.length > 0) {
        const chunks = waiting;
        waiting = [];
        size = 0;
        await file.writeFile(Buffer.concat(chunks)).catch(unwritable(path));
      }
      writing = undefined;
    };
    const remove = async (): Promise<void> => {
      await file.close().catch(() => undefined);
      await rm(temporary, { force: true });
    };
    return {
      push(chunk) {
        waiting.push(new Uint8Array(chunk));
        size += chunk.length;
        writing ??= write();
        writing.catch(() => undefined);
        if (size >= MOST_WAITING) return writing;
      },
      async commit() {
        try {
          await writing;
          await file.chmod(0o666 & ~process.umask());
          await file.close();
          await rename(temporary, path);
        } catch (error) {
          await remove();
          return unwritable(path)(error);
        }
      },
      async discard() {
        await writing?.catch(() => undefined);
        await remove();
      },
    };
  },
};

/** Bytes that wait for the disk; whoever gives more waits with them. */
const MOST_WAITING = 4 * 1024 * 1024;

async function openNew(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true });
  return open(path, "wx", 0o600);
}

const unwritable =
  (path: string) =>
  (error: unknown): never => {
    if (error instanceof LocalFileError) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error));
    throw new LocalFileError(`Cannot write "${path}" on the control machine: ${reason}`, { cause: error });
  };
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "the directory may not be written to",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file is too large",
  EISDIR: "it is a directory",
  ENOSPC: "there is no space left on that disk",
  ENOTDIR: "a part of the path is not a directory",
  EROFS: "that disk is read-only",
};
