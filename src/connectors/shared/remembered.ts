/** Answers that a run asks for once. @module */
import { limitReached } from "../../core/limits.ts";

/** The answer to `key`, asked for when it is first wanted. What a limit of the system prevented is asked for again. */
export function remembered<T>(answers: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const known = answers.get(key);
  if (known) return known;
  const answer = ask();
  answers.set(key, answer);
  answer.catch((error: unknown) => {
    if (limitReached(error) && answers.get(key) === answer) answers.delete(key);
  });
  return answer;
}

/** For an error that is usually no answer at all, but not when it says that nothing could be read just now. */
export function unlessLimit<T>(otherwise: T): (error: unknown) => T {
  return error => {
    if (limitReached(error)) throw error;
    return otherwise;
  };
}
