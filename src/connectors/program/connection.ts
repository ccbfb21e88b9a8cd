/** Running commands in a place that a program reaches. @module */
import { sh, type Shell } from "../../core/command.ts";
import { cutOff, garbled, stalled, tooMuchBefore } from "../../core/connect-failure.ts";
import type { Connection, Input, RunOptions, RunResult } from "../../core/connector.ts";
import { ConnectError, ConnectionLostError } from "../../core/errors.ts";
import { pieces } from "../shared/input.ts";
import { captureOutput, lastWords } from "../shared/output.ts";
import { Slots } from "../shared/slots.ts";
import { onAbort, unlessAborted } from "../../core/abort.ts";
import { settlesWithin } from "../shared/wait.ts";
import { endFrom } from "./ending.ts";
import { Evenness, Frame, type Words } from "./frame.ts";

/** Commands at once: each costs a process where the program is, and a channel of the connection to there, which is to keep some for ending them. */
const AT_ONCE = 6;
/** How long a command may take to begin before it is given up when it is to end, and to end once it was killed, in milliseconds. */
const GRACE = 3000;
/** How long the program may hold on after the command has ended: something in the background may still have its output open. */
const LINGER = 3000;
/** So much may follow the end of a command before the program is ended, in bytes. */
const MOST_AFTER = 64 * 1024;
/** How long a look at the place may take. */
const LOOK = 20_000;

/** What is on the way to a place, for messages. */
const PROGRAM = "The program that runs commands";

/** Where commands are run, and how. */
export interface Reach {
  /** For messages. */
  readonly host: string;
  /** The connection to where the program is. */
  readonly outer: Pick<Connection, "run">;
  /** The program's own command line around the words it is to run. */
  wrap(words: Words, options: { readonly pty: boolean }): Shell;
  /** Commands are processes of the program's own, and end with it; else it only asks somebody to run them. */
  readonly endsCommands: boolean;
  /** What else is on the way there, for messages; default: the program. */
  readonly way?: string;
  readonly onLost: () => void;
}

/** Commands in one place: each framed, so that its end is told from that of the program that carries it. */
export class PlaceConnection {
  readonly #reach: Reach;
  readonly #slots = new Slots(AT_ONCE);
  #hasWorked = false;
  readonly #lingering = new Set<Promise<unknown>>();

  constructor(reach: Reach) {
    this.#reach = reach;
  }

  async run(command: Shell, options: RunOptions = {}): Promise<RunResult> {
    using _ = await this.#slots.take(options.signal);
    options.signal?.throwIfAborted();
    try {
      return await this.#converse(command, options);
    } catch (error) {
      if (error instanceof ConnectionLostError) this.#reach.onLost();
      throw error;
    }
  }

  /** Wait for programs that have not ended with their command. */
  async close(): Promise<void> {
    await Promise.all(this.#lingering);
  }

  async #converse(command: Shell, options: RunOptions): Promise<RunResult> {
    const { signal, stdin, pty = false } = options;
    const frame = new Frame(command, { pty, reads: stdin !== undefined });
    const output = captureOutput(options);
    const cut = new AbortController();
    let failure: { readonly reason: unknown } | undefined;
    let stopping: Promise<void> | undefined;
    const stop = (reason: unknown): void => {
      failure ??= { reason };
      stopping ??= this.#end(frame, settled, cut);
    };
    const { host, way = PROGRAM } = this.#reach;
    using evenness = new Evenness(frame, {
      isPending: () => output.isPending,
      onLate: () =>
        stop(frame.isHeard || this.#hasWorked ? stalled(host) : garbled(host, way, frame.dropped ?? "mixed")),
    });
    let after = 0;
    const running = this.#reach.outer.run(this.#reach.wrap(frame.words, { pty }), {
      pty,
      capture: false,
      signal: cut.signal,
      ...(options.onWanted ? { onWanted: options.onWanted } : {}),
      ...(pty || stdin !== undefined ? { stdin: feed(stdin, { frame, pty, onFailure: stop }) } : {}),
      onOutput: (stream, chunk) => {
        if (frame.isOver && (after += chunk.length) > MOST_AFTER) return cut.abort(new Error("The command has ended"));
        const own = frame[stream].pass(chunk);
        if (frame[stream].isDrowned) throw tooMuchBefore(host);
        if (frame.garbling) return stop(garbled(host, way, frame.garbling));
        evenness.heard();
        return output.add(stream, own);
      },
    });
    const settled = running.then(
      ({ exitCode }) => ({ exitCode }),
      (error: unknown) => ({ error }),
    );
    using _ = onAbort(signal, () => stop(signal?.reason));
    await Promise.race([settled, frame.ended]);
    if (!failure) await unlessAborted(output.taken(), signal).catch(stop);
    await stopping;
    if (frame.isHeard) this.#hasWorked = true;
    if (failure) throw failure.reason;
    if (frame.exitCode === undefined || !(await settlesWithin(frame.ended, 0)))
      return output.result(await this.#exitCode(frame, await settled));
    this.#letGo(settled, cut);
    return output.result(frame.exitCode);
  }

