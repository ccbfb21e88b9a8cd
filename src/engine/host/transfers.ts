/** Files between the control machine and one host. @module */
import { sh, type Shell, type UploadSource } from "../../core/command.ts";
import type { Connection, Input, OutputStream, RunResult, StagedFile } from "../../core/connector.ts";
import { CommandTimeoutError, ConnectionLostError, OperationError } from "../../core/errors.ts";
import type { LocalTransfers } from "../settings.ts";
import { stillRunning } from "./channel.ts";
import { escalatedRsync, isEscalated } from "./escalation.ts";
import { downloadCommand, type UploadAttributes, uploadCommand } from "./scripts.ts";
import type { CommandOptions, Ran, Sent } from "./sending.ts";
import { asText, bytes, counted, lastLine, slices } from "./streams.ts";
import { TimeLimit } from "./time-limit.ts";

/** What transfers need from the session they go through. */
export interface TransferSettings {
  readonly host: string;
  readonly files: LocalTransfers;
  /** Small uploads ride in commands. */
  readonly fast: boolean;
  readonly connection: () => Promise<Connection>;
  /** That connection is gone. */
  readonly onLost: (connection: Connection) => void;
  readonly send: (command: Shell, options: CommandOptions) => Promise<Sent>;
  readonly onTransfer: (direction: "upload" | "download", path: string, bytes: number, total?: number) => void;
}

/** A command that writes a file, with the content inside. */
export interface InlineUpload {
  readonly command: Shell;
  /** Bytes of content. */
  readonly size: number;
}

/** The uploads and downloads of one host. */
export class Transfers {
  readonly #settings: TransferSettings;

  constructor(settings: TransferSettings) {
    this.#settings = settings;
  }

  /** Send a file to the host, where it replaces `dest` when it is complete: an old file is whole until then. `uploaded` tells from the result how it ended. */
  async upload(
    source: UploadSource,
    dest: string,
    attributes: UploadAttributes,
    options: CommandOptions,
  ): Promise<Sent> {
    const { connection, files, onTransfer, send } = this.#settings;
    const inline = await this.inlineUpload(source, dest, attributes);
    const what = `The upload to "${dest}"`;
    if (inline) {
      const sent = await send(inline.command, options);
      return { ...sent, results: this.#called(what, options, this.#told(sent.results, dest, inline.size)) };
    }
    const content = "path" in source ? undefined : bytes(source.content);
    const path = "path" in source ? source.path : "";
    const size = content ? content.length : await files.size(path);
    // From its beginning whenever it is read: where sudo turns out to want a password, the command is sent again.
    const stdin: Input = {
      [Symbol.asyncIterator]: () =>
        counted(content ? slices(content) : files.read(path), count => onTransfer("upload", dest, count, size)),
    };
    const command = uploadCommand(dest, size, attributes);
    const through = await connection();
    if (!through.stage) {
      const sent = await send(command, { ...options, stdin });
      return { ...sent, results: this.#called(what, options, sent.results) };
    }
    const results = this.#within(what, options, signal =>
      this.#watched(through, this.#staged(through.stage!(signal), command, stdin, { ...options, signal })),
    );
    results.catch(() => undefined);
    return { results };
  }

  /** Do what is no command within the time that a command may take. */
  async #within<T>(
    what: string,
    { signal, timeout = 0 }: Pick<CommandOptions, "signal" | "timeout">,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    using limit = new TimeLimit(timeout, signal);
    limit.begin();
    try {
      return await this.#called(what, { timeout }, work(limit.signal));
    } catch (error) {
      throw limit.isOver ? this.#tooLong(what, timeout, error) : error;
    }
  }

