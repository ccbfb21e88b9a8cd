/** Files over SFTP, for hosts on which bytes do not pass through commands unharmed. @module */
import { sh } from "../../core/command.ts";
import type { Connection, Input, StagedFile } from "../../core/connector.ts";
import { OperationError } from "../../core/errors.ts";
import { pieces } from "../shared/input.ts";
import type { Client, SFTPWrapper, Stats } from "./library.ts";

/** What servers must take in one message; and how many of them are under way at once, which makes up for long round trips. */
const BLOCK = 32 * 1024;
const AT_ONCE = 64;

export interface StageOptions {
  readonly host: string;
  readonly run: Connection["run"];
  /** A session for SFTP; rejects if the server has none to give. */
  readonly sftp: () => Promise<SFTPWrapper>;
  /** Aborting ends whatever is done with the file. */
  readonly signal: AbortSignal;
  /** Disposed of with the file. */
  readonly turn: Disposable;
}

/**
 * A new file that nobody else may read. A command that waits for the end of its input keeps it, and removes it then:
 * that end comes with the connection's, too.
 */
export async function stageFile({ host, run, sftp, signal, turn }: StageOptions): Promise<StagedFile> {
  const [released, named] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()];
  let said = "";
  const kept = run(
    sh`umask 077; t=$(mktemp) || exit; trap 'rm -f "$t"' EXIT; trap 'exit 1' HUP INT PIPE TERM; printf '%s\n' "$t"; cat >/dev/null`,
    {
      signal,
      stdin: (async function* () {
        await released.promise;
      })(),
      onOutput(stream, chunk) {
        if (stream === "stdout" && (said += Buffer.from(chunk).toString()).endsWith("\n"))
          named.resolve(said.slice(0, -1));
      },
    },
  );
  const lacking = kept.then(({ stderr }) => {
    throw new OperationError(
      `Cannot make a temporary file on ${host}: ${Buffer.from(stderr).toString().trim() || "no reason was given"}`,
      { host },
    );
  });
  lacking.catch(() => {});
  const path = await Promise.race([named.promise, lacking]);
  const session = async (body: (sftp: SFTPWrapper, handle: Buffer) => Promise<void>): Promise<void> => {
    const open = await Promise.race([sftp(), lacking]);
    try {
      const handle = await Promise.race([
        done<Buffer>(callback => open.open(path, "r+", callback)).catch(error =>
          Promise.reject(unreadable(host, path, error)),
        ),
        lacking,
      ]);
      const working = body(open, handle);
      working.catch(() => {});
      await Promise.race([working, lacking]);
    } finally {
      open.end();
    }
  };
  return {
    path,
    write: content => session((sftp, handle) => writeAll(sftp, handle, content)),
    read: onBlock => session((sftp, handle) => readAll(sftp, handle, onBlock)),
    async [Symbol.asyncDispose]() {
      released.resolve();
      await kept.catch(() => {});
      turn[Symbol.dispose]();
    },
  };
}

const unreadable = (host: string, path: string, error: Error): OperationError =>
  new OperationError(`SFTP on ${host} cannot open ${path}: ${error.message}`, {
    host,
    cause: error,
    hint: 'Its SFTP may see other directories than its shell: set the host data sshFileTransferProtocol: "shell"',
  });

/** Open an SFTP session. */
export const openSftp = (client: Client): Promise<SFTPWrapper> => done(callback => client.sftp(callback));

async function writeAll(sftp: SFTPWrapper, handle: Buffer, content: Input): Promise<void> {
  const underway = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let at = 0;
  for await (const piece of pieces(content)) {
    for (let start = 0; start < piece.length; start += BLOCK) {
      // Copied: what a piece is part of may be used again before it is sent.
      const block = Buffer.from(piece.subarray(start, start + BLOCK));
      const writing: Promise<void> = done<void>(callback => sftp.write(handle, block, 0, block.length, at, callback))
        .catch(error => void failures.push(error))
        .finally(() => underway.delete(writing));
      underway.add(writing);
      at += block.length;
      if (underway.size >= AT_ONCE) await Promise.race(underway);
      if (failures.length > 0) throw failures[0];
    }
  }
  await Promise.all(underway);
  if (failures.length > 0) throw failures[0];
  await done<void>(callback => sftp.close(handle, callback));
}

async function readAll(
  sftp: SFTPWrapper,
  handle: Buffer,
  onBlock: (block: Uint8Array) => void | Promise<void>,
): Promise<void> {
  const { size } = await done<Stats>(callback => sftp.fstat(handle, callback));
  const underway: Promise<Buffer>[] = [];
  for (let at = 0; at < size || underway.length > 0; at += BLOCK) {
    if (at < size) {
      const block = readBlock(sftp, handle, at, Math.min(BLOCK, size - at));
      block.catch(() => {});
      underway.push(block);
    }
    if (underway.length >= AT_ONCE || at + BLOCK >= size) await onBlock(await underway.shift()!);
  }
}

/** A server may send less than it was asked for. */
async function readBlock(sftp: SFTPWrapper, handle: Buffer, at: number, length: number): Promise<Buffer> {
  const block = Buffer.alloc(length);
  for (let filled = 0; filled < length;) {
    const count = await done<number>(callback =>
      sftp.read(handle, block, filled, length - filled, at + filled, callback),
    );
    if (count === 0) throw new RangeError("The file became shorter while it was read");
    filled += count;
  }
  return block;
}

/** What a callback says, as a promise. */
function done<T>(call: (callback: (error: Error | null | undefined, value?: T) => void) => unknown): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  call((error, value) => (error ? reject(error) : resolve(value as T)));
  return promise;
}