  /** The exit code of a command whose program has ended before it said all. Throws `ConnectionLostError`, or what has become of it. */
  async #exitCode(frame: Frame, ending: { readonly exitCode: number } | { readonly error: unknown }): Promise<number> {
    if ("error" in ending) throw ending.error;
    const { host, way = PROGRAM } = this.#reach;
    if (frame.dropped && frame.garbling === undefined && (await this.#isThere()))
      throw garbled(host, way, frame.dropped);
    if (frame.exitCode !== undefined) return frame.exitCode;
    // Killed together with its wrapper, for one.
    if (frame.stdout.begin !== undefined && (await this.#isThere())) throw cutOff(host, ending.exitCode);
    if (frame.stdout.begin !== undefined)
      throw new ConnectionLostError(`Lost ${host} before the command ended`, { host });
    const reason = `${lastWords(frame.stderr.noise, frame.stdout.noise)} (exit code ${ending.exitCode})`;
    if (this.#hasWorked) throw new ConnectionLostError(`Cannot run commands on ${host} any more: ${reason}`, { host });
    throw new ConnectError(`Cannot run commands on ${host}: ${reason}`, { host });
  }

  async #isThere(): Promise<boolean> {
    const { isHeard, dropped } = await this.#runOurs(sh`exit 0`);
    return isHeard || dropped !== undefined;
  }

  /** Run a line of our own until it says that it has ended, or for as long as it may take. */
  async #runOurs(line: Shell): Promise<Frame> {
    const frame = new Frame(line, { pty: false });
    const cut = new AbortController();
    const running = this.#reach.outer.run(this.#reach.wrap(frame.words, { pty: false }), {
      capture: false,
      signal: AbortSignal.any([cut.signal, AbortSignal.timeout(LOOK)]),
      onOutput: (stream, chunk) => void frame[stream].pass(chunk),
    });
    const settled = running.catch(() => undefined);
    await Promise.race([settled, frame.ended]);
    if (frame.isOver) this.#letGo(settled, cut);
    return frame;
  }

  /** End a command where it runs, and then the program that it is reached by, if that does not follow. */
  async #end(frame: Frame, settled: Promise<unknown>, cut: AbortController): Promise<void> {
    // A command that has just been sent has not said yet who it is.
    if (!this.#reach.endsCommands) await settlesWithin(Promise.race([frame.begun, settled]), GRACE);
    if (frame.pid !== undefined && !this.#reach.endsCommands) {
      await this.#runOurs(endFrom(frame.pid));
      if (await settlesWithin(Promise.race([settled, frame.ended]), GRACE)) return this.#letGo(settled, cut);
    }
    cut.abort(new Error("The command was ended"));
    await settled;
  }

  #letGo(settled: Promise<unknown>, cut: AbortController): void {
    const gone = settlesWithin(settled, LINGER).then(async isGone => {
      if (isGone) return;
      cut.abort(new Error("The command has ended"));
      await settled;
    });
    this.#lingering.add(gone);
    void gone.finally(() => this.#lingering.delete(gone));
  }
}

/**
 * What a command reads, until it has ended. On a terminal nothing is sent before the command has begun:
 * the terminal would show it, or its end would be the end of the program's own input.
 */
async function* feed(
  stdin: Input | undefined,
  {
    frame,
    pty,
    onFailure,
  }: { readonly frame: Frame; readonly pty: boolean; readonly onFailure: (reason: unknown) => void },
): AsyncGenerator<Uint8Array> {
  if (pty) await frame.begun;
  if (stdin === undefined) return;
  const chunks = pieces(stdin);
  // A race with `frame.ended` would keep every chunk until the end.
  let wake: (() => void) | undefined;
  let isOver = false;
  void frame.ended.then(() => {
    isOver = true;
    wake?.();
  });
  try {
    while (!isOver) {
      const chunk = await new Promise<Uint8Array | undefined>((resolve, reject) => {
        wake = () => resolve(undefined);
        chunks.next().then(({ value }) => resolve(value), reject);
      });
      if (!chunk) return;
      yield chunk;
    }
  } catch (error) {
    onFailure(error);
  } finally {
    // Not waited for: it may itself wait for what never comes.
    void chunks.return(undefined).catch(() => undefined);
  }
}
