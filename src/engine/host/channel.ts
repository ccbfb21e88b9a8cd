/** One command in a channel of its own, as whoever it is to run as. @module */
import type { Shell } from "../../core/command.ts";
import { cutOff, garbled, swallowed, tooSlow, unanswered, unheard } from "../../core/connect-failure.ts";
import type { Connection, OutputStream } from "../../core/connector.ts";
import { KeptOutput } from "../../core/output.ts";
import { CarrierError, CommandTimeoutError, ConnectionLostError } from "../../core/errors.ts";
import { escalate, isEscalated, lineBytes, LONGEST_LINE, outputMark, type Surroundings } from "./escalation.ts";
import { asString } from "./fact-output.ts";
import { killTree, STILL_THERE, throughFile } from "./scripts.ts";
import type { CommandOptions, Ran } from "./sending.ts";
import { milliseconds } from "./time-limit.ts";
import {
  EndMark,
  lastLine,
  Mark,
  BECOMING_MS,
  PASSWORD_DEADLINE_MS,
  preambleBytes,
  REFUSED,
  repeatsMark,
  saysWhy,
  withPreamble,
} from "./streams.ts";

/** What running a command needs beside the connection. */
export interface ChannelOptions extends CommandOptions {
  readonly host: string;
  /** Which of the commands of `onOutput` it is. */
  readonly index?: number;
}

