/** A command's output between two lines of ours: so that a program's own words are not taken for it, and a lost program not for its end. @module */
import { Secret, type Shell } from "../../core/command.ts";
import { beforeOurWords, type Garbling, MOST_BEFORE } from "../../core/connect-failure.ts";

/** Words of a command line; the last one may hold secrets. */
export type Words = readonly (string | Secret)[];

/**
 * A shell line that says which process it is, and how it ended. What a program that reaches into a place answers
 * for itself (no such container, the connection broke) cannot be told from the line's own exit code otherwise.
 */
export class Frame {
  readonly stdout: FramedStream;
  readonly stderr: FramedStream;
  /** Resolves when the line has begun. */
  readonly begun: Promise<void>;
  /** Resolves when the line has ended and all its output is here; that of what it left in the background is not waited for. */
  readonly ended: Promise<void>;
  /** The command line that runs it. */
  readonly words: Words;
  /** It says when it has ended. */
  readonly tellsEnd: boolean;

  constructor(line: Shell, { pty, reads = false, stays = false, plain = false }: FrameOptions) {
    const nonce = crypto.randomUUID().replaceAll("-", "");
    this.tellsEnd = !stays;
    this.stdout = new FramedStream(nonce, { own: OUT, other: ERR, pty });
    // On a terminal both streams are one.
    this.stderr = pty ? this.stdout : new FramedStream(nonce, { own: ERR, other: OUT, pty });
    this.begun = this.stdout.begun;
    this.ended = Promise.all([this.stdout.ended, this.stderr.ended]).then(() => undefined);
    const { terminal, staying, reading, usual } = plain ? PLAIN : ESCAPED;
    this.words = [
      "/bin/sh",
      "-c",
      pty ? terminal : stays ? staying : reads ? reading : usual,
      plain ? `\x01${nonce}` : nonce,
      Secret.of(line.wire()),
    ];
  }
  /** The process that leads the line's process group, once it has begun. */
  get pid(): number | undefined {
    const { begin = 0 } = this.stdout;
    return begin > 1 ? begin : undefined;
  }
  /** Once it has ended. */
  get exitCode(): number | undefined {
    return this.stdout.end;
  }
  /** It has said that it has ended, on both streams. */
  get isOver(): boolean {
    return this.stdout.isOver && this.stderr.isOver;
  }
  /** One stream has begun, or ended, and the other has not. */
  get isUneven(): boolean {
    const { stdout, stderr } = this;
    return stdout.state !== stderr.state && (this.tellsEnd || stdout.state === "before" || stderr.state === "before");
  }
  /** It has begun as one stream says, and the other has not said a thing of it. */
  get dropped(): Garbling | undefined {
    const { stdout, stderr } = this;
    if ((stdout.state === "before") === (stderr.state === "before")) return undefined;
    return stdout.state === "before" ? "no stdout" : "no stderr";
  }
  /** It has begun, as both streams say. */
  get isHeard(): boolean {
    return this.stdout.state !== "before" && this.stderr.state !== "before";
  }
  /** Nothing more is needed of what is printed: it has said all that it has to say. */
  get isTold(): boolean {
    return this.tellsEnd ? this.isOver : this.isHeard;
  }
  /** The streams did not arrive as they were sent. */
  get garbling(): Garbling | undefined {
    return this.stdout.garbling ?? this.stderr.garbling;
  }
}

