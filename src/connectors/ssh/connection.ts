/** An open SSH connection: one channel for each command. @module */
import { Secret, type Shell } from "../../core/command.ts";
import { cutOff, garbled, stalled, tooMuchBefore } from "../../core/connect-failure.ts";
import type { Connection, RunOptions, RunResult, StagedFile } from "../../core/connector.ts";
import { ConnectError, ConnectionLostError, OperationError } from "../../core/errors.ts";
import { endOfInput, pump } from "../shared/input.ts";
import { Holders } from "../shared/holders.ts";
import { giveBack } from "../shared/memory.ts";
import { captureOutput, lastWords } from "../shared/output.ts";
import { rsyncOver } from "../shared/rsync.ts";
import { Slots } from "../shared/slots.ts";
import { onAbort, unlessAborted } from "../../core/abort.ts";
import { backOff, pause, settlesWithin } from "../shared/wait.ts";
import { endFrom } from "../program/ending.ts";
import { Evenness, Frame } from "../program/frame.ts";
import { execWords, inOwnGroup, inPosixShell, startsGroups } from "./login-shell.ts";
import { type Client, type ExecOptions, type PseudoTtyOptions, serverSoftware, type SFTPWrapper } from "./library.ts";
import { openSftp, stageFile } from "./sftp.ts";
import { Talk } from "./talk.ts";

/** sshd allows 10 sessions a connection unless told otherwise; two are left for others. */
export const CHANNELS = 8;
/** How often a refused channel is asked for again when no other is open, which would have explained the refusal. */
const REFUSALS = 5;
/** How long the server may take to agree that the connection is closed, or to say which process it started, in milliseconds. */
const GRACE = 1000;

export interface SshConnectionOptions {
  readonly host: string;
  readonly agentForward: boolean;
  /** Files travel over SFTP. */
  readonly sftp: boolean;
}

/** Files that travel over SFTP at once: each holds a session while another one is needed. */
const STAGED = 2;

/** One server that we are logged in to: a channel for each command, and as many at once as it gives. */
export class SshConnection implements Connection {
  readonly stage?: (signal: AbortSignal) => Promise<StagedFile>;
  readonly #client: Client;
  readonly #host: string;
  readonly #agentForward: boolean;
  readonly #leadsGroup: boolean;
  readonly #slots = new Slots(CHANNELS);
  readonly #stages = new Slots(STAGED);
  readonly #holders = new Holders();
  readonly #closed: Promise<void>;
  /** Called when the connection is gone: those that wait for a channel. Each takes itself out, or what it has become would be held until then. */
  readonly #waiting = new Set<() => void>();
  #isClosing = false;
  /** A command has come to its end, as both of its outputs said. */
  #hasWorked = false;
  #isLost = false;
  #reason = "the connection was closed";

