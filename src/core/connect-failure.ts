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
export const MOST_BEFORE = 1024 * 1024;

/** A host on which something prints and prints, and does not come to the command. */
export const tooMuchBefore = (host: string, most: number = MOST_BEFORE): ConnectError =>
  new ConnectError(`${host} printed more than ${most / 1024} KiB before it said that the command had begun`, {
    host,
    hint: "Look at what the start-up files of that user's shell print (.profile, .bashrc), and whatever leads there. Whether the command ran is not known",
  });

/** A command that began, and whose end never came: whatever exit code was told in its place, that was not its own. */
export const cutOff = (host: string, exitCode?: number): OperationError =>
  new OperationError(
    `The command was cut off on ${host}${exitCode === undefined ? "" : ` (exit code ${exitCode})`}: its state is unknown`,
    {
      host,
      hint: "Something between here and there ended it early: the login shell, ForceCommand, sudo or su, a limit, a signal to all that it belongs to",
    },
  );

/** What carries a command changes what passes: nothing that is read there can be believed. `who` may be the login shell, or sudo. */
export const garbled = (host: string, who: string, how: Garbling): OperationError =>
  new OperationError(`${who} on ${host} ${GARBLINGS[how]}`, {
    host,
    hint: "The command may have run. Commands need a way that passes both of their outputs on as they are: look for a terminal, a recorder or a filter in it",
  });

/** In which way. */
export type Garbling = keyof typeof GARBLINGS;
const GARBLINGS = {
  mixed: "mixes the two outputs of commands into one, or closes one of them",
  changed: "changes what commands print",
} as const;
