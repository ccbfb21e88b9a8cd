/** What a command prints, on its way to whoever wants it. @module */
import type { OutputStream, RunOptions, RunResult } from "../../core/connector.ts";
import { KeptOutput } from "../../core/output.ts";

/** Collects a command's output and passes it on as it arrives. */
export interface OutputCapture {
  /** Nothing more should be read before the promise, if there is one, has resolved. */
  add(stream: OutputStream, chunk: Uint8Array): void | Promise<void>;
  /** Somebody has not yet taken what was passed on. */
  readonly isPending: boolean;
  /** All that was passed on has been taken. Rejects if somebody could not take it. */
  taken(): Promise<void>;
  result(exitCode: number): RunResult;
}

/** Bytes of each stream that a result holds, the last ones. */
export const MOST_CAPTURED = 64 * 1024 * 1024;

/** Keep what `capture` asks for, and hand everything to `onOutput`; what that throws comes as a rejection. */
export function captureOutput({ capture = true, onOutput }: RunOptions): OutputCapture {
  const kept = { stdout: new KeptOutput(MOST_CAPTURED), stderr: new KeptOutput(MOST_CAPTURED) };
  const pending = new Set<Promise<void>>();
  const handOver = (stream: OutputStream, chunk: Uint8Array): void | Promise<void> => {
    try {
      return onOutput?.(stream, chunk);
    } catch (error) {
      return Promise.reject(error);
    }
  };
  return {
    add(stream, chunk) {
      if (chunk.length === 0) return;
      if (capture) kept[stream].add(chunk);
      const taking = handOver(stream, chunk);
      if (!taking) return;
      pending.add(taking);
      // One that rejects stays: it is told to whoever waits for all.
      taking.then(
        () => pending.delete(taking),
        () => {},
      );
      return taking;
    },
    get isPending() {
      return pending.size > 0;
    },
    async taken() {
      await Promise.all(pending);
    },
    result: exitCode => ({
      exitCode,
      stdout: kept.stdout.bytes(),
      stderr: kept.stderr.bytes(),
      isCut: kept.stdout.isCut || kept.stderr.isCut,
    }),
  };
}

/** The last lines of what was said, in one; of the first that said anything. */
export function lastWords(...said: readonly string[]): string {
  const lines = said
    .map(text => text.split(/[\r\n]+/).filter(line => line.trim() !== ""))
    .find(some => some.length > 0);
  return lines?.slice(-LAST_WORDS).join(" ").trim() ?? "it gave no reason, and whether the command ran is not known";
}
const LAST_WORDS = 3;

/** Exit code of a command that a signal ended, as shells count it. */
export function signalExitCode(signal: string): number {
  return 128 + (SIGNAL_NUMBERS[signal.replace(/^SIG/, "")] ?? 0);
}
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
};
