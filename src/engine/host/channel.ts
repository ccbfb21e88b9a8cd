/** One command in a channel of its own, as whoever it is to run as. @module */
import { unlessAborted } from "../../core/abort.ts";
import type { Shell } from "../../core/command.ts";
import type { Connection, RunResult } from "../../core/connector.ts";
import { CarrierError, CommandTimeoutError, ConnectionLostError } from "../../core/errors.ts";
import { ChannelOutput } from "./channel-output.ts";
import { endOnHost, type HowEnded } from "./end-on-host.ts";
import { escalate, isEscalated, lineBytes, LONGEST_LINE } from "./escalation.ts";
import { throughFile } from "./scripts.ts";
import type { CommandOptions, Ran } from "./sending.ts";
import { BECOMING_MS, newNonce, PASSWORD_DEADLINE_MS, withPreamble } from "./streams.ts";
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

  let running: Promise<RunResult> | undefined;
  let ending: { readonly reason: unknown; readonly how: Promise<HowEnded> } | undefined;
  const killed = async (isAttached: boolean): Promise<HowEnded> =>
    output.pid === undefined ? "unknown" : endOnHost(connection, output.pid, surroundings, isAttached);
  // As long as it is attached its processes are found; when the connection has let it go, those whose parents ended with it are not.
  const callOff = async (reason: unknown): Promise<HowEnded> => {
    const how = await killed(true);
    if (how === "gone") await settles(reason);
    abort.abort(reason);
    return how;
  };
  // What ended by itself has its result on the way, unless something that it left behind holds its output.
  const settles = async (reason: unknown): Promise<void> => {
    // A person may keep the output waiting; who interrupts the run does not.
    if (reason instanceof CommandTimeoutError) await unlessAborted(output.taken, signal).catch(() => undefined);
    await unlessAborted(running!, AbortSignal.timeout(RESULT_DEADLINE_MS)).catch(() => undefined);
  };
  const end = (reason: unknown): void => {
    ending ??= { reason, how: callOff(reason) };
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
    running = connection.run(staged ? throughFile(line, staged) : line, {
      ...(preamble.length > 0 || stdin ? { stdin: withPreamble(output.preamble, stdin) } : {}),
      ...(pty ? { pty: true } : {}),
      signal: abort.signal,
      capture: false,
      onOutput: (stream, chunk) => output.push(stream, chunk),
    });
    await running.catch(() => undefined);
    // What had ended before anybody could end it ended as it tells.
    if (ending && !abort.signal.aborted && (await ending.how) === "gone") ending = undefined;
    const ran = await running;
    if (ending) throw ending.reason;
    return output.ran(ran);
  } catch (thrown) {
    // What carries it may call its end by another name.
    const error = ending && !(thrown instanceof ConnectionLostError) ? ending.reason : thrown;
    if (error instanceof CommandTimeoutError) Object.assign(error, output.printed);
    if (!(error instanceof ConnectionLostError) && ending) {
      const hasBegun = output.pid !== undefined;
      const how = await ending.how;
      // Where it could not even be tried beside the command, perhaps it can now.
      const isEnded = (how === "unknown" ? await killed(false) : how) === "ended";
      if (!isEnded && scripted) options.onLeft?.();
      if (!isEnded && scripted && error instanceof CommandTimeoutError)
        stillRunning(
          error,
          how === "gone"
            ? "Something that it left behind holds its output"
            : hasBegun
              ? "It could not be ended"
              : "It did not say that it had begun",
        );
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

/** The result of what has ended has so many milliseconds to arrive. */
const RESULT_DEADLINE_MS = 2_000;
