/** What a command prints, on its way to whoever wants it. @module */
import type { Readable } from "node:stream";
import type { OutputStream, RunOptions, RunResult } from "../../core/connector.ts";
import { KeptOutput } from "../../core/output.ts";

/** Collects a command's output and passes it on as it arrives. */
export interface OutputCapture {
  /** The promise is what the receiver waits for: until then, nothing more is to be read. */
  add(stream: OutputStream, chunk: Uint8Array): void | Promise<void>;
  result(exitCode: number): RunResult;
}

/** Bytes of each stream that a result holds, the last ones. */
export const MOST_CAPTURED = 64 * 1024 * 1024;

export function captureOutput({ capture = true, onOutput }: RunOptions): OutputCapture {
  const kept = { stdout: new KeptOutput(MOST_CAPTURED), stderr: new KeptOutput(MOST_CAPTURED) };
  return {
    add(stream, chunk) {
      if (chunk.length === 0) return;
      if (capture) kept[stream].add(chunk);
      // What is called for its effect may return anything.
      const busy: unknown = onOutput?.(stream, chunk);
      return busy instanceof Promise ? busy : undefined;
    },
    result: exitCode => ({
      exitCode,
      stdout: kept.stdout.bytes(),
      stderr: kept.stderr.bytes(),
      isCut: kept.stdout.isCut || kept.stderr.isCut,
    }),
  };
}

/** Hand on what a command's two streams give; both pause while the receiver is busy, and `isHeld` says that they do. */
export function receive(
  streams: Readonly<Record<OutputStream, Readable>>,
  take: (stream: OutputStream, chunk: Buffer) => void | Promise<void>,
): { readonly isHeld: boolean } {
  let held = 0;
  const both = [streams.stdout, streams.stderr];
  for (const stream of ["stdout", "stderr"] as const)
    streams[stream].on("data", (chunk: Buffer) => {
      const busy = take(stream, chunk);
      if (!busy) return;
      if (held++ === 0) for (const one of both) one.pause();
      void busy.then(() => {
        if (--held === 0) for (const one of both) one.resume();
      });
    });
  return {
    get isHeld() {
      return held > 0;
    },
  };
}

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
