/** What one try of an operation came to. @module */
import type { TsinfraError } from "../../core/errors.ts";

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
}

/** Nothing has come of it yet. */
export const newAttempt = (): Attempt => ({
  error: undefined,
  commands: [],
  executed: 0,
  stdoutLines: [],
  stderrLines: [],
  noop: undefined,
});

/** One by one: as arguments of one call, a million lines are too many. */
export function appendTo(list: string[], more: readonly string[]): void {
  for (const line of more) list.push(line);
}
