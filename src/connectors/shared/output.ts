/** What a command prints, on its way to whoever wants it. @module */
import type { OutputStream, RunOptions, RunResult } from "../../core/connector.ts";

/** Collects a command's output and passes it on as it arrives. */
export interface OutputCapture {
  /** A promise: whoever wants it asks for no more before that settles. */
  add(stream: OutputStream, chunk: Uint8Array): Promise<void> | void;
  result(exitCode: number): RunResult;
}

export function captureOutput({ capture = true, onOutput }: RunOptions): OutputCapture {
  const kept: Record<OutputStream, Uint8Array[]> = { stdout: [], stderr: [] };
  return {
    add(stream, chunk) {
      if (chunk.length === 0) return;
      if (capture) kept[stream].push(chunk);
      return onOutput?.(stream, chunk);
    },
    result: exitCode => ({ exitCode, stdout: Buffer.concat(kept.stdout), stderr: Buffer.concat(kept.stderr) }),
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
