/** The two streams that everything is written to, and the one line that changes in place. @module */

const HIDE_CURSOR = "\x1b[?25l";
export const SHOW_CURSOR = "\x1b[?25h";
const CLEAR_LINE = "\r\x1b[2K";
const DEFAULT_COLUMNS = 80;
const LINE_BREAK = 10;

/** Where bytes go. */
export interface Sink {
  /** Bytes are given away: their memory is not to be used any more. */
  write(chunk: string | Uint8Array): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number | undefined;
  /** Somebody else has the terminal: what changes in place would be drawn into what they see. */
  readonly isInBackground?: boolean;
  /** Bytes that nobody has taken yet. */
  readonly pending?: number;
  /** Write now what waits to be written with more. */
  send?(): void;
  /** `undefined` while there is room; else settles when there is some again. */
  room?(): Promise<void> | undefined;
}

/** The line in progress is not drawn for whom it would only pile up. */
const IDLE_BYTES = 4096;

/** Lines for people go to stderr, data goes to stdout, and neither ever runs into the line in progress. */
export class Screen {
  readonly #out: Sink;
  readonly #err: Sink;
  #live = "";
  /** What every event says of where it comes from. */
  #origin: Readonly<Record<string, unknown>> = {};
  #hasEvents = false;
  /** Where bytes were written as they came, the last line may not have ended. */
  #openLine: Sink | undefined;

  constructor(out: Sink, err: Sink) {
    this.#out = out;
    this.#err = err;
  }

  /** Columns to fill. */
  get columns(): number {
    return this.#err.columns || DEFAULT_COLUMNS;
  }

  /** Columns that a line may have: as many as it needs where no terminal would break it. */
  get width(): number {
    return this.#err.isTTY ? this.columns : Infinity;
  }

  /** Lines for people. */
  lines(lines: readonly string[]): void {
    if (lines.length === 0 || this.#isLeft) return;
    const live = this.#live;
    this.#to(this.#err).write(`${this.#lineBreak()}${live === "" ? "" : CLEAR_LINE}${lines.join("\n")}\n${live}`);
  }

  /** Bytes as they come, lines or not, to one of the streams. */
  bytes(stream: "stdout" | "stderr", chunk: Uint8Array): void {
    if (chunk.length === 0 || this.#isLeft) return;
    const sink = stream === "stdout" ? this.#out : this.#err;
    if (sink.isTTY) this.live(undefined);
    // Whoever gave the chunk may use it again.
    this.#to(sink).write(new Uint8Array(chunk));
    if (chunk.at(-1) !== LINE_BREAK) this.#openLine = sink;
    else if (this.#openLine === sink) this.#openLine = undefined;
  }

  /** `undefined` while both streams are read about as fast as they are written; else settles when they are. */
  room(): Promise<void> | undefined {
    return this.#out.room?.() ?? this.#err.room?.();
  }

  /** What went to the other one before comes first: both may be one pipe. */
  #to(sink: Sink): Sink {
    (sink === this.#out ? this.#err : this.#out).send?.();
    return sink;
  }

  /** What ends an open line that the next one for people would run into. */
  #lineBreak(): string {
    const open = this.#openLine;
    if (!open || (open !== this.#err && !(open.isTTY && this.#err.isTTY))) return "";
    this.#openLine = undefined;
    return "\n";
  }

  /** A line of data. */
  data(line: string): void {
    // Both streams may be the same terminal.
    const live = this.#out.isTTY ? this.#live : "";
    if (live !== "") this.#to(this.#err).write(CLEAR_LINE);
    this.#to(this.#out).write(`${line}\n`);
    if (live !== "") this.#to(this.#err).write(live);
  }

  /** An event of the run, or anything else with a type, as a line of JSON with the time it happened. */
  event({ type, ...rest }: { readonly type: string }, now: number): void {
    this.#hasEvents = true;
    this.data(JSON.stringify({ type, time: new Date(now).toISOString(), ...this.#origin, ...rest }));
  }

  /** Data are events, and there were some. */
  get hasEvents(): boolean {
    return this.#hasEvents;
  }

  /** Let all events from here on say where they come from. */
  set origin(origin: Readonly<Record<string, unknown>>) {
    this.#origin = origin;
  }

  /** The line in progress; `undefined` takes it away. */
  live(line: string | undefined): void {
    const next = line ?? "";
    if (next === this.#live) return;
    // Neither into a line that has not ended, nor for nobody.
    if (next !== "" && (this.#isLeft || this.#openLine?.isTTY || (this.#err.pending ?? 0) > IDLE_BYTES)) return;
    if (this.#err.isInBackground) {
      // Whoever has the terminal now has moved on from that line.
      this.#live = "";
      return;
    }
    // Each time: somebody who had the terminal in between wanted a cursor.
    this.#to(this.#err).write(`${CLEAR_LINE}${next === "" ? SHOW_CURSOR : HIDE_CURSOR}${next}`);
    this.#live = next;
  }

  /** The program ends, whatever still goes on: what people read after this would push its last words out of sight. */
  leave(lastWords: () => void): void {
    this.live(undefined);
    lastWords();
    this.live(undefined);
    this.#isLeft = true;
  }
  #isLeft = false;

  /** Write as it is: a question, without a line break. */
  prompt(text: string): void {
    this.live(undefined);
    this.#to(this.#err).write(text);
  }
}
