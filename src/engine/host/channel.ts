/** One command in a channel of its own, as whoever it is to run as. @module */
import type { Shell } from "../../core/command.ts";
import { cutOff, garbled, tooMuchBefore, unheard } from "../../core/connect-failure.ts";
import type { Connection, OutputStream } from "../../core/connector.ts";
import { KeptOutput } from "../../core/output.ts";
import { CarrierError, CommandTimeoutError, ConnectionLostError } from "../../core/errors.ts";
import { escalate, isEscalated, lineBytes, LONGEST_LINE, type Surroundings } from "./escalation.ts";
import { asString } from "./fact-output.ts";
import { killTree, throughFile } from "./scripts.ts";
import type { CommandOptions, Ran } from "./sending.ts";
import { milliseconds } from "./time-limit.ts";
import {
  EndMark,
  lastLine,
  Mark,
  MOST_BESIDE,
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
  const { line, preamble, passwords, typed } = escalate(command, surroundings, nonce, { pty, tellsEnd });
  refuseLong(line, options);
  const way = tellsEnd ? "What becomes another user (sudo, su, doas)" : (connection.way ?? "The login shell");
  const mark = new Mark(nonce, host);
  const end = new EndMark(nonce);
  const marked: OutputStream = options.pty ? "stdout" : "stderr";
  const kept = { stdout: new KeptOutput(options.keep), stderr: new KeptOutput(options.keep) };
  let beside = 0;
  const abort = new AbortController();
  const ready = Promise.withResolvers<void>();
  const prompted = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<boolean>();
  if (!typed) ready.resolve();
  const unprompted = passwords - (typed?.prompts ?? 0);
  const parts = [
    { lines: preamble.slice(0, unprompted), after: ready.promise },
    { lines: preamble.slice(unprompted, passwords), after: prompted.promise },
    { lines: preamble.slice(passwords), after: passwords > 0 ? begun.promise : ready.promise },
  ];
  const take = (stream: OutputStream, chunk: Uint8Array): void | Promise<void> => {
    // What ends it may have its shell say so.
    if (chunk.length === 0 || abort.signal.aborted) return;
    kept[stream].add(chunk);
    return options.onOutput?.(stream, chunk, index);
  };
  const own = (chunk: Uint8Array): Uint8Array => {
    const printed = tellsEnd ? end.push(chunk) : chunk;
    if (tellsEnd && repeatsMark(printed, nonce)) throw garbled(host, way, "changed");
    return printed;
  };
  const onOutput = (stream: OutputStream, chunk: Uint8Array): void | Promise<void> => {
    if (!scripted || (mark.pid !== undefined && stream !== marked)) return take(stream, chunk);
    if (mark.pid !== undefined) return take(stream, own(chunk));
    if (stream !== marked) {
      if (repeatsMark(chunk, nonce)) throw garbled(host, way, "mixed");
      if ((beside += chunk.length) > MOST_BESIDE) throw tooMuchBefore(host, MOST_BESIDE);
      return take(stream, chunk);
    }
    const rest = mark.push(chunk);
    if (typed && mark.sawBefore(typed.readyLine)) ready.resolve();
    if (typed && mark.sawPromptAfter(typed.readyLine)) prompted.resolve();
    if (mark.pid !== undefined) begun.resolve(true);
    else if (passwords > 0 && mark.saw(REFUSED)) begun.resolve(false);
    if (mark.pid === undefined) return;
    if (mark.endsInReturn && !pty) throw garbled(host, way, "changed");
    return take(stream, own(rest));
  };

  const onAbort = (): void => abort.abort(options.signal.reason);
  options.signal.throwIfAborted();
  options.signal.addEventListener("abort", onAbort, { once: true });
  options.onTurn?.();
  // A password that is refused would be asked for again, without end.
  const patience = passwords > 0 ? setTimeout(() => begun.resolve(false), PASSWORD_DEADLINE_MS) : undefined;
  const timer = !options.timeout
    ? undefined
    : setTimeout(
        () =>
          abort.abort(new CommandTimeoutError(`Command timed out after ${options.timeout} s: ${command}`, { host })),
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
    const started = !scripted || mark.pid !== undefined;
    if (!started && !saysWhy(mark.before, kept.stdout.bytes())) throw unheard(host, way, result.exitCode);
    if (started && tellsEnd && end.exitCode === undefined) throw cutOff(host, result.exitCode);
    return {
      exitCode: end.exitCode ?? result.exitCode,
      stdout: kept.stdout.bytes(),
      stderr: kept.stderr.bytes(),
      isCut: kept.stdout.isCut || kept.stderr.isCut,
      started,
      // nologin and its like say on stdout why nothing begins.
      ...(started ? {} : { stderr: lastLine(mark.before) === "" ? kept.stdout.bytes() : mark.before }),
    };
  } catch (error) {
    if (error instanceof CommandTimeoutError)
      Object.assign(error, {
        stdout: asString(kept.stdout.bytes()),
        stderr: asString(kept.stderr.bytes()),
        isCut: kept.stdout.isCut || kept.stderr.isCut,
      });
    if (!(error instanceof ConnectionLostError) && abort.signal.aborted && mark.pid !== undefined)
      if (!(await endOnHost(connection, mark.pid, options.surroundings)) && error instanceof CommandTimeoutError) {
        error.mayStillRun = true;
        error.message += ". It could not be ended, and may still run there";
      }
    throw error;
  } finally {
    clearTimeout(timer);
    clearTimeout(patience);
    options.signal.removeEventListener("abort", onAbort);
  }
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
 * End a process of the host and its descendants, as whoever it runs as: the connection may not be allowed to. True if it is gone. Never rejects.
 * That user's login is not needed for it, and a login shell would expand what is for the shell inside.
 */
export async function endOnHost(connection: Connection, pid: number, surroundings: Surroundings): Promise<boolean> {
  const { sudo, ...others } = surroundings;
  const plain = { ...others, ...(sudo ? { sudo: { ...sudo, login: false } } : {}), chdir: undefined, env: {} };
  const { line, preamble } = escalate(killTree(pid), plain, newNonce());
  try {
    const { exitCode } = await connection.run(line, {
      ...(preamble.length > 0 ? { stdin: preambleBytes(preamble) } : {}),
      signal: AbortSignal.timeout(KILL_DEADLINE_MS),
      capture: false,
    });
    return exitCode === 0;
  } catch {
    return false;
  }
}
const KILL_DEADLINE_MS = 10_000;

function newNonce(): string {
  return `tsinfra-${crypto.randomUUID().replaceAll("-", "")}`;
}
