/** What a connector throws, as one error that says whose connection failed and why. @module */
import { ConnectError, OperationError, TsinfraError } from "./errors.ts";
import { limitReached } from "./limits.ts";

/**
 * Anything that is no error of ours becomes a `ConnectError`; so does what a command says that connecting needed.
 * `thrower` is named where the error is a mistake in a program.
 */
export function connectFailure(error: unknown, host: string, thrower = "this program"): TsinfraError {
  const limit = limitFailure(error, host);
  if (limit) return limit;
  if (error instanceof OperationError) {
    const { message, hint } = error;
    return new ConnectError(`${host} cannot be connected to: ${message}`, {
      host,
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  if (error instanceof TsinfraError) {
    error.host ??= host;
    return error;
  }
  // A plain `Error` speaks to people; the others say what a program did wrong.
  const isPlain = error instanceof Error && error.name === "Error" && error.message !== "";
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new ConnectError(`${host} cannot be connected to: ${isPlain ? error.message : `${thrower} threw ${what}`}`, {
    host,
    cause: error,
  });
}

/** The same for a limit of the machine, which leaves room again when others are through; `undefined` for any other error. */
export function limitFailure(error: unknown, host: string): ConnectError | undefined {
  const limit = limitReached(error);
  return (
    limit &&
    new ConnectError(`${host} cannot be connected to: ${limit.message}`, {
      host,
      cause: error,
      retryable: true,
      hint: limit.hint,
    })
  );
}

/** Bytes that may come from a host before a command says that it has begun: what start-up files and sudo have to say. */
export const MOST_BEFORE = 256 * 1024;

/** A host on which something prints and prints, and does not come to the command. */
export const tooMuchBefore = (host: string, most: number = MOST_BEFORE): ConnectError =>
  new ConnectError(`${host} printed more than ${most / 1024} KiB before the command began`, {
    host,
    hint: "Look at what the start-up files of that user's shell print (.profile, .bashrc), and whatever leads there",
  });
