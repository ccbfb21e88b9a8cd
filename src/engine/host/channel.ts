/** One command in a channel of its own, as whoever it is to run as. @module */
import type { Shell } from "../../core/command.ts";
import type { Connection } from "../../core/connector.ts";
import { CarrierError, CommandTimeoutError, ConnectionLostError } from "../../core/errors.ts";
import { ChannelOutput } from "./channel-output.ts";
import { escalate, isEscalated, lineBytes, LONGEST_LINE, type Surroundings } from "./escalation.ts";
import { killTree, STILL_THERE, throughFile } from "./scripts.ts";
import type { CommandOptions, Ran } from "./sending.ts";
import { BECOMING_MS, PASSWORD_DEADLINE_MS, preambleBytes, withPreamble } from "./streams.ts";
import { milliseconds } from "./time-limit.ts";

/** What running a command needs beside the connection. */
export interface ChannelOptions extends CommandOptions {
  readonly host: string;
  /** Which of the commands of `onOutput` it is. */
  readonly index?: number;
}

/** Run a command. Rejects with `ConnectionLostError`, `CommandTimeoutError`, or the signal's reason; what it started on the host is ended then. */
export async function runInChannel(connection: Connection, command: Shell, options: ChannelOptions): Promise<Ran> {
  const { host, index = 0, pty = false, surroundings, staged, signal, stdin } = options;
  const nonce = newNonce();
  const scripted = surroundings.shell !== false;
  // What the connection says of the end is true, but not what comes between it and the command.
  const tellsEnd = scripted && isEscalated(surroundings);
  // A file that the output goes to is marked by nobody.
  const marksOutput = !pty && !(staged && "output" in staged);
  const escalated = escalate(command, surroundings, nonce, { pty, tellsEnd, marksOutput });
  const { line, preamble, passwords } = escalated;
  refuseLong(line, options);
  const way = tellsEnd ? "What becomes another user (sudo, su, doas)" : (connection.way ?? "The login shell");
  const output = new ChannelOutput(
    { host, way, nonce, scripted, tellsEnd, marksOutput, escalated },
    options,
    (stream, chunk) => options.onOutput?.(stream, chunk, index),
  );
  const abort = new AbortController();
  abort.signal.addEventListener("abort", () => output.close());

  let ending: { readonly reason: unknown; readonly isEnded: Promise<boolean | undefined> } | undefined;
  const ended = async (isAttached: boolean): Promise<boolean | undefined> =>
    output.pid === undefined ? undefined : endOnHost(connection, output.pid, surroundings, isAttached);
  // As long as it is attached its processes are found; when the connection has let it go, those whose parents ended with it are not.
  const end = (reason: unknown): void => {
    if (ending) return;
    ending = { reason, isEnded: ended(true).finally(() => abort.abort(reason)) };
    output.hold(ending.isEnded);
  };
  const onAbort = (): void => end(signal.reason);
  signal.throwIfAborted();
  signal.addEventListener("abort", onAbort, { once: true });
  options.onTurn?.();
  const giveUp = (): void => {
    const unanswered = output.giveUp();
    if (unanswered) abort.abort(unanswered);
  };
  const patience =
    preamble.length > 0 || (pty && scripted)
      ? setTimeout(giveUp, passwords > 0 ? PASSWORD_DEADLINE_MS : BECOMING_MS)
      : undefined;
  const timer = !options.timeout
    ? undefined
    : setTimeout(
        () => end(new CommandTimeoutError(`Command timed out after ${options.timeout} s: ${command}`, { host })),
        milliseconds(options.timeout),
      );
  try {
    const result = await connection.run(staged ? throughFile(line, staged) : line, {
      ...(preamble.length > 0 || stdin ? { stdin: withPreamble(output.preamble, stdin) } : {}),
      ...(pty ? { pty: true } : {}),
      signal: abort.signal,
      capture: false,
      onOutput: (stream, chunk) => output.push(stream, chunk),
    });
    if (ending) {
      // What ends of a signal may have been ended by us, though nobody has heard so.
      const hasEndedItself = !abort.signal.aborted && (await ending.isEnded) === undefined && result.exitCode < 128;
      if (!hasEndedItself) throw ending.reason;
      await output.release();
    }
    return output.ran(result);
  } catch (thrown) {
    // What carries it may call its end by another name.
    const error = ending && !(thrown instanceof ConnectionLostError) ? ending.reason : thrown;
    if (error instanceof CommandTimeoutError) Object.assign(error, output.printed);
    if (!(error instanceof ConnectionLostError) && ending) {
      const hasBegun = output.pid !== undefined;
      // Where it could not even be tried beside the command, perhaps it can now.
      const isEnded = (await ending.isEnded) ?? (await ended(false));
      if (!isEnded && scripted) options.onLeft?.();
      if (!isEnded && scripted && error instanceof CommandTimeoutError)
        stillRunning(error, hasBegun ? "It could not be ended" : "It did not say that it had begun");
    }
    throw error;
  } finally {
    clearTimeout(timer);
    clearTimeout(patience);
    signal.removeEventListener("abort", onAbort);
  }
}

/** Say of a command that took too long that nobody knows whether it has ended: it is not tried again beside itself. */
export function stillRunning(error: CommandTimeoutError, why: string): void {
  error.mayStillRun = true;
  error.message += `. ${why}, and may still run there`;
}

/** What cannot be sent at all must not pass for a connection that was lost with the command. */
function refuseLong(line: Shell, { host, pty, surroundings }: ChannelOptions): void {
  const bytes = lineBytes(line, surroundings);
  if (bytes <= LONGEST_LINE) return;
  const where = pty ? "for a terminal" : "without a shell";
  throw new CarrierError(
    `A command of ${bytes} bytes is too long ${where} on ${host}, which takes no more than ${LONGEST_LINE} with its quotes: it was not sent`,
    { host, hint: pty ? "Leave out _getPty, or upload it as a script" : "Give it a shell, or upload it as a script" },
  );
}

/**
 * End a process of the host and its descendants, as whoever it runs as: the connection may not be allowed to. True if all are gone,
 * `undefined` if that could not be tried, or it was gone before. Never rejects.
 * That user's login is not needed for it, and a login shell would expand what is for the shell inside.
 */
export async function endOnHost(
  connection: Connection,
  pid: number,
  surroundings: Surroundings,
  isAttached: boolean,
): Promise<boolean | undefined> {
  const { sudo, ...others } = surroundings;
  const plain = { ...others, ...(sudo ? { sudo: { ...sudo, login: false } } : {}), chdir: undefined, env: {} };
  const { line, preamble } = escalate(killTree(pid, isAttached), plain, newNonce());
  try {
    const { exitCode } = await connection.run(line, {
      ...(preamble.length > 0 ? { stdin: preambleBytes(preamble) } : {}),
      signal: AbortSignal.timeout(KILL_DEADLINE_MS),
      capture: false,
    });
    // What has gone by itself, or with its connection, may have left others behind, which nobody finds any more.
    return exitCode === 0 ? true : exitCode === STILL_THERE ? false : undefined;
  } catch {
    return undefined;
  }
}
const KILL_DEADLINE_MS = 5_000;

function newNonce(): string {
  return `tsinfra-${crypto.randomUUID().replaceAll("-", "")}`;
}