/** Run a command. Rejects with `ConnectionLostError`, `CommandTimeoutError`, or the signal's reason; what it started on the host is ended then. */
export async function runInChannel(connection: Connection, command: Shell, options: ChannelOptions): Promise<Ran> {
  const { host, index = 0 } = options;
  const nonce = newNonce();
  const { pty = false, surroundings } = options;
  const scripted = surroundings.shell !== false;
  // What the connection says of the end is true, but not what comes between it and the command.
  const tellsEnd = scripted && isEscalated(surroundings);
  // A file that the output goes to is marked by nobody.
  const marksOutput = !pty && !(options.staged && "output" in options.staged);
  const { line, preamble, passwords, typed } = escalate(command, surroundings, nonce, { pty, tellsEnd, marksOutput });
  refuseLong(line, options);
  const way = tellsEnd ? "What becomes another user (sudo, su, doas)" : (connection.way ?? "The login shell");
  const mark = new Mark(nonce, host);
  const endMark = new EndMark(nonce);
  const output = scripted && marksOutput ? new Mark(outputMark(nonce), host) : undefined;
  const outputEnd = new EndMark(outputMark(nonce), { isLast: true });
  const marked: OutputStream = options.pty ? "stdout" : "stderr";
  const kept = { stdout: new KeptOutput(options.keep), stderr: new KeptOutput(options.keep) };
  const abort = new AbortController();
  const ready = Promise.withResolvers<void>();
  const prompted = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<boolean>();
  if (!typed) ready.resolve();
  const unprompted = passwords - (typed?.prompts ?? 0);
  const parts = [
    { lines: preamble.slice(0, unprompted), after: ready.promise },
    { lines: preamble.slice(unprompted, passwords), after: prompted.promise },
    // Start-up files may read what comes before that.
    { lines: preamble.slice(passwords), after: begun.promise },
  ];
  let ending: { readonly reason: unknown; readonly isEnded: Promise<boolean | undefined> } | undefined;
  const late: (readonly [stream: OutputStream, chunk: Uint8Array])[] = [];
  let lateBytes = 0;
  const take = (stream: OutputStream, chunk: Uint8Array): void | Promise<void> => {
    if (chunk.length === 0 || abort.signal.aborted) return;
    if (ending) return takeLate(stream, chunk, ending.isEnded);
    kept[stream].add(chunk);
    return options.onOutput?.(stream, chunk, index);
  };
  // What ends it may have its shell say so; what ends by itself first is heard to its end.
  const takeLate = (stream: OutputStream, chunk: Uint8Array, isEnded: Promise<unknown>): void | Promise<void> => {
    if ((lateBytes += chunk.length) > LATE_BYTES) return isEnded.then(() => undefined);
    late.push([stream, chunk]);
  };
  const own = (chunk: Uint8Array): Uint8Array => {
    const printed = endMark.push(chunk);
    if (tellsEnd && repeatsMark(printed, nonce)) throw garbled(host, way, "changed");
    return printed;
  };
  const ownOutput = (chunk: Uint8Array): Uint8Array => {
    if (mark.pid === undefined && repeatsMark(chunk, nonce)) throw garbled(host, way, "mixed");
    if (!output) return chunk;
    const printed = output.push(chunk);
    if (output.endsInReturn) throw garbled(host, way, "changed");
    return tellsEnd ? outputEnd.push(printed) : printed;
  };
  const onOutput = (stream: OutputStream, chunk: Uint8Array): void | Promise<void> => {
    if (!scripted) return take(stream, chunk);
    if (stream !== marked) return take(stream, ownOutput(chunk));
    if (mark.pid !== undefined) return take(stream, own(chunk));
    const rest = mark.push(chunk);
    if (typed && mark.sawBefore(typed.readyLine)) ready.resolve();
    if (typed && mark.sawPromptAfter(typed.readyLine)) prompted.resolve();
    if (mark.pid !== undefined) begun.resolve(true);
    else if (passwords > 0 && mark.saw(REFUSED)) begun.resolve(false);
    if (mark.pid === undefined) return;
    if (mark.endsInReturn && !pty) throw garbled(host, way, "changed");
    return take(stream, own(rest));
  };

  // As long as it is attached its processes are found; when the connection has let it go, those whose parents ended with it are not.
  const end = (reason: unknown): void => {
    ending ??= { reason, isEnded: ended().finally(() => abort.abort(reason)) };
  };
  const ended = async (isAttached = true): Promise<boolean | undefined> => {
    const pid = mark.pid ?? output?.pid;
    return pid === undefined ? undefined : endOnHost(connection, pid, options.surroundings, isAttached);
  };
  const onAbort = (): void => end(options.signal.reason);
  options.signal.throwIfAborted();
  options.signal.addEventListener("abort", onAbort, { once: true });
  options.onTurn?.();
  // A password that is refused would be asked for again, without end; so is one that nobody has given.
  let hasGivenUp = false;
  const giveUp = (): void => {
    hasGivenUp = true;
    begun.resolve(false);
    if (pty && mark.isUnfinished) abort.abort(unanswered(host, way, lastLine(mark.before)));
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
    const result = await connection.run(options.staged ? throughFile(line, options.staged) : line, {
      ...(preamble.length > 0 || options.stdin ? { stdin: withPreamble(parts, options.stdin) } : {}),
      ...(options.pty ? { pty: true } : {}),
      signal: abort.signal,
      capture: false,
      onOutput,
    });
    if (ending) {
      // What ends of a signal may have been ended by us, though nobody has heard so.
      const hasEndedItself = !abort.signal.aborted && (await ending.isEnded) === undefined && result.exitCode < 128;
      if (!hasEndedItself) throw ending.reason;
      for (const [stream, chunk] of late) {
        kept[stream].add(chunk);
        await options.onOutput?.(stream, chunk, index);
      }
    }
    const started = !scripted || mark.pid !== undefined;
    // nologin and its like say on stdout why nothing begins.
    const beside = output?.before ?? kept.stdout.bytes();
    if (!started && output?.pid !== undefined) throw garbled(host, way, "no stderr");
    if (!started && !saysWhy(mark.before, beside)) throw unheard(host, way, result.exitCode);
    if (endMark.isUnread) throw hasGivenUp ? tooSlow(host, way, BECOMING_MS / 1000) : swallowed(host, way);
    if (started && tellsEnd && endMark.exitCode === undefined) throw cutOff(host, result.exitCode);
    if (started && output?.pid === undefined && output) throw garbled(host, way, "no stdout");
    return {
      exitCode: endMark.exitCode ?? result.exitCode,
      stdout: kept.stdout.bytes(),
      stderr: kept.stderr.bytes(),
      isCut: kept.stdout.isCut || kept.stderr.isCut,
      started,
      ...(started ? {} : { stderr: lastLine(mark.before) === "" ? beside : mark.before }),
    };
  } catch (thrown) {
    // What carries it may call its end by another name.
    const error = ending && !(thrown instanceof ConnectionLostError) ? ending.reason : thrown;
    if (error instanceof CommandTimeoutError)
      Object.assign(error, {
        stdout: asString(kept.stdout.bytes()),
        stderr: asString(kept.stderr.bytes()),
        isCut: kept.stdout.isCut || kept.stderr.isCut,
      });
    if (!(error instanceof ConnectionLostError) && ending) {
      // Where it could not even be tried beside the command, perhaps it can now.
      const isEnded = (await ending.isEnded) ?? (await ended(false));
      const hasBegun = (mark.pid ?? output?.pid) !== undefined;
      if (!isEnded && scripted) options.onLeft?.();
      if (!isEnded && scripted && error instanceof CommandTimeoutError)
        stillRunning(error, hasBegun ? "It could not be ended" : "It did not say that it had begun");
    }
    throw error;
  } finally {
    clearTimeout(timer);
    clearTimeout(patience);
    options.signal.removeEventListener("abort", onAbort);
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
/** What is kept of a command while it is being ended; the rest waits for that. */
const LATE_BYTES = 1_000_000;

function newNonce(): string {
  return `tsinfra-${crypto.randomUUID().replaceAll("-", "")}`;
}