/** Calls `onLate` when one stream of a frame waits too long for the other: somebody holds that back, or has closed it. */
export class Evenness implements Disposable {
  readonly #frame: Frame;
  readonly #isPending: () => boolean;
  readonly #onLate: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Output that has not been taken yet is waited for. */
  constructor(frame: Frame, { isPending, onLate }: { readonly isPending: () => boolean; readonly onLate: () => void }) {
    this.#frame = frame;
    this.#isPending = isPending;
    this.#onLate = onLate;
  }
  /** Call whenever something has come. */
  heard(): void {
    clearTimeout(this.#timer);
    if (this.#frame.isUneven) this.#timer = setTimeout(() => (this.#isPending() ? this.heard() : this.#onLate()), LATE);
  }
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
/** Milliseconds of silence. */
const LATE = 10_000;

export interface FrameOptions {
  readonly pty: boolean;
  readonly reads?: boolean;
  /** It runs until it is told to end, which says nothing: no process waits to tell it. */
  readonly stays?: boolean;
  /** The words hold nothing that shells other than POSIX's read differently; but a control character. */
  readonly plain?: boolean;
}

/**
 * Behind the mark of a beginning come lines that show what becomes of lines on the way: whether something is written in front
 * of each, whether equal ones are left out, long ones cut or folded, tabs, spaces or repeated characters changed.
 * stderr, which holds words for people, has a short one: a slow host has to print them for every command.
 */
const ZEROS = 100;
const PROBES = {
  stdout: { count: 2, text: new RegExp(`^p\\t0{${ZEROS}} $`), onTerminal: new RegExp(`^p[\\t ]+0{${ZEROS}} \\r?$`) },
  stderr: { count: 1, text: /^p$/, onTerminal: /^p$/ },
} as const;

/** What marks carry on each stream, so that one is seen in the other. */
const OUT = { begin: "b", end: "e", probe: PROBES.stdout } as const;
const ERR = { begin: "B", end: "E", probe: PROBES.stderr } as const;
type Stream = typeof OUT | typeof ERR;

// The line is not run in the wrapper's place: who would say how it ended? It outlives what is meant for the line, which may have to tidy up;
// what comes before the line has begun is remembered, and the line not run.
const KEPT = "t=; trap t=1 HUP INT QUIT TERM";
const LINE = `if [ -z "$t" ]; then /bin/sh -c "$1"; c=$?; else c=143; fi`;
/** How a mark is written: a letter, and what it carries. */
interface Marks {
  /** That of stdout carries the process. */
  beginOut(): string;
  beginErr(): string;
  end(letter: "e" | "E", carried: string): string;
}
/** The scripts, by how marks are written. */
const scripts = (mark: Marks) => {
  const begin = `${mark.beginOut()}; ${mark.beginErr()} >&2`;
  const whole = `${KEPT}; ${begin}; ${LINE}; ${mark.end("e", "$c")}; ${mark.end("E", '""')} >&2`;
  return {
    usual: `${whole}; exit $c`,
    /** Podman loses what was printed last if there is input left that nobody has read. */
    reading: `${whole}; cat >/dev/null 2>&1; exit $c`,
    staying: `${begin}; exec /bin/sh -c "$1"`,
    /** Typed text (a password, for one) is not to come back as output, and lines are to end as they do in a pipe. */
    terminal: `${KEPT}; stty -echo -onlcr 2>/dev/null; ${mark.beginOut()}; ${LINE}; ${mark.end("e", "$c")}; exit $c`,
  };
};
/** The marks between the quotes of a shell, `first` being how a mark's first character is written, if it is not in the nonce. */
const marks = (quote: "'" | '"', first: string): Marks => {
  const format = (text: string): string => `printf ${quote}${text}${quote}`;
  const probe = `${first}%s p\\t%0${ZEROS}d \\n`;
  return {
    beginOut: () => `${format(`${first}%s b %s\\n${probe}${probe}`)} "$0" $$ "$0" 0 "$0" 0`,
    beginErr: () => `${format(`${first}%s B \\n${first}%s p\\n`)} "$0" "$0"`,
    end: (letter, carried) => `${format(`${first}%s ${letter} %s\\n`)} "$0" ${carried}`,
  };
};
const ESCAPED = scripts(marks("'", "\\001"));
const PLAIN = scripts(marks('"', ""));

/** As much as is kept of what comes before a line has begun. */
const MOST_NOISE = 64 * 1024;

/** One of a line's two streams. */
export class FramedStream {
  /** What the first mark carried. */
  begin: number | undefined;
  /** What the second one carried. */
  end: number | undefined;
  /** What became of it on the way. */
  garbling: Garbling | undefined;
  readonly begun: Promise<void>;
  readonly ended: Promise<void>;
  readonly #nonce: string;
  readonly #start: string;
  readonly #own: Stream;
  readonly #other: Stream;
  readonly #isTerminal: boolean;
  readonly #tellBegun: () => void;
  readonly #tellEnded: () => void;
  /** Where in it we are. */
  state: "before" | "within" | "after" = "before";
  #held: Buffer = NOTHING;
  #before = 0;

  constructor(
    nonce: string,
    { own, other, pty }: { readonly own: Stream; readonly other: Stream; readonly pty: boolean },
  ) {
    this.#nonce = nonce;
    this.#start = `\x01${nonce} `;
    this.#own = own;
    this.#other = other;
    this.#isTerminal = pty;
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    this.begun = begun.promise;
    this.ended = ended.promise;
    this.#tellBegun = begun.resolve;
    this.#tellEnded = ended.resolve;
  }
  /** What of the chunk, and of what was held back, is the line's own output. */
  pass(chunk: Uint8Array): Uint8Array {
    if (this.state === "after" || this.garbling) return NOTHING;
    // Most output holds no mark, and is handed on as it is.
    if (this.state === "within" && this.#held.length === 0 && !chunk.includes(MARK)) return chunk;
    let bytes = Buffer.concat([this.#held, chunk]);
    this.#held = NOTHING;
    if (this.state === "before") {
      const found = this.#find(bytes);
      if (!found) {
        if (this.garbling) return NOTHING;
        this.#before += chunk.length;
        this.#held = Buffer.from(bytes.subarray(-MOST_NOISE));
        if (this.#isStripped()) this.garbling = "changed";
        return NOTHING;
      }
      this.begin = found.value;
      this.state = "within";
      this.#tellBegun();
      bytes = bytes.subarray(found.end);
    }
    const found = this.#find(bytes);
    if (this.garbling) return NOTHING;
    if (!found) {
      const from = this.#beginning(bytes);
      this.#held = bytes.subarray(from);
      return bytes.subarray(0, from);
    }
    this.end = found.value;
    this.state = "after";
    this.#tellEnded();
    return bytes.subarray(0, found.start);
  }
  /** All that is to come of it is here. */
  get isOver(): boolean {
    return this.state === "after";
  }
  /** So much came before the line began that it is not waited for any more. */
  get isDrowned(): boolean {
    return this.#before > MOST_BEFORE;
  }
  /** What came before the line began: a program's own words, if it never did. */
  get noise(): string {
    return this.state === "before" ? beforeOurWords(this.#held.toString(), this.#nonce) : "";
  }

  /** A mark has come without its first character: a recorder may keep control characters to itself. */
  #isStripped(): boolean {
    if (!this.#held.includes(this.#nonce)) return false;
    return new RegExp(`(?<!\x01)${this.#nonce} [bB](?: \\d+)? ?\\r?\\n`).test(this.#held.toString("latin1"));
  }

  /** The next mark. One that is not to come now, or not here, tells what became of the stream. */
  #find(
    bytes: Buffer,
  ): { readonly start: number; readonly end: number; readonly value: number | undefined } | undefined {
    const wanted = this.state === "before" ? this.#own.begin : this.#own.end;
    for (let start = bytes.indexOf(this.#start); start >= 0; start = bytes.indexOf(this.#start, start + 1)) {
      const end = bytes.indexOf("\n", start);
      if (end < 0) return undefined;
      const [, letter = "", number, carriage] =
        /^(\w)(?: (\d+))? ?(\r?)$/.exec(bytes.toString("latin1", start + this.#start.length, end)) ?? [];
      // Somebody shows the line that we sent.
      if (letter === "") continue;
      if (letter === this.#other.begin || letter === this.#other.end) this.garbling = "mixed";
      else if (letter !== wanted || (carriage && !this.#isTerminal)) this.garbling = "changed";
      else {
        const behind = this.state === "before" ? this.#probed(bytes, end + 1) : end + 1;
        if (behind === "changed") this.garbling = behind;
        else if (behind > 0) return { start, end: behind, value: number === undefined ? undefined : Number(number) };
      }
      return undefined;
    }
    return undefined;
  }

  /** Where the last line of a beginning ends, all of which come right behind the first; 0 if they have not come whole. */
  #probed(bytes: Buffer, from: number): number | "changed" {
    const { count, text, onTerminal } = this.#own.probe;
    let at = from;
    for (let line = 0; line < count; line++) {
      const end = bytes.indexOf("\n", at);
      if (end < 0) return 0;
      const came = bytes.toString("latin1", at, end);
      if (!came.startsWith(this.#start)) return "changed";
      if (!(this.#isTerminal ? onTerminal : text).test(came.slice(this.#start.length))) return "changed";
      at = end + 1;
    }
    return at;
  }

  /** Where a mark begins that has not come whole. */
  #beginning(bytes: Buffer): number {
    const at = bytes.lastIndexOf(MARK);
    if (at < 0 || bytes.length - at > LONGEST_MARK) return bytes.length;
    const rest = bytes.toString("latin1", at, at + this.#start.length);
    return this.#start.startsWith(rest) ? at : bytes.length;
  }
}

const MARK = 1;
const LONGEST_MARK = 64;
const NOTHING = Buffer.alloc(0);
