/** Running commands and moving files on one host, over whatever connection it has. @module */
import { type Secret, Secret as SecretValue, sh, type Shell, type UploadSource } from "../core/command.ts";
import type { Connection, ConnectorContext, Input, OutputStream, RunResult } from "../core/connector.ts";
import { CommandTimeoutError, ConnectionLostError, OperationError, TsinfraError } from "../core/errors.ts";
import { escalate, type Surroundings } from "./escalate.ts";
import { downloadCommand, killTree, uploadCommand, type UploadAttributes } from "./scripts.ts";

/** The password for sudo or su was refused. The host is not asked again: a second try could lock the account. */
export class EscalationError extends TsinfraError {
  readonly code = "E_ESCALATION";
}

/** How one command is run. */
export interface SessionRunOptions {
  readonly surroundings: Surroundings;
  readonly stdin?: Input;
  readonly pty?: boolean;
  /** Seconds. */
  readonly timeout?: number;
  readonly signal: AbortSignal;
  readonly onOutput?: (stream: OutputStream, chunk: Uint8Array) => void;
  readonly capture?: boolean;
}

/** Reading and writing the control machine's files in pieces. */
export interface LocalTransfers {
  /** Bytes of a file. */
  size(path: string): Promise<number>;
  read(path: string): AsyncIterable<Uint8Array>;
  /** A sink that replaces the file when `commit` is called and leaves it alone when `discard` is. */
  write(path: string): Promise<{ push(chunk: Uint8Array): void; commit(): Promise<void>; discard(): Promise<void> }>;
}

/** What a session needs from outside. */
export interface SessionSettings {
  readonly host: string;
  /** Make a connection within `timeout` seconds (default: as configured); called again after one was lost. */
  readonly connect: (timeout?: number) => Promise<Connection>;
  readonly context: ConnectorContext;
  readonly transfers: LocalTransfers;
  readonly onTransfer: (direction: "upload" | "download", path: string, bytes: number, total?: number) => void;
}

/** One host's connection: opened when first needed, and again after it was lost. */
export class Session {
  readonly #settings: SessionSettings;
  #connection: Promise<Connection> | undefined;
  /** Passwords that sudo accepted, by the user they are for; verified once. */
  readonly #verified = new Map<string, Promise<void>>();
  #sudoPassword: Promise<Secret | undefined> | undefined;
  /** Hosts where sudo asks: known after the first refusal. */
  #sudoAsks = false;

