/** What a command reaches of the world around it; tests bring their own. @module */
import type { Connector } from "../core/connector.ts";
import type { Run } from "../engine/run.ts";
import type { Clock } from "../engine/settings.ts";
import type { Keyboard } from "./prompts.ts";
import { withRoom } from "./room.ts";
import type { RunParts } from "./run-settings.ts";
import type { Sink } from "./screen.ts";

export interface Io {
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Resolves when what was written has been taken, so that more may come; nothing where there is room. */
  outputReady?(): Promise<void> | undefined;
  readonly stdin: Keyboard;
  readonly environment: Record<string, string | undefined>;
  readonly clock: Clock;
  cwd(): string;
  chdir(directory: string): void;
  /** Call back at every interrupt, and once with `unread` when nobody reads the output any more; the result ends that. */
  onInterrupt(callback: (why?: "unread") => void): () => void;
  /** Call back with what is thrown where nobody can catch it: in timers, in promises that nobody awaits. The result ends that. */
  onStray(callback: (error: unknown) => void): () => void;
  /** Leave at once. */
  exit(code: number): void;
  /** The ways to reach hosts. */
  connectors(): Promise<ReadonlyMap<string, Connector>>;
  run(parts: RunParts): Promise<Run>;
}

/** This process. */
export const processIo = (): Io => {
  const callbacks = new Set<(why?: "unread") => void>();
  let isUnread = false;
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", () => {
      // Whoever was reading has gone (`| head`): said once, however much is still written.
      if (!isUnread) for (const callback of callbacks) callback("unread");
      isUnread = true;
    });
  const [stdout, stderr] = [withRoom(process.stdout), withRoom(process.stderr)];
  return {
    stdout,
    stderr,
    outputReady: () => stdout.room() ?? stderr.room(),
    stdin: process.stdin,
    environment: process.env,
    clock: systemClock,
    cwd: () => process.cwd(),
    chdir: directory => process.chdir(directory),
    onInterrupt(callback) {
      const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
      const onSignal = (): void => callback();
      for (const signal of signals) process.on(signal, onSignal);
      callbacks.add(callback);
      return () => {
        for (const signal of signals) process.off(signal, onSignal);
        callbacks.delete(callback);
      };
    },
    onStray(callback) {
      const events = ["uncaughtException", "unhandledRejection"] as const;
      for (const event of events) process.on(event, callback);
      return () => {
        for (const event of events) process.off(event, callback);
      };
    },
    exit: code => process.exit(code),
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

const systemClock: Clock = {
  now: () => Date.now(),
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
      }, seconds * 1000);
      signal?.addEventListener("abort", onAbort, { once: true });
    }),
};
