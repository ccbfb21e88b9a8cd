/** What a connector throws, as one error that says whose connection failed and why. @module */
import { CarrierError, ConnectError, ConnectionLostError, OperationError, TsinfraError } from "./errors.ts";
import { limitReached } from "./limits.ts";
import { thrownText } from "./thrown.ts";

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
  return new ConnectError(
    `${host} cannot be connected to: ${isPlain ? error.message : `${thrower} threw ${thrownText(error)}`}`,
    {
      host,
      cause: error,
    },
  );
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
  new ConnectError(
    `${host} printed more than ${most / 1024} KiB before it said that the command had begun: whether it ran is not known`,
    {
      host,
      hint: "Look at what the start-up files of that user's shell print (.profile, .bashrc), and whatever leads there",
    },
  );

/** A command of which nothing was heard, and nobody said why: it may have run, and what it said was lost. */
export const unheard = (host: string, who: string, exitCode: number): CarrierError =>
  new CarrierError(
    `${who} on ${host} ended (exit code ${exitCode}) and did not say that the command had begun: whether it ran is not known`,
    { host, hint: "Something between here and there ends early, or drops what is printed to stderr" },
  );

/** Somebody on the way has read what the command was to be made of: it did not run. */
export const swallowed = (host: string, who: string): CarrierError =>
  new CarrierError(`${who} on ${host} has read what was meant for the command, which did not run`, {
    host,
    hint: "Look for what reads its standard input in the start-up files of that user's shell (.profile, .bashrc), and whatever leads there",
  });

/** Nobody knows what kept the command from beginning; it was taken back. */
export const tooSlow = (host: string, who: string, seconds: number): CarrierError =>
  new CarrierError(`${who} on ${host} did not come to the command within ${seconds} s: it did not run`, {
    host,
    hint: "Look for what waits for an input or for a person there, in the start-up files of that user's shell as well",
  });

/** Somebody on the way asks a person for something before the command begins. */
export const unanswered = (host: string, who: string, question: string): CarrierError =>
  new CarrierError(`${who} on ${host} asks "${question}", and nobody answers: the command did not begin`, {
    host,
    hint: "Passwords are given with _sudoPassword and _suPassword",
  });

/** A way that never stops printing, between commands and around them. */
export const chattering = (host: string, who: string): CarrierError =>
  new CarrierError(`${who} on ${host} prints without end beside the commands: the state of the command is unknown`, {
    host,
    hint: "Look for something in its start-up files that was left running in the background",
  });

/** What was said in place of a command, perhaps by somebody who repeats what we sent, with secrets perhaps: only what comes before that. */
export function beforeOurWords(said: string, mark?: string): string {
  const text = said.replaceAll("\0", "").trim();
  const marked = mark === undefined ? -1 : text.indexOf(mark);
  const found = OUR_WORDS.exec(text)?.index ?? -1;
  const at = marked < 0 || found < 0 ? Math.max(marked, found) : Math.min(marked, found);
  if (at < 0) return text;
  const program = /(?:exec )?\/bin\/sh/.exec(text)?.index ?? at;
  const before = text.slice(0, Math.min(program, at));
  return before.trim() === "" ? "it echoes what it is sent" : `${before}…`;
}
/** How lines begin that are sent to shells. */
const OUR_WORDS =
  /(?:\S*sh -c\W+)?(?:(?:stty -echo; )?echo )?tsinfra-[0-9a-f]{32}|tsinfra_(?:\d|code|o\b)|if \[ \$tsinfra_|exec 3>&2|printf '(?:\\+00[12]|%s )/;

/** A command that began, and whose end never came: whatever exit code was told in its place, that was not its own. */
export const cutOff = (host: string, exitCode?: number): CarrierError =>
  new CarrierError(
    `The command was cut off on ${host}${exitCode === undefined ? "" : ` (exit code ${exitCode})`}: its state is unknown`,
    {
      host,
      hint: "Something between here and there ended it early: the login shell, ForceCommand, sudo or su, a limit, a signal to all that it belongs to",
    },
  );

/** What carries a command changes what passes: nothing that is read there can be believed. `who` may be the login shell, or sudo. */
export const garbled = (host: string, who: string, how: Garbling): CarrierError =>
  new CarrierError(`${who} on ${host} ${GARBLINGS[how]}: the state of the command is unknown`, {
    host,
    hint: "Commands need a way that passes both of their outputs on as they are: look for a terminal, a recorder or a filter in it",
  });

/** Both outputs have come before, and now one of them ends and the other does not: nobody mixes them, nothing arrives. */
export const stalled = (host: string): ConnectionLostError =>
  new ConnectionLostError(`The connection to ${host} stalled or was cut: the state of the command is unknown`, {
    host,
  });

/** In which way. */
export type Garbling = keyof typeof GARBLINGS;
const GARBLINGS = {
  mixed: "mixes the two outputs of commands, closes one of them or holds it back, or reads what is meant for them",
  changed: "changes what commands print",
  "no stdout": "drops stdout",
  "no stderr": "drops stderr",
  nothing: "drops, or holds back, what goes through it",
} as const;
