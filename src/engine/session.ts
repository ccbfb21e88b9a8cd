/** Running commands and moving files on one host, over whatever connection it has. @module */
import { type Secret, sh, type Shell, type UploadSource } from "../core/command.ts";
import type { Connection, ConnectorContext, Input, OutputStream, RunResult } from "../core/connector.ts";
import { CommandTimeoutError, ConnectionLostError, OperationError, TsinfraError } from "../core/errors.ts";
import { escalate, escalatedRsync, isEscalated, type Surroundings } from "./escalate.ts";
import { asText, bytes, counted, Mark, preambleBytes, slices, withPreamble } from "./streams.ts";
import { type Attempt, type Behind, canShareShell, SharedShells } from "./shared-shells.ts";
import { downloadCommand, killTree, throughFile, uploadCommand, type UploadAttributes } from "./scripts.ts";

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
  /** Chunks as they arrive, and which of the commands they are of. */
  readonly onOutput?: (stream: OutputStream, chunk: Uint8Array, index: number) => void;
  readonly capture?: boolean;
  /** The command is the engine's own and changes nothing of a shell but variables. */
  readonly isOurs?: boolean;
  /** In a channel of its own: for output that is long. */
  readonly alone?: boolean;
  /** A file of the user who is logged in that the command reads after its input, or writes its output to. */
  readonly staged?: { readonly input: string } | { readonly output: string };
  /** Called if what is sent from now on runs right behind these commands, in the same shell. */
  readonly onSent?: (behind: Behind) => void;
}

/** Reading and writing the control machine's files in pieces. */
export interface LocalTransfers {
  /** Bytes of a file. */
  size(path: string): Promise<number>;
  /** All of a file of at most that many bytes, else `undefined`. Many hosts that ask share one reading. */
  small(path: string, most: number): Promise<Uint8Array | undefined>;
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
  /** Commands share a shell that stays, small uploads ride in commands. */
  readonly fast: boolean;
  /** A shell ended by itself: what it ran last may have done anything. */
  readonly onShellEnded: () => void;
  readonly onTransfer: (direction: "upload" | "download", path: string, bytes: number, total?: number) => void;
}

/** One host's connection: opened when first needed, and again after it was lost. */
export class Session {
  readonly #settings: SessionSettings;
  #connection: Promise<Connection> | undefined;
  /** Passwords that were accepted; each is tried once before it is used. */
  readonly #verified = new Map<string, Promise<void>>();
  readonly #shells: SharedShells;
  #sudoPassword: Promise<Secret | undefined> | undefined;
  /** Known after the first refusal. */
  #sudoAsks = false;

