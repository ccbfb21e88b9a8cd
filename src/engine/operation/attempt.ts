/** What one try of an operation came to. @module */
import type { TsinfraError } from "../../core/errors.ts";
import type { CommandResult } from "../../core/host.ts";

/** What one try came to. */
export interface Attempt {
  error: TsinfraError | undefined;
  /** As printed, in order. */
  readonly commands: string[];
  /** How many succeeded. */
  executed: number;
  /** How its shell commands ended, in order. */
  readonly results: CommandResult[];
  noop: string | undefined;
}

/** Nothing has come of it yet. */
export const newAttempt = (): Attempt => ({
  error: undefined,
  commands: [],
  executed: 0,
  results: [],
  noop: undefined,
});

/** What several commands printed, in order. */
export const printedBy = (
  results: readonly CommandResult[],
): Pick<CommandResult, "stdoutLines" | "stderrLines" | "isCut"> => ({
  get stdoutLines() {
    return results.flatMap(({ stdoutLines }) => stdoutLines);
  },
  get stderrLines() {
    return results.flatMap(({ stderrLines }) => stderrLines);
  },
  isCut: results.some(({ isCut }) => isCut),
});
