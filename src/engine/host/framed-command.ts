/** A command in a shell that stays, on its way and when it has ended. @module */
import type { OutputStream, RunResult } from "../../core/connector.ts";
import type { TsinfraError } from "../../core/errors.ts";
import type { KeptOutput } from "../../core/output.ts";

/** How a framed command ended. */
export interface FramedResult extends RunResult {
  /** `"ran"`; `"not started"`: the shell could not be had, stderr says why; `"skipped"`: an earlier one of its group failed. */
  readonly how: "ran" | "not started" | "skipped";
  /** The shell ended while it ran. */
  readonly trouble?: TsinfraError;
}

/** How one command of a shell runs. */
export interface FramedOptions {
  /** No more is read for any command of the shell until a promise that it returns has resolved. */
  readonly onOutput?: (stream: OutputStream, chunk: Uint8Array) => void | Promise<void>;
  /** Those before it have ended, and it is what the shell runs. */
  readonly onTurn?: () => void;
  /** The shell has come to it: nothing before it failed, and a test of its group succeeded. */
  readonly onBegin?: () => void;
  /** Bytes that are kept of each output, the last ones; default 8 MiB. */
  readonly keep?: number;
  /** A script of ours that changes nothing of the shell but variables: it needs no subshell. */
  readonly inPlace?: boolean;
}

/** One that has not ended. */
export interface FramedCommand {
  /** What comes right behind the command's output. */
  readonly mark: Buffer;
  readonly onOutput: FramedOptions["onOutput"];
  readonly onTurn: FramedOptions["onTurn"];
  readonly onBegin: FramedOptions["onBegin"];
  readonly output: Readonly<Record<OutputStream, KeptOutput>>;
  /** The shell has come to it. */
  hasBegun: boolean;
  /** A test comes before it, which may take its time. */
  readonly isTested: boolean;
  exitCode: string | undefined;
  /** Streams whose mark has not come yet. */
  open: number;
  readonly resolve: (result: FramedResult) => void;
  readonly reject: (error: Error) => void;
}

/** It has ended, as both streams say. */
export function finish(framed: FramedCommand): void {
  const skipped = framed.exitCode === "skipped";
  framed.resolve({
    how: skipped ? "skipped" : "ran",
    exitCode: skipped ? 0 : Number(framed.exitCode),
    ...printed(framed),
  });
}

/** What is kept of its output. */
export const printed = ({
  output: { stdout, stderr },
}: FramedCommand): Pick<FramedResult, "stdout" | "stderr" | "isCut"> => ({
  stdout: stdout.bytes(),
  stderr: stderr.bytes(),
  isCut: stdout.isCut || stderr.isCut,
});
