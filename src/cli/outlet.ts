/** Writing to standard output and standard error: never blocking, in order, and all of it or else with the reason. @module */
import { constants, fstatSync, openSync, readFileSync, writeSync } from "node:fs";
import { giveBack } from "../connectors/shared/memory.ts";
import { LocalFileError } from "../core/errors.ts";
import type { StreamName } from "./closed-streams.ts";
import type { Sink } from "./screen.ts";

/** What an outlet needs of a stream of the process. */
export interface OutletStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(chunk: string | Uint8Array, onDone: (error?: Error | null) => void): unknown;
  on(event: "error", callback: () => void): unknown;
}

interface Channel {
  /** Sends a chunk behind those sent before. `onDone` is called when it has been taken, or cannot be. */
  send(chunk: string | Uint8Array, onDone: (error?: Error | null) => void): void;
  /** Takes back what nobody has begun to take; false if there is nothing. */
  discard(): boolean;
}

/** With more than this unread, whoever makes output that has no end should wait. */
const FULL_BYTES = 1024 * 1024;

/** So much a pipe takes whole or not at all: of what waits when the program leaves, whoever reads lines gets no half one. */
const WHOLE_BYTES = process.platform === "linux" ? 4096 : 512;

/** Ends a line that was cut off, and gives a terminal back as it was: colours, then the cursor. */
const AFTER_CUT = { terminal: "\x1b[0m\x1b[?25h\n", other: "\n" } as const;

/** As much text is written in one. */
const GATHERED_CHARACTERS = 64 * 1024;

/** One of the two streams, with what is on its way. */
export class Outlet implements Sink {
  readonly #stream: OutletStream;
  readonly #channel: Channel;
  readonly #waiting: (() => void)[] = [];
  #failure: Error | undefined;
  #pending = 0;
  /** Text of this turn that waits to be written in one, and its bytes: a million lines are not a million writes. */
  #gathered = "";
  #gatheredBytes = 0;
  /** Called once, when what is written cannot arrive any more. */
  onFailure: (error: Error) => void = () => {};

  /** `terminal`: the way to it, where the stream is one. */
  constructor(stream: OutletStream, terminal?: Channel) {
    this.#stream = stream;
    this.#channel = terminal ?? throughStream(stream);
  }

  get isTTY(): boolean {
    return this.#stream.isTTY === true;
  }

  get columns(): number | undefined {
    return this.#stream.columns;
  }