  constructor(client: Client, { host, agentForward, sftp }: SshConnectionOptions) {
    if (sftp) this.stage = signal => this.#stage(signal);
    this.#client = client;
    this.#host = host;
    this.#agentForward = agentForward;
    this.#leadsGroup = startsGroups(serverSoftware(client));
    client.on("error", (error: Error & { level?: string }) => {
      if (error.level === "agent") return;
      this.#reason =
        error.level === "client-timeout"
          ? "there was no sign of life any more"
          : DAMAGED.test(error.message)
            ? "what arrived was damaged on its way"
            : error.message;
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closed = promise;
    client.on("close", () => {
      this.#isLost = true;
      for (const giveUp of this.#waiting) giveUp();
      resolve();
    });
  }

  async run(command: Shell, options: RunOptions = {}): Promise<RunResult> {
    using _ = await this.#slot(options.signal);
    const frame = new Frame(command, { pty: options.pty ?? false, stays: options.onWanted !== undefined, plain: true });
    const talk = await this.#open(this.#lineOf(frame), options);
    using _held = this.#holders.hold(options.onWanted);
    return await this.#converse(talk, frame, options);
  }

  /** In the login shell's own place: so its process leads the group, where the server makes one. sshd ends processes on request only for users other than root. */
  #lineOf({ words }: Frame): string {
    const plain = words.map(word => (word instanceof Secret ? word.reveal() : word));
    return this.#leadsGroup ? execWords(plain) : inPosixShell(inOwnGroup(execWords(plain)));
  }

  async #slot(signal: AbortSignal | undefined): Promise<Disposable> {
    if (this.#slots.taken < this.#slots.limit) return await this.#slots.take(signal);
    using _ = this.#holders.wait();
    return await this.#slots.take(signal);
  }

  async rsync(src: string, dest: string, flags: readonly string[], options?: RunOptions): Promise<RunResult> {
    return await rsyncOver((command, runOptions) => this.run(command, runOptions), { src, dest, flags }, options);
  }

  async #stage(signal: AbortSignal): Promise<StagedFile> {
    const turn = await this.#stages.take(signal);
    try {
      return await stageFile({
        host: this.#host,
        run: (command, options) => this.run(command, options),
        sftp: () => this.#sftp(signal),
        signal,
        turn,
      });
    } catch (error) {
      turn[Symbol.dispose]();
      throw error;
    }
  }

  /** Not in line with commands: one of them waits for what this carries. */
  async #sftp(signal: AbortSignal): Promise<SFTPWrapper> {
    for (let refusals = 1; ; refusals++) {
      try {
        return await openSftp(this.#client);
      } catch (error) {
        if (this.#isLost) throw this.#lost(error);
        if (refusals >= REFUSALS || !isRefusal(error))
          throw new OperationError(`The server gives ${this.#host} no session for SFTP: ${(error as Error).message}`, {
            host: this.#host,
            cause: error,
            hint: 'See Subsystem and MaxSessions in its sshd_config, or set the host data sshFileTransferProtocol: "shell"',
          });
        await pause(backOff(refusals, { first: 50, most: 1000 }), signal);
      }
    }
  }

  isLost(): boolean {
    return this.#isLost;
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
  async #open(line: string, { pty, signal }: RunOptions): Promise<Talk> {
    for (let refusals = 1; ; refusals++) {
      signal?.throwIfAborted();
      if (this.#isLost) throw this.#lost();
      const opening = this.#exec(line, pty ?? false);
      try {
        return await unlessAborted(opening, signal);
      } catch (error) {
        if (signal?.aborted) {
          opening.then(
            talk => talk.channel.close(),
            () => {},
          );
          throw error;
        }
        if (this.#isLost || error instanceof ConnectionLostError || isNotConnected(error)) throw this.#lost(error);
        if (!isRefusal(error)) throw this.#refused(error);
        const others = this.#slots.taken - 1;
        if (others === 0 && refusals >= REFUSALS) throw this.#refused(error);
        this.#slots.shrink(others);
        this.#holders.ask();
        await pause(backOff(refusals, { first: 50, most: 1000 }), signal);
      }
    }
  }

  #exec(line: string, pty: boolean): Promise<Talk> {
    const { promise, resolve, reject } = Promise.withResolvers<Talk>();
    const options: ExecOptions = {
      ...(pty ? { pty: TERMINAL } : {}),
      ...(this.#agentForward ? { agentForward: true } : {}),
    };
    // Nobody answers on a connection that is gone.
    const giveUp = (): void => reject(this.#lost());
    if (this.#isLost) giveUp();
    this.#waiting.add(giveUp);
    try {
      this.#client.exec(line, options, (error, channel) => {
        this.#waiting.delete(giveUp);
        if (error) reject(error);
        else resolve(new Talk(channel));
      });
    } catch (error) {
      this.#waiting.delete(giveUp);
      reject(error);
    }
    return promise;
  }

  async #converse(talk: Talk, frame: Frame, options: RunOptions): Promise<RunResult> {
    const { signal, stdin, pty } = options;
    const { channel } = talk;
    talk.isTold = () => frame.isTold;
    const output = captureOutput(options);
    let failure: { readonly reason: unknown } | undefined;
    let stopping: Promise<void> | undefined;
    const stop = (reason: unknown): void => {
      failure ??= { reason };
      stopping ??= talk.stop(() => this.#kill(frame), frame.ended);
    };
    using evenness = new Evenness(frame, {
      isPending: () => output.isPending,
      onLate: () =>
        stop(
          frame.isHeard || this.#hasWorked
            ? stalled(this.#host)
            : garbled(this.#host, "The login shell", frame.dropped ?? "mixed"),
        ),
    });
    for (const [name, stream] of [
      ["stdout", channel],
      ["stderr", channel.stderr],
    ] as const)
      stream.on("data", (chunk: Buffer) => {
        talk.heard();
        const own = frame[name].pass(chunk);
        if (frame[name].isDrowned) return stop(tooMuchBefore(this.#host));
        if (frame.garbling) return stop(garbled(this.#host, "The login shell", frame.garbling));
        evenness.heard();
        const taking = output.add(name, own);
        if (!taking) return giveBack(chunk);
        talk.waitFor(stream, taking).then(() => giveBack(chunk), stop);
      });
    using _ = onAbort(signal, () => stop(signal?.reason));
    pump(stdin, piece => talk.write(piece))
      .then(({ lastByte }) => talk.endInput(pty ? endOfInput(lastByte) : undefined))
      .catch(stop);

    await Promise.race([talk.end, frame.ended]);
    if (!failure) await unlessAborted(output.taken(), signal).catch(stop);
    await (stopping ?? (frame.exitCode === undefined ? undefined : talk.leave()));
    if (failure) throw failure.reason;
    if (frame.isOver) this.#hasWorked = true;
    if (frame.exitCode !== undefined && !frame.dropped) return output.result(frame.exitCode);
    if (talk.exitCode === undefined)
      throw talk.refusal && !this.#isLost ? this.#refused(talk.refusal) : this.#lost(talk.refusal);
    if (frame.dropped) throw garbled(this.#host, "The login shell", frame.dropped);
    if (frame.stdout.begin === undefined) throw this.#notBegun(frame, talk.exitCode);
    if (frame.tellsEnd) throw cutOff(this.#host, talk.exitCode);
    return output.result(talk.exitCode);
  }

  /** End what a command has started, over a channel of its own; false if it is not known. */
  async #kill(ending: Frame): Promise<boolean> {
    // A command that has just been sent has not said yet who it is.
    await settlesWithin(ending.begun, GRACE);
    if (ending.pid === undefined || this.#isLost) return false;
    const frame = new Frame(endFrom(ending.pid), { pty: false, plain: true });
    try {
      const talk = await this.#exec(this.#lineOf(frame), false);
      talk.channel.on("data", (chunk: Buffer) => frame.stdout.pass(chunk));
      talk.channel.stderr.on("data", (chunk: Buffer) => frame.stderr.pass(chunk));
      talk.channel.end();
      await Promise.race([talk.end, frame.ended]);
      await talk.leave();
      return talk.exitCode !== undefined || frame.exitCode !== undefined;
    } catch {
      // No channel to be had.
      return false;
    }
  }

  /** Something else ran instead, or nothing: whatever its exit code, that was no success. */
  #notBegun({ stdout, stderr }: Frame, exitCode: number): ConnectError {
    return new ConnectError(
      `The login shell on ${this.#host} does not run commands (exit code ${exitCode}): ${lastWords(stderr.noise, stdout.noise)}`,
      {
        host: this.#host,
        hint: "Check this user's login shell on the host, and ForceCommand in its sshd_config and authorized_keys",
      },
    );
  }

  /** The connection is there, but of no use. */
  #refused(cause: unknown): ConnectError {
    const reason = (cause as Error).message.replace(/^\(SSH\) Channel open failure: |^Unable to exec$/, "");
    return new ConnectError(
      `The server refuses to run commands on ${this.#host}: ${reason === "" ? "it gave no reason" : reason}`,
      { host: this.#host, cause, hint: "See MaxSessions and ForceCommand in its sshd_config" },
    );
  }

  #lost(cause?: unknown): ConnectionLostError {
    const reason = cause instanceof Error && !this.#isLost ? cause.message : this.#reason;
    return new ConnectionLostError(`Lost the connection to ${this.#host} before the command ended: ${reason}`, {
      host: this.#host,
      cause,
    });
  }
}

/** What is said of packets that cannot be deciphered. */
const DAMAGED = /setAuthTag|authenticate data|Invalid MAC|Bad packet length/i;

/** Typed text (a password, for one) is not to come back as output, and lines are to end as they do in a pipe. */
const TERMINAL = { term: "dumb", modes: { ECHO: 0, ONLCR: 0 } } as PseudoTtyOptions;

/** The end of the connection is known to ssh2 before it tells. */
const isNotConnected = (error: unknown): boolean => (error as Error).message === "Not connected";

const isRefusal = (error: unknown): boolean => /Channel open failure/.test((error as Error).message);
