/** Trying to connect again, where that may help. @module */
import { limitFailure } from "../../core/connect-failure.ts";
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

/** The server hung up before it said who it is, as a busy sshd does (MaxStartups): it is there, and has time for us soon. See `Door`. */
export class DroppedError extends ConnectError {}

/** What ssh says when that has happened to it. */
export const saysDropped = (said: string): boolean =>
  /kex_exchange_identification|closed by remote host|Connection reset by peer/i.test(said);

/** What may be a matter of time is tried again, unless it is a matter of how many come at once. Throws `ConnectError`, or the deadline's reason. */
export async function retrying<T>(
  connect: () => Promise<T>,
  { host, deadline, retry }: { readonly host: string; readonly deadline: Deadline; readonly retry: Retry },
): Promise<T> {
  let last: ConnectError | undefined;
  for (let attempt = 1; ; attempt++) {
    try {
      return await connect();
    } catch (caught) {
      const error = limitFailure(caught, host) ?? caught;
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
      if (!(error instanceof ConnectError) || !error.retryable || error instanceof DroppedError) throw error;
      const delay = backOff(attempt, { first: retry.minDelay * 1000, most: retry.maxDelay * 1000 });
      if (attempt > retry.times || delay >= deadline.left) throw tried(attempt, error);
      last = error;
      deadline.phase = `the next try, after: ${error.message}`;
      await pause(delay, deadline.signal);
    }
  }
}

/** The error, and how often it came. */
export const tried = (times: number, error: ConnectError, more = ""): ConnectError =>
  times === 1
    ? error
    : new ConnectError(`${error.message} (tried ${times} times${more})`, {
        ...details(error),
        cause: error.cause,
        retryable: true,
      });
const details = ({ host, hint }: ConnectError) => ({
  ...(host === undefined ? {} : { host }),
  ...(hint === undefined ? {} : { hint }),
});
