/** What a command reaches of the world around it; tests bring their own. @module */
import { readFileSync } from "node:fs";
import type { Connector } from "../core/connector.ts";
import type { Run } from "../engine/run.ts";
import { milliseconds } from "../engine/host/time-limit.ts";
import type { Clock } from "../engine/settings.ts";
import { blockingStreams, keepBlocking } from "./blocking.ts";
import { processOutlets } from "./outlet.ts";
import type { StreamName } from "./closed-streams.ts";
import type { Keyboard } from "./prompts.ts";
import type { RunParts } from "./run-settings.ts";
import type { Sink } from "./screen.ts";
import type { SignalGuard } from "./deaf-signals.ts";

/** Signals that ask the program to end. */
export type SignalName = "SIGINT" | "SIGTERM" | "SIGHUP";

/** One of the streams takes no more. */
export interface Unwritable {
  readonly stream: "stdout" | "stderr";
  readonly error: Error;
}

export type Interruption = SignalName | Unwritable;

export interface Io {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly stdin: Keyboard;
  /** Streams that were closed when the program was started: nobody is behind them. */
  readonly closed: readonly StreamName[];
  readonly environment: Record<string, string | undefined>;
  readonly clock: Clock;
  cwd(): string;
  chdir(directory: string): void;
  /** Call back at every signal that asks the program to end, and once for each stream that takes no more. The result ends that. */
  onInterrupt(callback: (why: Interruption) => void): () => void;
  /** From now on signals that ask the program to end, or to stop for a while, do so although its own code cannot hear them. */
  guardSignals(): Promise<void>;
  /** Call back when the program goes on after it was stopped (Ctrl-Z). The result ends that. */
  onContinue(callback: () => void): () => void;
  /** Stop with whatever else runs on this terminal, until somebody wants it to go on. */
  stop(): void;
  /** Call back with what is thrown where nobody can catch it: in timers, in promises that nobody awaits. The result ends that. */
  onStray(callback: (error: unknown) => void): () => void;
  /** Call back when nothing in this process goes on any more, although nobody waits for that. The result ends that. */
  onStuck(callback: () => void): () => void;
  /** True when nothing in this process waits for anything any more, false after so many seconds. */
  idle(seconds: number): Promise<boolean>;
  /** Settles when everything that was written has arrived, or cannot. */
  flush(): Promise<void>;
  /** Drop what waits to be written where people read it, so that last words are not behind it; data that a program reads is kept. True if there was something for people. */
  discard(): boolean;
  /** Leave at once, whatever hangs: what was written has a moment to arrive. `onUnread` is called where standard error took no more. */
  exit(code: number, onUnread: () => void): void;
  /** The ways to reach hosts. */
  connectors(): Promise<ReadonlyMap<string, Connector>>;
  run(parts: RunParts): Promise<Run>;
}

/** Somebody who leaves waits so long for whoever reads the output, in milliseconds. */
const LAST_WORDS_MS = 500;

/** This process, of which these streams were closed at its start. `hasSettings`: it was started with those of `start.ts`. */
export const processIo = (closed: readonly StreamName[], hasSettings: boolean): Io => {
  const blocking = blockingStreams();
  const outlets = processOutlets();
  keepBlocking(blocking, () => outlets.stdout.pending + outlets.stderr.pending > 0);
  const callbacks = new Set<(why: Interruption) => void>();
  for (const stream of ["stdout", "stderr"] as const)
    outlets[stream].onFailure = error => {
      for (const callback of callbacks) callback({ stream, error });
    };
  const flush = async (): Promise<void> => {
    const both = [outlets.stdout, outlets.stderr];
    do await Promise.all(both.map(outlet => outlet.flush()));
    while (
      // To the one more may have been written while the other was waited for.
      both.some(({ pending, failure }) => pending > 0 && !failure)
    );
  };
  const handled = new Set<SignalName>();
  let guard: SignalGuard | undefined;
  let isIdleWanted = false;
  return {
    ...outlets,
    stdin: process.stdin,
    closed,
    environment: process.env,
    clock: systemClock,
    cwd: () => process.cwd(),
    chdir: directory => process.chdir(directory),
    onInterrupt(callback) {
      const handlers = SIGNALS.filter(signal => !isIgnored(signal)).map(
        signal =>
          [
            signal,
            () => {
              guard?.heard();
              callback(signal);
            },
          ] as const,
      );
      for (const [signal, handler] of handlers) {
        handled.add(signal);
        process.on(signal, handler);
      }
      callbacks.add(callback);
      return () => {
        for (const [signal, handler] of handlers) process.off(signal, handler);
        callbacks.delete(callback);
      };
    },
    async guardSignals() {
      if (!hasSettings) return;
      const { signalGuard } = await import("./deaf-signals.ts");
      guard = await signalGuard(outlets.stderr.isTTY === true);
      const { guardStop } = guard;
      for (const signal of handled) guard.guard(signal);
      guardStop("SIGTSTP");
      process.on("SIGCONT", () => guardStop("SIGTSTP"));
    },
    onContinue(callback) {
      process.on("SIGCONT", callback);
      return () => process.off("SIGCONT", callback);
    },
    stop: () => process.kill(0, "SIGTSTP"),
    onStray(callback) {
      const events = ["uncaughtException", "unhandledRejection"] as const;
      for (const event of events) process.on(event, callback);
      return () => {
        for (const event of events) process.off(event, callback);
      };
    },
    onStuck(callback) {
      const onIdle = (): void => {
        if (!isIdleWanted) callback();
      };
      process.on("beforeExit", onIdle);
      return () => process.off("beforeExit", onIdle);
    },
    async idle(seconds) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      setTimeout(() => resolve(false), seconds * 1000).unref();
      const onIdle = (): void => resolve(true);
      process.once("beforeExit", onIdle);
      isIdleWanted = true;
      try {
        return await promise;
      } finally {
        isIdleWanted = false;
        process.off("beforeExit", onIdle);
      }
    },
    flush,
    discard() {
      const { stdout, stderr } = outlets;
      const isStdoutCut = stdout.isTTY && stdout.discard();
      return stderr.discard() || isStdoutCut;
    },
    exit: (code, onUnread) => {
      const leave = (): never => {
        if (outlets.stderr.pending > 0) onUnread();
        return process.exit(code);
      };
      setTimeout(leave, LAST_WORDS_MS);
      void flush().then(leave);
    },
    async connectors() {
      const { createConnectors } = await import("../connectors/index.ts");
      return createConnectors();
    },
    async run(parts) {
      const [{ createRun }, { runSettings }] = await Promise.all([
        import("../engine/run.ts"),
        import("./run-settings.ts"),
      ]);
      return createRun(await runSettings(parts));
    },
  };
};

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const NUMBERS: Readonly<Record<SignalName, number>> = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 };

/** Whoever started the program may want it to go on when the terminal is closed (`nohup`): only Linux tells. */
function isIgnored(signal: SignalName): boolean {
  try {
    const [, mask = "0"] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    return ((BigInt(`0x${mask}`) >> BigInt(NUMBERS[signal] - 1)) & 1n) === 1n;
  } catch {
    return false;
  }
}

const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (seconds, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, milliseconds(seconds));
      signal?.addEventListener("abort", onAbort, { once: true });
    }),
};
