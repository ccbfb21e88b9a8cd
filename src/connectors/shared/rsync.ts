/** rsync over whatever runs commands on a host: neither side needs more than rsync itself. @module */
import { spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import { sh, type Shell } from "../../core/command.ts";
import type { Connection, RunOptions, RunResult } from "../../core/connector.ts";
import { OperationError } from "../../core/errors.ts";
import { captureOutput, signalExitCode } from "./output.ts";
import { onAbort } from "../../core/abort.ts";

/** What is copied where. */
export interface RsyncJob {
  /** Absolute path on the control machine; a slash at the end means the content of the directory. */
  readonly src: string;
  /** Path on the host. */
  readonly dest: string;
  readonly flags: readonly string[];
}

/**
 * What rsync takes for its remote shell: it hands over the words of the command that it wants to be run on the host,
 * and joins its own stdin and stdout with two pipes that it has inherited.
 */
const REMOTE_SHELL = `/bin/sh -c 'shift; exec 5<&0; { printf "%s\\000" "$@"; printf "\\000"; } >&4; cat <&5 >&4 & exec cat <&3' remote`;

/** Throws `OperationError` if rsync is missing here or there, what `run` throws, and the signal's reason. */
export async function rsyncOver(
  run: Connection["run"],
  { src, dest, flags }: RsyncJob,
  options: RunOptions = {},
): Promise<RunResult> {
  const { signal } = options;
  signal?.throwIfAborted();
  needRsync();
  const output = captureOutput(options);
  // The name before the colon only says that the destination is elsewhere; with -s no shell takes paths apart.
  const args = [...flags, "-s", "-e", REMOTE_SHELL, "--", src, `host:${dest.replace(/^~\/+/, "./")}`];
  const child = spawn("rsync", args, { stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"], detached: true });
  const [, stdout, stderr, toRsync, fromRsync] = child.stdio as unknown as [null, Duplex, Duplex, Duplex, Duplex];
  stdout.on("data", (chunk: Buffer) => void output.add("stdout", chunk)?.catch(stop));
  stderr.on("data", (chunk: Buffer) => void output.add("stderr", chunk)?.catch(stop));
  toRsync.on("error", () => {});
  const drained = (): Promise<void> =>
    new Promise(resolve => void toRsync.once("drain", resolve).once("close", resolve));
  const ended = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, name) => resolve(code ?? signalExitCode(name ?? "")));
  });
  const stop = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid);
    } catch {
      // It has ended already.
    }
  };
  using _ = onAbort(signal, stop);

  const conversation = converse(fromRsync, (line, stdin) =>
    run(line, {
      stdin,
      capture: false,
      onOutput(stream, chunk) {
        if (stream === "stderr") return output.add("stderr", chunk);
        return toRsync.write(chunk) ? undefined : drained();
      },
      ...(signal ? { signal } : {}),
    }).finally(() => toRsync.end()),
  );
  conversation.catch(stop);
  const [exitCode, there] = await Promise.all([ended, conversation]);
  // It may have been ended before it had said what it wants to be run.
  signal?.throwIfAborted();
  await output.taken();
  if (there?.exitCode === NOT_FOUND)
    throw new OperationError("The host has no rsync", { hint: "Install rsync there, or use files.sync" });
  return output.result(exitCode);
}

/** What a shell says of a program that it does not find. */
const NOT_FOUND = 127;

/** Throws `OperationError` where this machine has no rsync. */
export function needRsync(): void {
  if (!Bun.which("rsync"))
    throw new OperationError("The control machine has no rsync", { hint: "Install rsync, or use files.sync" });
}

/** First come the words of the command, then what the command reads. Nothing is run if rsync gives up before that. */
async function converse(
  fromRsync: Duplex,
  run: (line: Shell, stdin: AsyncIterable<Uint8Array>) => Promise<RunResult>,
): Promise<RunResult | undefined> {
  const chunks = fromRsync[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let head: Buffer = Buffer.alloc(0);
  while (!head.includes("\0\0")) {
    const { done, value } = await chunks.next();
    if (done) return undefined;
    head = Buffer.concat([head, value]);
  }
  const end = head.indexOf("\0\0");
  const [program = "", ...args] = head.toString("utf8", 0, end).split("\0");
  // `--rsync-path="sudo rsync"` is one word here and several on the host.
  return await run(sh`${[...program.split(/ +/), ...args]}`, prefixed(head.subarray(end + 2), chunks));
}

async function* prefixed(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  for (;;) {
    const { done, value } = await rest.next();
    if (done) return;
    yield value;
  }
}
