/** The two streams that everything is written to, and the one line that changes in place. @module */

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const CLEAR_LINE = "\r\x1b[2K";
const DEFAULT_COLUMNS = 80;

/** Where bytes go. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Lines for people go to stderr, data goes to stdout, and neither ever runs into the line in progress. */
export class Screen {
  readonly #out: Sink;
  readonly #err: Sink;
  #live = "";
  /** What every event says of where it comes from. */
  #origin: Readonly<Record<string, unknown>> = {};
  #hasEvents = false;

  constructor(out: Sink, err: Sink) {
    this.#out = out;
    this.#err = err;
  }

  /** Columns to fill; as wide as needed when it is no terminal of known width. */
  get columns(): number {
    return this.#err.columns || DEFAULT_COLUMNS;
  }

  /** Lines for people. */
  lines(lines: readonly string[]): void {
    if (lines.length === 0) return;
    const live = this.#live;
    this.#err.write(`${live === "" ? "" : CLEAR_LINE}${lines.join("\n")}\n${live}`);
  }

  /** A line of data, or a part of one that `goesOn`. */
  data(line: string, { goesOn = false }: { readonly goesOn?: boolean } = {}): void {
    // Both streams may be the same terminal.
    const live = this.#out.isTTY ? this.#live : "";
    if (live !== "") this.#err.write(CLEAR_LINE);
    this.#out.write(goesOn ? line : `${line}\n`);
    if (live !== "") this.#err.write(live);
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
    const cursor = this.#live === "" ? HIDE_CURSOR : next === "" ? SHOW_CURSOR : "";
    this.#err.write(`${CLEAR_LINE}${cursor}${next}`);
    this.#live = next;
  }

  /** Write as it is: a question, without a line break. */
  prompt(text: string): void {
    this.live(undefined);
    this.#err.write(text);
  }
}
