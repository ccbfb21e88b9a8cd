/** What one try of an operation came to. @module */
import type { TsinfraError } from "../../core/errors.ts";
import type { OutcomeType } from "../events.ts";

/** What one try came to. */
export interface Attempt {
  error: TsinfraError | undefined;
  /** As printed, in order. */
  readonly commands: string[];
  /** How many succeeded. */
  executed: number;
  readonly stdoutLines: string[];
  readonly stderrLines: string[];
  noop: string | undefined;
  /** Something was sent that may have changed the host. */
  hasBegun: boolean;
}

/** How an operation ended on one host, after its last try. */
export interface Ending {
  readonly outcome: OutcomeType;
  /** It sent commands and did not succeed: what it changed is not known. */
  readonly unfinished: boolean;
}

/** Nothing has come of it yet. */
export const newAttempt = (): Attempt => ({
  error: undefined,
  commands: [],
  executed: 0,
  stdoutLines: [],
  stderrLines: [],
  noop: undefined,
  hasBegun: false,
});

/** One by one: as arguments of one call, a million lines are too many. */
export function appendTo(list: string[], more: readonly string[]): void {
  for (const line of more) list.push(line);
}
