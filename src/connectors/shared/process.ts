/** Programs of the control machine. @module */
import { onAbort, unlessAborted } from "../../core/abort.ts";
import type { OutputStream, RunOptions, RunResult } from "../../core/connector.ts";
import { OperationError } from "../../core/errors.ts";
import { limitReached } from "../../core/limits.ts";
import { endOfInput, pump } from "./input.ts";
import { type OutputCapture, captureOutput } from "./output.ts";
import { noFileLeft } from "./open-files.ts";
import { pause, settlesWithin } from "./wait.ts";

/** What a program gets beside its arguments. */
export interface ProcessOptions extends RunOptions {
  /** The whole environment; default: this process's own, as it is now. Bun would pass on what it was at the start. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/** How long a program may take to end once it was asked to, in milliseconds. */
const GRACE = 1000;
/** A program left in the background may hold the output open for good: after the end, this much silence counts as the end of output. */
const SILENCE = 1000;
/** So much output of a terminal, which cannot be held back, may wait to be taken, in bytes. */
const MOST_UNTAKEN = 64 * 1024 * 1024;
/** The same on a terminal, whose other side this process holds open itself. */
const TERMINAL_SILENCE = 100;

/**
 * Run a program to its end, in a process group of its own.
 * Aborting ends the whole group: politely first, then not. Throws what the operating system says when it cannot start, or `OperationError` where a limit is reached.
 */
export async function runProcess(argv: readonly string[], options: ProcessOptions): Promise<RunResult> {
  const { signal, stdin } = options;
  signal?.throwIfAborted();
  const output = captureOutput(options);
  let failure: { readonly reason: unknown } | undefined;
  let stopping: Promise<void> | undefined;
  const stop = (reason: unknown): void => {
    failure ??= { reason };
    stopping ??= endGroup(child);
  };
  const child = start(argv, options, { output, onFailure: stop });
  using _ = onAbort(signal, () => stop(signal?.reason));
  pump(stdin, child.write)
    .then(({ lastByte }) => child.endInput(lastByte))
    .catch(stop);

  const exitCode = await child.exited;
  if (!failure) await unlessAborted(silenceOrEnd(child), signal).catch(() => {});
  await stopping;
  await child.release();
  if (!failure) await unlessAborted(output.taken(), signal).catch(stop);
  if (failure) throw failure.reason;
  return output.result(exitCode);
}

/** Where output goes, and what is done when it cannot be taken. */
interface Hearing {
  readonly output: OutputCapture;
  readonly onFailure: (reason: unknown) => void;
}

function start(argv: readonly string[], options: ProcessOptions, hearing: Hearing): Child {
  try {
    return options.pty ? startOnTerminal(argv, options, hearing) : startOnPipes(argv, options, hearing);
  } catch (error) {
    // Of a terminal that cannot be made the runtime does not say why.
    const limit = limitReached(error) ?? limitReached(noFileLeft());
    if (!limit) throw error;
    throw new OperationError(`Cannot start ${argv[0]}: ${limit.message}`, { cause: error, hint: limit.hint });
  }
}

interface Child {
  readonly pid: number;
  readonly exited: Promise<number>;
  /** Everything it and its children printed has arrived. */
  readonly outputEnd: Promise<unknown>;
  /** When something was printed last, in milliseconds of `performance.now()`. */
  readonly lastOutput: () => number;
  /** How long nothing may arrive after the end until nothing more is expected, in milliseconds. */
  readonly silence: number;
  /** False when it does not read any more. */
  readonly write: (piece: Uint8Array) => Promise<boolean>;
  readonly endInput: (lastByte: number | undefined) => void;
  readonly release: () => Promise<void> | void;
}

function startOnPipes(
  argv: readonly string[],
  { env = process.env, cwd }: ProcessOptions,
  { output, onFailure }: Hearing,
): Child {
  const child = Bun.spawn([...argv], { env, cwd, detached: true, stdin: "pipe", stdout: "pipe", stderr: "pipe" });
  let lastOutput = performance.now();
  const read = async (
    stream: OutputStream,
    reader: { read(): Promise<{ done: boolean; value?: Uint8Array | undefined }> },
  ) => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || !value) return;
      lastOutput = performance.now();
      await output.add(stream, value);
    }
  };
  const stdout = child.stdout.getReader();
  const stderr = child.stderr.getReader();
  const reading = Promise.all([read("stdout", stdout), read("stderr", stderr)]);
  reading.catch(onFailure);
  return {
    pid: child.pid,
    exited: child.exited,
    outputEnd: reading,
    // Output that has not been taken is no silence.
    lastOutput: () => (output.isPending ? performance.now() : lastOutput),
    silence: SILENCE,
    async write(piece) {
      try {
        await Promise.all([child.stdin.write(piece), child.stdin.flush()]);
        return true;
      } catch (error) {
        if (isBrokenPipe(error)) return false;
        throw error;
      }
    },
    endInput() {
      // Whoever does not read any more does not mind the end either.
      Promise.resolve(child.stdin.end()).catch(() => {});
    },
    async release() {
      await Promise.allSettled([stdout.cancel(), stderr.cancel()]);
    },
  };
}

