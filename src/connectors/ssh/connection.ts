/** An open SSH connection: one channel for each command. @module */
import type { Shell } from "../../core/command.ts";
import type { Connection, RunOptions, RunResult } from "../../core/connector.ts";
import { ConnectionLostError } from "../../core/errors.ts";
import { endOfInput, pump } from "../shared/input.ts";
import { captureOutput, signalExitCode } from "../shared/output.ts";
import { Slots } from "../shared/slots.ts";
import { backOff, onAbort, pause, settlesWithin, unlessAborted } from "../shared/wait.ts";
import type { Client, ClientChannel, ExecOptions, PseudoTtyOptions } from "./library.ts";

/** sshd allows 10 sessions a connection unless told otherwise; two are left for others. */
const CHANNELS = 8;
/** How often a refused channel is asked for again when no other is open, which would have explained the refusal. */
const REFUSALS = 5;
/** How long a command may take to end once it was asked to, in milliseconds. */
const GRACE = 1000;
/** A process left in the background may hold the output open for good: after the end, this much silence counts as the end of output. */
const SILENCE = 1000;

export class SshConnection implements Connection {
  readonly #client: Client;
  readonly #host: string;
  readonly #agentForward: boolean;
  readonly #slots = new Slots(CHANNELS);
  readonly #closed: Promise<void>;
  #isClosing = false;
  #isLost = false;
  #reason = "the connection was closed";

  constructor(client: Client, { host, agentForward }: { readonly host: string; readonly agentForward: boolean }) {
    this.#client = client;
    this.#host = host;
    this.#agentForward = agentForward;
    client.on("error", (error: Error & { level?: string }) => {
      if (error.level === "agent") return;
      this.#reason = error.level === "client-timeout" ? "there was no sign of life any more" : error.message;
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closed = promise;
    client.on("close", () => {
      this.#isLost = true;
      resolve();
    });
  }

  async run(command: Shell, options: RunOptions = {}): Promise<RunResult> {
    const { signal } = options;
    using _ = await this.#slots.take(signal);
    const channel = await this.#open(command, options);
    return await this.#converse(channel, options);
  }

  async close(): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true;
      this.#reason = "the connection was closed";
      this.#client.end();
    }
    // A server that does not answer any more must not hold the end up.
    if (!this.#isLost && !(await settlesWithin(this.#closed, GRACE))) this.#client.destroy();
  }

  /** A channel with the command running in it. Waits while the server has none to give. */
  async #open(command: Shell, { pty, signal }: RunOptions): Promise<ClientChannel> {
    for (let refusals = 1; ; refusals++) {
      signal?.throwIfAborted();
      if (this.#isLost) throw this.#lost();
      const opening = this.#exec(command.wire(), pty ?? false);
      try {
        return await unlessAborted(opening, signal);
      } catch (error) {
        if (signal?.aborted) {
          opening.then(channel => channel.close(), () => {});
          throw error;
        }
        if (this.#isLost || !isRefusal(error)) throw this.#lost(error);
        const others = this.#slots.taken - 1;
        if (others === 0 && refusals >= REFUSALS) throw this.#lost(error);
        this.#slots.shrink(others);
        await pause(backOff(refusals, { first: 50, most: 1000 }), signal);
      }
    }
  }

  #exec(line: string, pty: boolean): Promise<ClientChannel> {
    const { promise, resolve, reject } = Promise.withResolvers<ClientChannel>();
    const options: ExecOptions = { ...(pty ? { pty: TERMINAL } : {}), ...(this.#agentForward ? { agentForward: true } : {}) };
    try {
      this.#client.exec(line, options, (error, channel) => (error ? reject(error) : resolve(channel)));
    } catch (error) {
      reject(error);
    }
    // Nobody answers on a connection that is gone.
    return Promise.race([promise, this.#closed.then(() => Promise.reject(this.#lost()))]);
  }

  async #converse(channel: ClientChannel, options: RunOptions): Promise<RunResult> {
    const { signal, stdin, pty } = options;
    const output = captureOutput(options);
    const talk = new Talk(channel);
    channel.on("data", (chunk: Buffer) => {
      talk.heard();
      output.add("stdout", chunk);
    });
    channel.stderr.on("data", (chunk: Buffer) => {
      talk.heard();
      output.add("stderr", chunk);
    });
    let failure: { readonly reason: unknown } | undefined;
    let stopping: Promise<void> | undefined;
    const stop = (reason: unknown): void => {
      failure ??= { reason };
      stopping ??= talk.stop();
    };
    using _ = onAbort(signal, () => stop(signal?.reason));
    pump(stdin, piece => talk.write(piece)).then(({ lastByte }) => talk.endInput(pty ? endOfInput(lastByte) : undefined)).catch(stop);

    await talk.end;
    await stopping;
    if (failure) throw failure.reason;
    if (talk.exitCode === undefined) throw this.#lost();
    return output.result(talk.exitCode);
  }

  #lost(cause?: unknown): ConnectionLostError {
    const reason = cause instanceof Error && !this.#isLost ? cause.message : this.#reason;
    return new ConnectionLostError(`Lost the connection to ${this.#host} before the command ended: ${reason}`, { host: this.#host, cause });
  }
}

/** Typed text (a password, for one) is not to come back as output, and lines are to end as they do in a pipe. */
const TERMINAL = { term: "dumb", modes: { ECHO: 0, ONLCR: 0 } } as PseudoTtyOptions;

const isRefusal = (error: unknown): boolean => /Channel open failure/.test((error as Error).message);

/** One command's channel. */
class Talk {
  exitCode: number | undefined;
  /** The command has ended and all its output is here, or the connection is gone. */
  readonly end: Promise<void>;
  readonly #channel: ClientChannel;
  #hasEnded = false;
  #heardAt = performance.now();
  #resume: (() => void) | undefined;

  constructor(channel: ClientChannel) {
    this.#channel = channel;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.end = promise.then(() => {
      this.#hasEnded = true;
      this.#resume?.();
    });
    channel.on("error", () => {});
    channel.on("drain", () => this.#resume?.());
    channel.on("exit", (code: number | null, signal?: string) => {
      this.exitCode = code ?? signalExitCode(signal ?? "");
      void this.#silence().then(() => {
        channel.close();
        resolve();
      });
    });
    channel.on("close", () => resolve());
  }
  heard(): void {
    this.#heardAt = performance.now();
  }
  /** False when nobody reads any more. */
  async write(piece: Uint8Array): Promise<boolean> {
    if (this.#hasEnded || !this.#channel.writable) return false;
    if (this.#channel.write(piece)) return true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resume = resolve;
    await promise;
    return !this.#hasEnded;
  }
  endInput(last: string | undefined): void {
    if (this.#hasEnded || !this.#channel.writable) return;
    // A terminal has no other end: closing this side of it tells the command nothing.
    if (last !== undefined) this.#channel.write(last);
    else this.#channel.end();
  }
  /** End the command: politely, then not, then leave it. */
  async stop(): Promise<void> {
    for (const signal of ["TERM", "KILL"]) {
      if (this.#hasEnded) return;
      this.#channel.signal(signal);
      if (await settlesWithin(this.end, GRACE)) return;
    }
    this.#channel.close();
    // The server's own answer may never come.
    this.#channel.emit("close");
  }
  async #silence(): Promise<void> {
    const exit = performance.now();
    for (;;) {
      const left = Math.max(exit, this.#heardAt) + SILENCE - performance.now();
      if (left <= 0 || (await settlesWithin(this.end, left))) return;
    }
  }
}