  /** The program runs on a terminal whose foreground is another's, as after `bg`. Only Linux tells. */
  get isInBackground(): boolean {
    if (!this.isTTY) return false;
    try {
      // Behind the name, which may hold anything: state, parent, group, session, terminal, the group in its foreground.
      const [, , group, , , foreground] = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1)!.split(" ");
      return Number(foreground) > 0 && foreground !== group;
    } catch {
      return false;
    }
  }

  /** Bytes that nobody has taken yet. */
  get pending(): number {
    return this.#pending;
  }

  /** Why nothing arrives any more. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  write(chunk: string | Uint8Array): void {
    if (this.#failure || chunk.length === 0) return;
    const size = Buffer.byteLength(chunk);
    this.#pending += size;
    if (typeof chunk === "string" && !this.isTTY) {
      if (this.#gathered === "") queueMicrotask(() => this.send());
      this.#gathered += chunk;
      this.#gatheredBytes += size;
      if (this.#gathered.length >= GATHERED_CHARACTERS) this.send();
      return;
    }
    this.send();
    this.#pass(chunk, size);
  }

  /** Send what has been gathered, before something goes to the other stream: both may be one pipe. */
  send(): void {
    if (this.#gathered === "") return;
    const text = this.#gathered;
    const size = this.#gatheredBytes;
    this.#gathered = "";
    this.#gatheredBytes = 0;
    this.#pass(text, size);
  }

  #pass(chunk: string | Uint8Array, size: number): void {
    if (this.#failure) return;
    this.#channel.send(chunk, error => {
      this.#pending -= size;
      if (typeof chunk !== "string") giveBack(chunk);
      if (error && !this.#failure) {
        this.#failure = error;
        this.onFailure(error);
      }
      if (this.#waiting.length > 0 && (this.#failure || this.#pending <= FULL_BYTES / 2))
        for (const resolve of this.#waiting.splice(0)) resolve();
    });
  }

  /** Drop what waits, so that what comes next is not behind it. True if there was something, whose last line may be cut off. */
  discard(): boolean {
    const gathered = this.#gatheredBytes;
    this.#gathered = "";
    this.#gatheredBytes = 0;
    this.#pending -= gathered;
    if (!this.#channel.discard() && gathered === 0) return false;
    this.write(this.isTTY ? AFTER_CUT.terminal : AFTER_CUT.other);
    return true;
  }

  /** `undefined` while there is room; else settles when there is some again, or when nothing arrives any more. */
  room(): Promise<void> | undefined {
    if (this.#pending <= FULL_BYTES || this.#failure) return undefined;
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  /** Settles when everything has arrived, or cannot. */
  async flush(): Promise<void> {
    this.send();
    // A write of nothing would end before those that wait: only the last real one tells.
    while (this.#pending > 0 && !this.#failure) await new Promise<void>(resolve => this.#waiting.push(resolve));
  }
}

/** What is wrong where output has nowhere to go. */
export function closedOutput(closed: readonly StreamName[]): LocalFileError | undefined {
  const [out, err] = [closed.includes("stdout"), closed.includes("stderr")];
  if (out && err)
    return new LocalFileError("Standard output and standard error are closed: what is written to them would be lost", {
      hint: "Send them to /dev/null if nobody is to read them",
    });
  if (!out && !err) return undefined;
  return new LocalFileError(`Standard ${out ? "output" : "error"} is closed: what is written to it would be lost`, {
    hint: "Send it to /dev/null if nobody is to read it",
  });
}

/** The two outlets of this process. */
export function processOutlets(): { readonly stdout: Outlet; readonly stderr: Outlet } {
  const stdout = terminalBehind(process.stdout, 1);
  const stderr = terminalBehind(process.stderr, 2);
  // What is written to one terminal keeps its order.
  const isOne = stdout && stderr && fstatSync(1).rdev === fstatSync(2).rdev;
  return { stdout: new Outlet(process.stdout, isOne ? stderr : stdout), stderr: new Outlet(process.stderr, stderr) };
}

function terminalBehind(stream: NodeJS.WriteStream, fd: number): Channel | undefined {
  const terminal = stream.isTTY ? openTerminal(fd) : undefined;
  return terminal === undefined ? undefined : throughTerminal(terminal);
}

interface Waiting {
  rest: Uint8Array;
  /** It is text, of lines that have ended. */
  readonly isText: boolean;
  readonly onDone: (error?: Error | null) => void;
}

const waiting = (chunk: string | Uint8Array, onDone: Waiting["onDone"]): Waiting =>
  typeof chunk === "string"
    ? { rest: Buffer.from(chunk), isText: true, onDone }
    : { rest: chunk, isText: false, onDone };

function throughStream(stream: OutletStream): Channel {
  // Every write tells its own end.
  stream.on("error", () => {});
  const queue: Waiting[] = [];
  let isUnderway = false;
  let isPumping = false;
  const pump = (): void => {
    if (isPumping) return;
    isPumping = true;
    // The runtime would join what waits inside of it, and gives nothing back.
    for (let first = queue[0]; first && !isUnderway; first = queue[0]) {
      const one = first;
      const piece = one.rest.subarray(0, one.isText ? lengthOfLines(one.rest) : undefined);
      one.rest = one.rest.subarray(piece.length);
      const isLast = one.rest.length === 0;
      if (isLast) queue.shift();
      isUnderway = true;
      stream.write(piece, error => {
        isUnderway = false;
        if (error && queue[0] === one) queue.shift();
        else if (!isLast && !error) return pump();
        one.onDone(error);
        // Nothing arrives any more.
        if (error) emptied(queue);
        else pump();
      });
    }
    isPumping = false;
  };
  return {
    send(chunk, onDone) {
      queue.push(waiting(chunk, onDone));
      pump();
    },
    discard: () => emptied(queue),
  };
}

/** Bytes of as many whole lines as a pipe takes whole, but of one line at least. */
function lengthOfLines(text: Uint8Array): number {
  if (text.length <= WHOLE_BYTES) return text.length;
  const last = text.lastIndexOf(LINE_BREAK, WHOLE_BYTES - 1);
  return (last === -1 ? text.indexOf(LINE_BREAK) : last) + 1 || text.length;
}
const LINE_BREAK = 10;

/** Nobody waits for any of it any more. */
function emptied(queue: Waiting[]): boolean {
  const dropped = queue.splice(0);
  for (const { onDone } of dropped) onDone();
  return dropped.length > 0;
}

/**
 * The same terminal once more, for writes that do not block: a terminal that was stopped (Ctrl-S) or that nobody reads would
 * otherwise hold the whole program, signals included. `undefined` where there is no way.
 */
function openTerminal(fd: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}

function throughTerminal(fd: number): Channel {
  const queue: Waiting[] = [];
  let isWaiting = false;
  const pump = (): void => {
    isWaiting = false;
    for (let first = queue[0]; first; first = queue[0]) {
      try {
        first.rest = first.rest.subarray(writeSync(fd, first.rest));
        if (first.rest.length > 0) continue;
        queue.shift();
        first.onDone();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EAGAIN") {
          isWaiting = true;
          setTimeout(pump, TERMINAL_WAIT_MS);
          return;
        }
        for (const { onDone } of queue.splice(0)) onDone(error as Error);
      }
    }
  };
  return {
    send(chunk, onDone) {
      queue.push(waiting(chunk, onDone));
      if (!isWaiting) pump();
    },
    discard: () => emptied(queue),
  };
}
const TERMINAL_WAIT_MS = 10;