  #called<T>(what: string, { timeout = 0 }: Pick<CommandOptions, "timeout">, work: Promise<T>): Promise<T> {
    const called = work.catch((error: unknown) => {
      throw error instanceof CommandTimeoutError ? this.#tooLong(what, timeout, error) : error;
    });
    // Whoever waits for it may do so later.
    called.catch(() => undefined);
    return called;
  }

  /** The commands that copy are ours: what took too long is told by what it was for, and whether it has ended by its own error. */
  #tooLong(what: string, timeout: number, cause: unknown): CommandTimeoutError {
    const error = new CommandTimeoutError(`${what} timed out after ${timeout} s`, { host: this.#settings.host, cause });
    if (cause instanceof CommandTimeoutError && cause.mayStillRun) stillRunning(error, "It could not be ended");
    return error;
  }

  /** What is done over a connection beside commands tells of its loss too. */
  async #watched<T>(through: Connection, doing: Promise<T>): Promise<T> {
    try {
      return await doing;
    } catch (error) {
      if (error instanceof ConnectionLostError) this.#settings.onLost(through);
      throw error;
    }
  }

  /** Content goes into a file of the user who is logged in; the command reads it from there. */
  async #staged(
    making: Promise<StagedFile>,
    command: Shell,
    content: Input,
    options: CommandOptions,
  ): Promise<readonly Ran[]> {
    await using file = await making;
    await file.write(content);
    const sent = await this.#settings.send(command, { ...options, alone: true, staged: { input: file.path } });
    return await sent.results;
  }

  /** Tell of an inline upload when it has come through. */
  async #told(results: Promise<readonly Ran[]>, dest: string, size: number): Promise<readonly Ran[]> {
    const ran = await results;
    if (ran[0]?.exitCode === 0) this.#settings.onTransfer("upload", dest, size, size);
    return ran;
  }

  /** The command that writes a file, if its content is small enough to be part of it; `undefined` if it must travel by itself. */
  async inlineUpload(
    source: UploadSource,
    dest: string,
    attributes: UploadAttributes,
  ): Promise<InlineUpload | undefined> {
    const { fast, files } = this.#settings;
    if (!fast) return undefined;
    const content = "path" in source ? await files.small(source.path, INLINE_BYTES) : bytes(source.content);
    const text = content && content.length <= INLINE_BYTES ? asText(content) : undefined;
    return text === undefined
      ? undefined
      : { command: uploadCommand(dest, content!.length, attributes, text), size: content!.length };
  }

  /** Look at how an upload has ended. Throws when the host refused. `size`: it has not been told of yet. */
  uploaded(dest: string, size: number | undefined, { exitCode, stderr, trouble }: RunResult & Partial<Ran>): void {
    const { host, onTransfer } = this.#settings;
    if (trouble) throw trouble;
    if (exitCode !== 0)
      throw new OperationError(`Cannot upload to "${dest}": ${lastLine(stderr) || "no reason was given"}`, { host });
    if (size !== undefined) onTransfer("upload", dest, size, size);
  }

  /** Copy a file of the host to the control machine, where it replaces `dest` when it is complete. No faster than the disk takes it; when that cannot, nothing is left behind. */
  async download(src: string, dest: string, options: CommandOptions): Promise<void> {
    await this.#within(`The download of "${src}"`, options, signal =>
      this.#download(src, dest, { ...options, signal }),
    );
  }

  async #download(src: string, dest: string, options: CommandOptions): Promise<void> {
    const { connection, files, host, onTransfer, send } = this.#settings;
    const through = await connection();
    const sink = await files.write(dest);
    let received = 0;
    const receive = (chunk: Uint8Array): void | Promise<void> => {
      const written = sink.push(chunk);
      onTransfer("download", src, (received += chunk.length));
      return written;
    };
    try {
      await using file = through.stage && (await this.#watched(through, through.stage(options.signal)));
      const sent = await send(downloadCommand(src), {
        ...options,
        ...(file ? { staged: { output: file.path } } : {}),
        alone: true,
        keep: COMPLAINT,
        onOutput: (stream, chunk) => (stream === "stdout" ? receive(chunk) : undefined),
      });
      const [result] = await sent.results;
      if (result?.trouble) throw result.trouble;
      if (result?.exitCode !== 0) {
        const reason = (result && lastLine(result.stderr)) || "no reason was given";
        throw new OperationError(`Cannot download "${src}": ${reason}`, { host });
      }
      if (file) await this.#watched(through, file.read(receive));
    } catch (error) {
      await sink.discard();
      throw error;
    }
    await sink.commit();
  }

  /** Copy a directory with rsync. Throws where the connection cannot, or cannot as that user. */
  async rsync(src: string, dest: string, flags: readonly string[], options: CommandOptions): Promise<RunResult> {
    const { host } = this.#settings;
    const connection = await this.#settings.connection();
    if (!connection.rsync) throw new OperationError("This connector cannot rsync: use files.sync", { host });
    const rsync = escalatedRsync(options.surroundings);
    if (!rsync) throw new OperationError("Cannot rsync with su, or with a password for sudo: use files.sync", { host });
    const as = isEscalated(options.surroundings) ? [`--rsync-path=${sh`${rsync}`}`] : [];
    return this.#within("rsync", options, signal => {
      const onOutput = (stream: OutputStream, chunk: Uint8Array): void | Promise<void> =>
        options.onOutput?.(stream, chunk, 0);
      return this.#watched(connection, connection.rsync!(src, dest, [...as, ...flags], { signal, onOutput }));
    });
  }
}

/** Files up to this size ride in the command that writes them. */
const INLINE_BYTES = 32 * 1024;

/** As much as is kept of what a failed download says. */
const COMPLAINT = 64 * 1024;
