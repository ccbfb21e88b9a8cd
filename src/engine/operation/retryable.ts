/** Whether an operation may be tried again. @module */
import { CommandTimeoutError, EscalationError, NestedOperationError } from "../../core/errors.ts";
import { originsOf } from "../../core/thrown.ts";

/**
 * Whether what failed may be tried again, with everything that it came from: a refused password is not offered again, which could lock the
 * account; nor does a command run beside itself.
 */
export function mayBeTriedAgain(error: unknown): boolean {
  for (const one of failuresIn(error, new Set()))
    if (one instanceof EscalationError || (one instanceof CommandTimeoutError && one.mayStillRun)) return false;
  return true;
}

/** An error, what it came from, and what failed beside that; each once, as what comes from itself has no end. */
function* failuresIn(error: unknown, seen: Set<unknown>): Generator<unknown, void> {
  if (seen.has(error)) return;
  seen.add(error);
  yield error;
  const others = error instanceof NestedOperationError ? error.others : [];
  for (const origin of [...originsOf(error), ...others]) yield* failuresIn(origin, seen);
}