function startOnTerminal(
  argv: readonly string[],
  { env = process.env, cwd }: ProcessOptions,
  { output, onFailure }: Hearing,
): Child {
  let lastOutput = performance.now();
  let untaken = 0;
  /** It is being ended: what it prints meanwhile is nobody's. */
  let isFull = false;
  const take = (chunk: Uint8Array): void => {
    const taking = output.add("stdout", chunk);
    if (!taking) return;
    untaken += chunk.length;
    taking.then(() => void (untaken -= chunk.length), onFailure);
    if (untaken <= MOST_UNTAKEN) return;
    isFull = true;
    onFailure(
      new OperationError(`Output came faster than it was taken, and ${MOST_UNTAKEN / 1024 / 1024} MiB of it waited`, {
        hint: "On a terminal nothing can be held back: run it without _getPty, or let it print less",
      }),
    );
  };
  const drained: (() => void)[] = [];
  const terminal = new Bun.Terminal({
    cols: 80,
    rows: 24,
    data(_, chunk) {
      lastOutput = performance.now();
      if (!isFull) take(new Uint8Array(chunk));
    },
    drain() {
      for (const resume of drained.splice(0)) resume();
    },
  });
  // What is typed (a password, for one) is not to come back as output, and lines are to end as they do in a pipe.
  terminal.localFlags &= ~ECHO;
  terminal.outputFlags &= ~ONLCR;
  const child = Bun.spawn([...argv], { env, cwd, detached: true, terminal });
  return {
    pid: child.pid,
    exited: child.exited,
    outputEnd: new Promise(() => {}),
    lastOutput: () => lastOutput,
    silence: TERMINAL_SILENCE,
    async write(piece) {
      if (terminal.closed) return false;
      if (terminal.write(piece) >= piece.length) return true;
      const { promise, resolve } = Promise.withResolvers<void>();
      drained.push(resolve);
      await promise;
      return !terminal.closed;
    },
    endInput(lastByte) {
      if (!terminal.closed) terminal.write(endOfInput(lastByte));
    },
    release: () => terminal.close(),
  };
}
const ECHO = 0o10;
const ONLCR = 0o4;

async function silenceOrEnd(child: Child): Promise<void> {
  const exit = performance.now();
  for (;;) {
    const left = Math.max(exit, child.lastOutput()) + child.silence - performance.now();
    if (left > 0) {
      if (await settlesWithin(child.outputEnd, left)) return;
      continue;
    }
    // This process may have been too busy to hear: what has arrived meanwhile is handed over before that counts as silence.
    const heard = child.lastOutput();
    await pause(0);
    await pause(0);
    if (child.lastOutput() === heard) return;
  }
}

/** End a process group; some of its members may outlive the first, and some may not care to be asked. */
async function endGroup(child: Child): Promise<void> {
  kill(child.pid, "SIGTERM");
  const deadline = performance.now() + GRACE;
  while (performance.now() < deadline) {
    if (!kill(child.pid, 0)) return;
    await pause(20);
  }
  kill(child.pid, "SIGKILL");
}

/** False when there is nobody left in the group. */
function kill(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch (error) {
    // Members of another user (sudo) are there, but not ours to end.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

const isBrokenPipe = (error: unknown): boolean =>
  ["EPIPE", "EBADF", "ERR_STREAM_DESTROYED"].includes((error as NodeJS.ErrnoException).code ?? "");