  constructor(settings: SessionSettings) {
    this.#settings = settings;
  }

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  /** Connect, unless it is. Throws `ConnectError`. */
  async connect(timeout?: number): Promise<void> {
    this.#connection ??= this.#settings.connect(timeout).catch(error => {
      this.#connection = undefined;
      throw error;
    });
    await this.#connection;
  }

  async disconnect(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    this.#connection = undefined;
    this.#verified.clear();
    await connection?.close();
  }

  /** Run a command and return how it ended, whatever its exit code. */
  async run(command: Shell, options: SessionRunOptions): Promise<RunResult> {
    let surroundings = options.surroundings;
    if (surroundings.sudo && !surroundings.sudo.password && this.#sudoAsks) surroundings = await this.#withSudoPassword(surroundings);
    await this.#verify(surroundings, options.signal);
    const attempt = await this.#attempt(command, { ...options, surroundings });
    if (attempt.started || !surroundings.sudo || surroundings.sudo.password || !ASKS_PASSWORD.test(text(attempt.stderr))) return attempt;
    // The command has not run: sudo wants a password first.
    this.#sudoAsks = true;
    const withPassword = await this.#withSudoPassword(surroundings);
    if (!withPassword.sudo?.password) return attempt;
    await this.#verify(withPassword, options.signal);
    return this.#attempt(command, { ...options, surroundings: withPassword });
  }

  /** Copy a file to the host, atomically. Throws when the host refuses; an old file is then still whole. */
  async upload(source: UploadSource, dest: string, attributes: UploadAttributes, options: SessionRunOptions): Promise<void> {
    const { transfers, onTransfer, host } = this.#settings;
    const content = "path" in source ? undefined : bytes(source.content);
    const size = content ? content.length : await transfers.size((source as { path: string }).path);
    const chunks = content ? slices(content) : transfers.read((source as { path: string }).path);
    const stdin = counted(chunks, sent => onTransfer("upload", dest, sent, size));
    const result = await this.run(uploadCommand(dest, size, attributes), { ...options, stdin });
    if (result.exitCode !== 0) throw new OperationError(`Cannot upload to "${dest}": ${lastLine(result.stderr)}`, { host });
  }

  /** Copy a file of the host to the control machine, where it replaces `dest` when it is complete. */
  async download(src: string, dest: string, options: SessionRunOptions): Promise<void> {
    const { transfers, onTransfer, host } = this.#settings;
    const sink = await transfers.write(dest);
    let received = 0;
    try {
      const result = await this.run(downloadCommand(src), {
        ...options,
        capture: false,
        onOutput: (stream, chunk) => {
          if (stream === "stderr") return;
          sink.push(chunk);
          onTransfer("download", src, (received += chunk.length));
        },
      });
      if (result.exitCode !== 0) throw new OperationError(`Cannot download "${src}": ${lastLine(result.stderr)}`, { host });
    } catch (error) {
      await sink.discard();
      throw error;
    }
    await sink.commit();
  }

  async rsync(src: string, dest: string, flags: readonly string[], options: SessionRunOptions): Promise<RunResult> {
    const connection = await this.#open();
    if (!connection.rsync) {
      throw new OperationError(`This connector cannot rsync: use files.sync`, { host: this.#settings.host });
    }
    return connection.rsync(src, dest, flags, { signal: options.signal, ...(options.onOutput ? { onOutput: options.onOutput } : {}) });
  }

  async #open(): Promise<Connection> {
    await this.connect();
    return this.#connection!;
  }

  /** Run once, as told; `started` is false if the escalation refused before the command began. */
  async #attempt(command: Shell, options: SessionRunOptions): Promise<RunResult & { readonly started: boolean }> {
    const { host } = this.#settings;
    const connection = await this.#open();
    const nonce = newNonce();
    const { line, preamble, readyLine } = escalate(command, options.surroundings, nonce, options.pty);
    const scripted = options.surroundings.shell !== false;
    const mark = new Mark(nonce);
    const marked: OutputStream = options.pty ? "stdout" : "stderr";
    const ready = readyLine === undefined ? undefined : Promise.withResolvers<void>();

    const abort = new AbortController();
    const onAbort = (): void => abort.abort(options.signal.reason);
    options.signal.throwIfAborted();
    options.signal.addEventListener("abort", onAbort, { once: true });
    const timer =
      options.timeout === undefined
        ? undefined
        : setTimeout(
            () => abort.abort(new CommandTimeoutError(`Command timed out after ${options.timeout} s: ${command}`, { host })),
            options.timeout * 1000,
          );
    try {
      const result = await connection.run(line, {
        ...(preamble.length > 0 || options.stdin ? { stdin: withPreamble(preamble, ready?.promise, options.stdin) } : {}),
        ...(options.pty ? { pty: true } : {}),
        signal: abort.signal,
        capture: options.capture ?? true,
        onOutput: (stream, chunk) => {
          if (!scripted || stream !== marked) return options.onOutput?.(stream, chunk);
          const rest = mark.push(chunk);
          if (ready && mark.sawBefore(readyLine!)) ready.resolve();
          if (rest.length > 0) options.onOutput?.(stream, rest);
        },
      });
      if (!scripted) return { ...result, started: true };
      const output = mark.pid === undefined ? mark.before : mark.strip(result[marked]);
      return { ...result, [marked]: options.capture === false && mark.pid !== undefined ? result[marked] : output, started: mark.pid !== undefined };
    } catch (error) {
      if (error instanceof ConnectionLostError) this.#connection = undefined;
      else if (abort.signal.aborted && mark.pid !== undefined) await this.#kill(mark.pid, options.surroundings);
      throw error;
    } finally {
      clearTimeout(timer);
      options.signal.removeEventListener("abort", onAbort);
    }
  }

  /** End a process and its descendants, as whoever it runs as: the connection may not be allowed to. */
  async #kill(pid: number, surroundings: Surroundings): Promise<void> {
    const { line, preamble } = escalate(killTree(pid), { ...surroundings, chdir: undefined, env: {} }, newNonce());
    const connection = await this.#connection?.catch(() => undefined);
    await connection
      ?.run(line, {
        ...(preamble.length > 0 ? { stdin: withPreamble(preamble, undefined, undefined) } : {}),
        signal: AbortSignal.timeout(KILL_DEADLINE_MS),
      })
      .catch(() => undefined);
  }

  /** Try a password before the first command that needs it: a wrong one must not be offered again and again. */
  #verify(surroundings: Surroundings, signal: AbortSignal): Promise<void> {
    const { sudo, su } = surroundings;
    if (!sudo?.password && !su?.password) return DONE;
    const key = `${sudo?.user ?? "root"} ${su?.user ?? ""} ${sudo?.password?.reveal() ?? ""} ${su?.password?.reveal() ?? ""}`;
    let verified = this.#verified.get(key);
    if (!verified) {
      verified = this.#attempt(sh`true`, { surroundings: { ...surroundings, chdir: undefined, env: {} }, signal }).then(result => {
        if (result.started && result.exitCode === 0) return;
        const program = sudo?.password ? "sudo" : "su";
        throw new EscalationError(`The password for ${program} was refused: ${lastLine(result.stderr)}`, { host: this.#settings.host });
      });
      this.#verified.set(key, verified);
    }
    return verified;
  }

  async #withSudoPassword(surroundings: Surroundings): Promise<Surroundings> {
    this.#sudoPassword ??= this.#settings.context.ask({ key: "sudo", kind: "secret", text: "Password for sudo" });
    const password = await this.#sudoPassword;
    return password && surroundings.sudo ? { ...surroundings, sudo: { ...surroundings.sudo, password } } : surroundings;
  }
}

