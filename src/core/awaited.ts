/**
 * What of the user's is waited for: where nothing in the process goes on any more, the promise that never settles does not tell whose it is.
 * @module
 */
import type { TsinfraError } from "./errors.ts";

/** Makes the error of one that never comes. */
type Problem = new (message: string) => TsinfraError;

const waiting = new Set<{ readonly what: string; readonly problem: Problem }>();

/** Wait for code of the user's. `what` is the subject of a sentence: `inv.ts, or a module that it imports,`. */
export async function awaiting<T>(what: string, problem: Problem, body: () => T | Promise<T>): Promise<T> {
  const entry = { what, problem };
  waiting.add(entry);
  try {
    return await body();
  } finally {
    waiting.delete(entry);
  }
}

/** What is wrong where nothing goes on any more: an error for what is waited for, if there is anything. */
export function neverComes(): TsinfraError | undefined {
  const [first] = waiting;
  return first && new first.problem(sentences(NEVER_COMES));
}

/** That what is waited for now has not ended, in words; `undefined` where there is nothing. */
export const unended = (): string | undefined => (waiting.size === 0 ? undefined : sentences("had not ended"));

function sentences(predicate: string): string {
  const told = [...waiting].slice(0, TOLD).map(({ what }) => `${what} ${predicate}`);
  return [...told, ...(waiting.size > TOLD ? [`and so with ${waiting.size - TOLD} more`] : [])].join("; ");
}
/** Each host may have one of its own. */
const TOLD = 3;

/** What is said of whoever waits for it. */
export const NEVER_COMES = "waits for something that never comes";
