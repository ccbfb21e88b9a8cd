/** One command on one channel. @module */
import type { Readable } from "node:stream";
import { settlesWithin } from "../shared/wait.ts";
import { signalExitCode } from "../shared/output.ts";
import type { ClientChannel } from "./library.ts";

/** How long a command may take to end once it was asked to, in milliseconds. */
const GRACE = 1000;
/** How long ending it may take, in milliseconds. */
const PATIENCE = 4000;
/** How long the server may take to say that a command has ended which has said so itself: its login shell may go on. */
const PARTING = 250;
/** A process left in the background may hold the output open for good: after the end, this much silence counts as the end of output. */
const SILENCE = 1000;
/** The same where the command tells its end itself, and has not: what comes late is still on its way. */
const LATE = 10_000;

/** A channel with a command running in it. To be made as soon as there is a channel: a quick command ends at once. */
export class Talk {
  exitCode: number | undefined;
  /** Why the server does not run the command, if it said so. */
  refusal: Error | undefined;
  /** The command has ended and all its output is here, or the connection is gone. */
  readonly end: Promise<void>;
  readonly channel: ClientChannel;
  /** The command says itself when it has ended. */
  tellsEnd = false;
  #hasEnded = false;
  #heardAt = performance.now();
  #untaken = 0;
  #resume: (() => void) | undefined;
  /** The server has said that it has ended. */
  readonly #exited = Promise.withResolvers<void>();
  /** Wait no longer. */
  readonly #giveUp: () => void;

  constructor(channel: ClientChannel) {
    this.channel = channel;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.end = promise.then(() => {
      this.#hasEnded = true;
      this.#resume?.();
    });
    channel.on("error", (error: Error) => {
      this.refusal ??= error;
      resolve();
    });
    channel.on("drain", () => this.#resume?.());
    channel.on("exit", (code: number | null, signal?: string) => {
      this.exitCode = code ?? signalExitCode(signal ?? "");
      this.#exited.resolve();
      void this.#silence().then(() => {
        channel.close();
        resolve();
      });
    });
    // It closes with the end of stdout; what has come of stderr may not have been read.
    const { stderr } = channel;
    channel.on("close", () => {
      if (stderr.readableEnded || stderr.destroyed || !stderr.readable) resolve();
      else stderr.once("end", resolve).once("close", resolve);
    });
    this.#giveUp = resolve;
  }
  /** Call whenever output has arrived. */
  heard(): void {
    this.#heardAt = performance.now();
  }
  /** Read no more of a stream of the channel until what came from it has been taken. */
  async waitFor(stream: Readable, taking: Promise<void>): Promise<void> {
    stream.pause();
    this.#untaken++;
    try {
      await taking;
    } finally {
      this.#untaken--;
      this.heard();
      stream.resume();
    }
  }
  /** False when nobody reads any more. */
  async write(piece: Uint8Array): Promise<boolean> {
    if (this.#hasEnded || !this.channel.writable) return false;
    if (this.channel.write(piece)) return true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resume = resolve;
    await promise;
    return !this.#hasEnded;
  }
  /** `last` is what a terminal takes for the end; closing this side of it tells the command nothing. */
  endInput(last: string | undefined): void {
    if (this.#hasEnded || !this.channel.writable) return;
    if (last !== undefined) this.channel.write(last);
    else this.channel.end();
  }
  /**
   * End the command, and leave it if it does not care.
   * `kill` ends its processes and is false where it does not know them: then the server is asked to, politely, then not.
   * Never both: a signal that comes twice interrupts the tidying up that the first has started. `over`: it has said itself that it has ended.
   */
  async stop(kill: () => Promise<boolean>, over: Promise<void>): Promise<void> {
    const ended = Promise.race([this.end, over]);
    const killing = kill().then(async isKnown => {
      for (const signal of isKnown ? [] : ["TERM", "KILL"]) {
        if (this.#hasEnded) return;
        this.channel.signal(signal);
        await settlesWithin(ended, GRACE);
      }
    });
    await settlesWithin(killing, PATIENCE);
    await settlesWithin(ended, GRACE);
    await this.leave();
  }
  /** The command has said itself that it has ended: what else comes is nobody's, and not read. */
  async leave(): Promise<void> {
    if (this.#hasEnded) return;
    this.channel.pause();
    this.channel.stderr.pause();
    await settlesWithin(Promise.race([this.end, this.#exited.promise]), PARTING);
    this.channel.close();
    this.#giveUp();
  }
  async #silence(): Promise<void> {
    const exit = performance.now();
    for (;;) {
      // What has not been taken is no silence.
      if (this.#untaken > 0) this.heard();
      const left = Math.max(exit, this.#heardAt) + (this.tellsEnd ? LATE : SILENCE) - performance.now();
      if (left <= 0 || (await settlesWithin(this.end, left))) return;
    }
  }
}
