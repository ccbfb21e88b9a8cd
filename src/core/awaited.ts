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
  return first && new first.problem([...waiting].map(({ what }) => `${what} ${NEVER_COMES}`).join("; "));
}

/** What is waited for now: subjects of sentences. */
export const awaited = (): readonly string[] => [...waiting].map(({ what }) => what);

/** What is said of whoever waits for it. */
export const NEVER_COMES = "waits for something that never comes";
