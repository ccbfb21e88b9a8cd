/** Trying to connect again, where that may help. @module */
import { ConnectError } from "../../core/errors.ts";
import type { Deadline } from "../shared/deadline.ts";
import { backOff, pause } from "../shared/wait.ts";

/** How often and how soon. */
export interface Retry {
  readonly times: number;
  /** Seconds. */
  readonly minDelay: number;
  /** Seconds. */
  readonly maxDelay: number;
}

/** The server hung up before it said who it is, as a busy sshd does (MaxStartups): it is there, and has time for us soon. */
export class DroppedError extends ConnectError {}

/** What may be a matter of time is tried again. Throws `ConnectError`, or the deadline's reason. */
export async function retrying<T>(
  connect: () => Promise<T>,
  { deadline, retry }: { readonly deadline: Deadline; readonly retry: Retry },
): Promise<T> {
  let last: ConnectError | undefined;
  for (let attempt = 1; ; attempt++) {
    try {
      return await connect();
    } catch (error) {
      // What it ran into tells more than what it would have waited for.
      if (last && deadline.signal.aborted && error instanceof ConnectError)
        throw tried(
          attempt,
          new ConnectError(`${error.message}, after: ${last.message}`, {
            ...details(error),
            cause: last,
            retryable: true,
          }),
        );
      if (!(error instanceof ConnectError) || !error.retryable) throw error;
      const isWorthIt = error instanceof DroppedError || attempt <= retry.times;
      const delay = backOff(attempt, { first: retry.minDelay * 1000, most: retry.maxDelay * 1000 });
      if (!isWorthIt || delay >= deadline.left) throw tried(attempt, error);
      last = error;
      deadline.phase = `the next try, after: ${error.message}`;
      await pause(delay, deadline.signal);
    }
  }
}

const tried = (times: number, error: ConnectError): ConnectError =>
  times === 1
    ? error
    : new ConnectError(`${error.message} (tried ${times} times)`, {
        ...details(error),
        cause: error.cause,
        retryable: true,
      });
const details = ({ host, hint }: ConnectError) => ({
  ...(host === undefined ? {} : { host }),
  ...(hint === undefined ? {} : { hint }),
});
