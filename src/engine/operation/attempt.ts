/** What one try of an operation came to. @module */
import type { TsinfraError } from "../../core/errors.ts";
import type { CommandResult } from "../../core/host.ts";
import type { OutcomeType } from "../events.ts";

/** What one try came to. */
export interface Attempt {
  error: TsinfraError | undefined;
  /** What failed beside `error`. */
  readonly others: TsinfraError[];
  /** As printed, in order. */
  readonly commands: string[];
  /** How many succeeded. */
  executed: number;
  /** How its shell commands ended, in order. */
  readonly results: CommandResult[];
  noop: string | undefined;
  /** Something was sent that may have changed the host. */
  hasBegun: boolean;
}

/** How an operation ended on one host, after its last try. */
export interface Ending {
  readonly outcome: OutcomeType;
  /** It sent commands and did not succeed: what it changed is not known. */
  readonly unfinished: boolean;
  /** Why it failed. */
  readonly error?: TsinfraError | undefined;
  /** What failed beside `error`. */
  readonly others?: readonly TsinfraError[];
}

/** Nothing has come of it yet. */
export const newAttempt = (): Attempt => ({
  error: undefined,
  others: [],
  commands: [],
  executed: 0,
  results: [],
  noop: undefined,
  hasBegun: false,
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