  constructor(settings: SessionSettings) {
    this.#settings = settings;
    this.#shells = new SharedShells({
      connection: () => this.#open(),
      kill: (pid, surroundings) => this.#kill(pid, surroundings),
      onEnded: settings.onShellEnded,
      onLost: () => this.#lost(),
    });
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
    this.endShells();
    await connection?.close();
  }

  /** Begin a shell that commands will share, without waiting for it. */
  async openShell(surroundings: Surroundings): Promise<void> {
    if (this.#settings.fast && canShareShell([], { surroundings }) && !hasPassword(surroundings))
      await this.#shells.open(surroundings);
  }

  /** Have the next commands run as after a fresh login: what it gives (groups, limits) may have changed. */
  endShells(): void {
    this.#shells.end();
  }

  /** Run a command and return how it ended, whatever its exit code. */
  async run(command: Shell, options: SessionRunOptions): Promise<RunResult> {
    const [result] = await this.runAll([command], options, [0]);
    return result!;
  }

  /** Run commands in order, as few messages as possible, up to the first whose exit code is no success. Returns those that ran. */
  async runAll(
    commands: readonly Shell[],
    options: SessionRunOptions,
    successExitCodes: readonly number[],
  ): Promise<readonly RunResult[]> {
    let { surroundings } = options;
    if (surroundings.sudo && !surroundings.sudo.password && this.#sudoAsks)
      surroundings = await this.#withSudoPassword(surroundings);
    if (hasPassword(surroundings)) await this.#verify(surroundings, options.signal);
    const attempts = await this.#attemptAll(commands, { ...options, surroundings }, successExitCodes);
    const first = attempts[0]!;
    if (first.started || !surroundings.sudo || surroundings.sudo.password || !ASKS_PASSWORD.test(text(first.stderr)))
      return attempts;
    // Nothing has run: sudo wants a password first.
    this.#sudoAsks = true;
    const withPassword = await this.#withSudoPassword(surroundings);
    if (!withPassword.sudo?.password) return attempts;
    await this.#verify(withPassword, options.signal);
    return this.#attemptAll(commands, { ...options, surroundings: withPassword }, successExitCodes);
  }

  /** Copy a file to the host, atomically. Throws when the host refuses; an old file is then still whole. */
  async upload(
    source: UploadSource,
    dest: string,
    attributes: UploadAttributes,
    options: SessionRunOptions,
  ): Promise<void> {
    const { onTransfer, transfers } = this.#settings;
    const inline = await this.inlineUpload(source, dest, attributes);
    if (inline) return this.uploaded(dest, inline.size, await this.run(inline.command, options));
    const content = "path" in source ? undefined : bytes(source.content);
    const path = "path" in source ? source.path : "";
    const size = content ? content.length : await transfers.size(path);
    const sent = (count: number): void => onTransfer("upload", dest, count, size);
    const stdin = counted(content ? slices(content) : transfers.read(path), sent);
    const command = uploadCommand(dest, size, attributes);
    const connection = await this.#open();
    if (!connection.stage) return this.uploaded(dest, undefined, await this.run(command, { ...options, stdin }));
    await using file = await connection.stage(options.signal);
    await file.write(stdin);
    this.uploaded(dest, undefined, await this.run(command, { ...options, alone: true, staged: { input: file.path } }));
  }

  /** The command that writes a file, with its content inside, if that is small enough; `undefined` if it must travel by itself. */
  async inlineUpload(
    source: UploadSource,
    dest: string,
    attributes: UploadAttributes,
  ): Promise<{ readonly command: Shell; readonly size: number } | undefined> {
    const { fast, transfers } = this.#settings;
    if (!fast) return undefined;
    const content = "path" in source ? await transfers.small(source.path, INLINE_BYTES) : bytes(source.content);
    const text = content && content.length <= INLINE_BYTES ? asText(content) : undefined;
    return text === undefined
      ? undefined
      : { command: uploadCommand(dest, content!.length, attributes, text), size: content!.length };
  }

  /** Tell of an upload that has ended. Throws when the host refused. */
  uploaded(dest: string, size: number | undefined, { exitCode, stderr }: RunResult): void {
    if (exitCode !== 0)
      throw new OperationError(`Cannot upload to "${dest}": ${lastLine(stderr) || "no reason was given"}`, {
        host: this.#settings.host,
      });
    if (size !== undefined) this.#settings.onTransfer("upload", dest, size, size);
  }

  /** Copy a file of the host to the control machine, where it replaces `dest` when it is complete. */
  async download(src: string, dest: string, options: SessionRunOptions): Promise<void> {
    const { transfers, onTransfer, host } = this.#settings;
    const connection = await this.#open();
    const sink = await transfers.write(dest);
    let received = 0;
    let complaint: Uint8Array = EMPTY;
    try {
      await using file = await connection.stage?.(options.signal);
      const receive = (chunk: Uint8Array): void => {
        sink.push(chunk);
        onTransfer("download", src, (received += chunk.length));
      };
      const result = await this.run(downloadCommand(src), {
        ...options,
        ...(file ? { staged: { output: file.path } } : {}),
        alone: true,
        capture: false,
        onOutput: (stream, chunk) =>
          stream === "stderr" ? void (complaint = Buffer.concat([complaint, chunk])) : receive(chunk),
      });
      if (result.exitCode !== 0)
        throw new OperationError(`Cannot download "${src}": ${lastLine(complaint) || "no reason was given"}`, { host });
      await file?.read(receive);
    } catch (error) {
      await sink.discard();
      throw error;
    }
    await sink.commit();
  }

  /** Copy a directory with rsync. Throws where the connection cannot, or cannot as that user. */
  async rsync(src: string, dest: string, flags: readonly string[], options: SessionRunOptions): Promise<RunResult> {
    const { host } = this.#settings;
    const connection = await this.#open();
    if (!connection.rsync) throw new OperationError("This connector cannot rsync: use files.sync", { host });
    const rsync = escalatedRsync(options.surroundings);
    if (!rsync) throw new OperationError("Cannot rsync with su, or with a password for sudo: use files.sync", { host });
    const as = isEscalated(options.surroundings) ? [`--rsync-path=${sh`${rsync}`}`] : [];
    return connection.rsync(src, dest, [...as, ...flags], {
      signal: options.signal,
      onOutput: (stream, chunk) => options.onOutput?.(stream, chunk, 0),
    });
  }

  async #open(): Promise<Connection> {
    await this.connect();
    return this.#connection!;
  }

  async #attemptAll(
    commands: readonly Shell[],
    options: SessionRunOptions,
    successExitCodes: readonly number[],
  ): Promise<readonly Attempt[]> {
    const attempts: Attempt[] = [];
    if (this.#settings.fast && canShareShell(commands, options)) {
      attempts.push(...(await this.#shells.run(commands, options, successExitCodes)));
    }
    // What a shell that ended early has left, or what needs a channel of its own.
    while (
      attempts.length < commands.length &&
      attempts.every(({ started, exitCode }) => started && successExitCodes.includes(exitCode))
    ) {
      attempts.push(await this.#attempt(commands[attempts.length]!, options, { index: attempts.length }));
    }
    return attempts;
  }

  /** Run once in a channel of its own; `started` is false if the escalation refused before the command began. */
  async #attempt(command: Shell, options: SessionRunOptions, { index = 0, onTrial = false } = {}): Promise<Attempt> {
    const { host } = this.#settings;
    const connection = await this.#open();
    const nonce = newNonce();
    const { line, preamble, passwords, typed } = escalate(command, options.surroundings, nonce, options.pty);
    const scripted = options.surroundings.shell !== false;
    const mark = new Mark(nonce);
    const marked: OutputStream = options.pty ? "stdout" : "stderr";
    const [ready, prompted, begun] = [
      Promise.withResolvers<void>(),
      Promise.withResolvers<void>(),
      Promise.withResolvers<void>(),
    ];
    if (!typed) ready.resolve();
    const unprompted = passwords - (typed?.prompts ?? 0);
    const parts = [
      { lines: preamble.slice(0, unprompted), after: ready.promise },
      { lines: preamble.slice(unprompted, passwords), after: prompted.promise },
      // A password on trial may be refused: then the end of the input must come, or it would be asked for again.
      { lines: preamble.slice(passwords), after: passwords > 0 && !onTrial ? begun.promise : ready.promise },
    ];
    const onOutput = (stream: OutputStream, chunk: Uint8Array): void => options.onOutput?.(stream, chunk, index);

    const abort = new AbortController();
    const onAbort = (): void => abort.abort(options.signal.reason);
    options.signal.throwIfAborted();
    options.signal.addEventListener("abort", onAbort, { once: true });
    const timer =
      options.timeout === undefined
        ? undefined
        : setTimeout(
            () =>
              abort.abort(
                new CommandTimeoutError(`Command timed out after ${options.timeout} s: ${command}`, { host }),
              ),
            options.timeout * 1000,
          );
    try {
      const result = await connection.run(options.staged ? throughFile(line, options.staged) : line, {
        ...(preamble.length > 0 || options.stdin ? { stdin: withPreamble(parts, options.stdin) } : {}),
        ...(options.pty ? { pty: true } : {}),
        signal: abort.signal,
        capture: options.capture ?? true,
        onOutput: (stream, chunk) => {
          if (!scripted || stream !== marked) return onOutput(stream, chunk);
          const rest = mark.push(chunk);
          if (typed && mark.sawBefore(typed.readyLine)) ready.resolve();
          if (typed && mark.sawPromptAfter(typed.readyLine)) prompted.resolve();
          if (mark.pid !== undefined) begun.resolve();
          if (rest.length > 0) onOutput(stream, rest);
        },
      });
      if (!scripted) return { ...result, started: true };
      const output =
        mark.pid === undefined ? mark.before : options.capture === false ? EMPTY : mark.strip(result[marked]);
      return { ...result, [marked]: output, started: mark.pid !== undefined };
    } catch (error) {
      if (error instanceof ConnectionLostError) this.#lost();
      else if (abort.signal.aborted && mark.pid !== undefined) await this.#kill(mark.pid, options.surroundings);
      throw error;
    } finally {
      clearTimeout(timer);
      options.signal.removeEventListener("abort", onAbort);
    }
  }

  /** The connection is gone: the next command makes a new one. */
  #lost(): void {
    this.#connection = undefined;
    this.#shells.forget();
  }

  /** End a process and its descendants, as whoever it runs as: the connection may not be allowed to. */
  async #kill(pid: number, surroundings: Surroundings): Promise<void> {
    const { line, preamble } = escalate(killTree(pid), { ...surroundings, chdir: undefined, env: {} }, newNonce());
    const connection = await this.#connection?.catch(() => undefined);
    await connection
      ?.run(line, {
        ...(preamble.length > 0 ? { stdin: preambleBytes(preamble) } : {}),
        signal: AbortSignal.timeout(KILL_DEADLINE_MS),
      })
      .catch(() => undefined);
  }

  /** Try a password before the first command that needs it: a wrong one must not be offered again and again. */
  #verify(surroundings: Surroundings, signal: AbortSignal): Promise<void> {
    const { sudo, su } = surroundings;
    const key = `${sudo?.user ?? "root"} ${su?.user ?? ""} ${sudo?.password?.reveal() ?? ""} ${su?.password?.reveal() ?? ""}`;
    let verified = this.#verified.get(key);
    if (!verified) {
      verified = this.#attempt(
        sh`true`,
        { surroundings: { ...surroundings, chdir: undefined, env: {} }, signal },
        { onTrial: true },
      ).then(result => {
        if (result.started && result.exitCode === 0) return;
        const program = sudo?.password ? "sudo" : "su";
        throw new EscalationError(
          `The password for ${program} was refused: ${lastLine(result.stderr) || "no reason was given"}`,
          { host: this.#settings.host },
        );
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

const hasPassword = ({ sudo, su }: Surroundings): boolean => sudo?.password !== undefined || su?.password !== undefined;

/** Files up to this size ride in the command that writes them. */
const INLINE_BYTES = 32 * 1024;

const EMPTY = new Uint8Array();
const KILL_DEADLINE_MS = 10_000;
const ASKS_PASSWORD =
  /password is required|terminal is required|no tty present|interactive authentication is required/i;

function newNonce(): string {
  return `tsinfra-${crypto.randomUUID().replaceAll("-", "")}`;
}

const text = (output: Uint8Array): string => Buffer.from(output).toString();
const lastLine = (output: Uint8Array): string => text(output).trim().split("\n").at(-1) ?? "";
