/** Telling what a command prints, line by line, no faster than it is taken. @module */
import type { OutputStream } from "../../core/connector.ts";
import type { RunSettings } from "../settings.ts";

/** Characters of a line that are told at once; a longer one comes in pieces, so that none is ever held whole. */
export const LONGEST_LINE = 64 * 1024;
/** Lines between two looks at the clock. */
const LINES = 200;
/** Milliseconds for which lines are told without a break, those of all commands together: other hosts have their turn then. */
const TURN = 20;

/** Takes a command's chunks, and tells its lines. */
export interface LineEmitter {
  /** The promise is there when whoever gives chunks has to wait; it never rejects. */
  push(stream: OutputStream, chunk: Uint8Array): void | Promise<void>;
  /** Tell what is left; a promise where not all of it could be told at once. */
  end(): void | Promise<void>;
}

type OutputSettings = Pick<RunSettings, "clock" | "emit" | "onOutput" | "signal" | "tellsOutput">;

/** For one command: its lines become events, its bytes go to `onOutput`. */
export function lineEmitter(
  { clock, emit, onOutput, signal, tellsOutput = true }: OutputSettings,
  host: string,
  purpose: "operation" | "direct",
): LineEmitter {
  let lastTurn: Turn | undefined;
  /** Lines of this command in that turn. */
  let lines = 0;
  // Most commands print nothing.
  const rest: { stdout?: Rest; stderr?: Rest } = {};
  function* telling(stream: OutputStream, pieces: Iterable<string | LinePart>): Generator<void, void> {
    let count = 0;
    for (const piece of pieces) {
      if (typeof piece === "string") emit({ type: "output", host, stream, line: piece, for: purpose });
      else emit({ type: "output", host, stream, line: piece.text, for: purpose, continues: true });
      lines++;
      if (++count % LINES === 0) yield;
    }
  }
  /** Tell on; now and then others have their turn. */
  const advance = (work: Generator<void, void>): Promise<void> | undefined => {
    const turn = thisTurn(clock);
    if (turn !== lastTurn) [lastTurn, lines] = [turn, 0];
    for (let isDone = false; !isDone;) {
      isDone = work.next().done === true;
      if (clock.monotonic() - turn.began <= TURN || signal.aborted) continue;
      if (!isDone) return nextTurn().then(() => advance(work));
      // The next chunk may be there already; who prints little does not wait for those who print much.
      return lines >= LINES ? nextTurn() : undefined;
    }
    return undefined;
  };
  let pending: Promise<void> | undefined;
  const enqueue = (work: Generator<void, void>): Promise<void> | undefined => {
    const told = pending ? pending.then(() => advance(work)) : advance(work);
    pending = told;
    void told?.then(() => {
      if (pending === told) pending = undefined;
    });
    return told;
  };
  return {
    push(stream, chunk) {
      const told = tellsOutput ? enqueue(telling(stream, (rest[stream] ??= new Rest()).take(chunk))) : undefined;
      const taken = onOutput?.(host, stream, chunk);
      // After an interrupt, nobody is waited for any more.
      if (!taken || signal.aborted) return told;
      const taking = untilAborted(taken, signal);
      return told ? told.then(() => taking) : taking;
    },
    end() {
      let told: Promise<void> | undefined;
      for (const stream of ["stdout", "stderr"] as const)
        if (rest[stream]) told = enqueue(telling(stream, rest[stream].end()));
      return told;
    },
  };
}

/** A part of a line that goes on. */
interface LinePart {
  readonly text: string;
}

/** What has come of a line that has not ended. */
class Rest {
  readonly #decoder = new TextDecoder();
  /** Joined once: so a long line costs what it is long. */
  #parts: string[] = [];
  #length = 0;

  /** Decoded at once: the chunk may be part of a buffer that is used again. */
  take(chunk: Uint8Array): Iterable<string | LinePart> {
    return this.#cut(this.#decoder.decode(chunk, { stream: true }));
  }

  *end(): Generator<string | LinePart> {
    yield* this.#cut(this.#decoder.decode());
    if (this.#length > 0) yield withoutReturn(this.#join());
  }

  *#cut(text: string): Generator<string | LinePart> {
    let from = 0;
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", from)) {
      // Most lines are whole, and nothing is made of them but themselves.
      if (this.#length === 0 && at - from <= LONGEST_LINE) yield withoutReturn(text.slice(from, at));
      else {
        yield* this.#add(text, from, at);
        yield withoutReturn(this.#join());
      }
      from = at + 1;
    }
    yield* this.#add(text, from, text.length);
  }

  /** Keep a part of a line, less what is so long that it is told. */
  *#add(text: string, from: number, to: number): Generator<LinePart> {
    let at = from;
    while (this.#length + to - at > LONGEST_LINE) {
      const end = wholeCharacters(text, at + LONGEST_LINE - this.#length);
      this.#keep(text, at, end);
      yield { text: this.#join() };
      at = end;
    }
    this.#keep(text, at, to);
  }

  #keep(text: string, from: number, to: number): void {
    if (from === to) return;
    this.#parts.push(text.slice(from, to));
    this.#length += to - from;
  }

  #join(): string {
    const [only = ""] = this.#parts;
    const text = this.#parts.length > 1 ? this.#parts.join("") : only;
    if (this.#parts.length > 0) this.#parts = [];
    this.#length = 0;
    return text;
  }
}

const withoutReturn = (line: string): string => (line.endsWith("\r") ? line.slice(0, -1) : line);

/** The end of a piece, one further where it would part the two halves of a character. */
const wholeCharacters = (text: string, end: number): number => {
  const half = text.charCodeAt(end);
  return half >= 0xdc00 && half <= 0xdfff ? end + 1 : end;
};

/** A turn of the event loop, and when telling began in it: all commands have it together, however many chunks come. */
interface Turn {
  readonly began: number;
}
let current: Turn | undefined;
function thisTurn(clock: RunSettings["clock"]): Turn {
  if (current) return current;
  setImmediate(() => (current = undefined));
  return (current = { began: clock.monotonic() });
}

const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

async function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<void>();
  const onAbort = (): void => aborted.resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