const DONE = Promise.resolve();
const KILL_DEADLINE_MS = 10_000;
const ASKS_PASSWORD = /password is required|terminal is required|no tty present|interactive authentication is required/i;

function newNonce(): string {
  return `tsinfra-${crypto.randomUUID().replaceAll("-", "")}`;
}

/** Finds the line `NONCE PID` in a stream and takes it, and all before it, out. */
class Mark {
  readonly #start: string;
  #head = "";
  before: Uint8Array = new Uint8Array();
  pid: number | undefined;
  #skip = 0;

  constructor(nonce: string) {
    this.#start = `${nonce} `;
  }

  /** What of this chunk belongs to the command. */
  push(chunk: Uint8Array): Uint8Array {
    if (this.pid !== undefined) return chunk;
    const seen = this.before.length === 0 ? chunk : concat(this.before, chunk);
    this.before = seen;
    this.#head = Buffer.from(seen).toString("latin1");
    const found = MARK_LINE(this.#start).exec(this.#head);
    if (!found) return new Uint8Array();
    this.pid = Number(found[1]);
    this.#skip = found.index + found[0].length;
    return seen.subarray(this.#skip);
  }

  sawBefore(line: string): boolean {
    return this.#head.includes(line);
  }

  strip(output: Uint8Array): Uint8Array {
    return output.subarray(this.#skip);
  }
}
const MARK_LINE = (start: string): RegExp => new RegExp(`${start}(\\d+)\\r?\\n`);

async function* withPreamble(lines: readonly (string | Secret)[], ready: Promise<void> | undefined, rest: Input | undefined): AsyncGenerator<Uint8Array> {
  await ready;
  if (lines.length > 0) {
    yield Buffer.from(lines.map(line => `${line instanceof SecretValue ? line.reveal() : line}\n`).join(""));
  }
  if (rest instanceof Uint8Array) yield rest;
  else if (rest) yield* rest;
}

async function* counted(chunks: AsyncIterable<Uint8Array>, onBytes: (sent: number) => void): AsyncGenerator<Uint8Array> {
  let sent = 0;
  for await (const chunk of chunks) {
    yield chunk;
    onBytes((sent += chunk.length));
  }
}

async function* slices(content: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += SLICE) yield content.subarray(at, at + SLICE);
}
const SLICE = 256 * 1024;

function bytes(content: string | Uint8Array | Secret): Uint8Array {
  if (content instanceof Uint8Array) return content;
  return Buffer.from(typeof content === "string" ? content : content.reveal());
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  return Buffer.concat([a, b]);
}

const text = (output: Uint8Array): string => Buffer.from(output).toString();
const lastLine = (output: Uint8Array): string => text(output).trim().split("\n").at(-1) || "no reason was given";
