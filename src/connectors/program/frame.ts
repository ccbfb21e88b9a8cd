/** A command's output between two lines of ours: so that a program's own words are not taken for it, and a lost program not for its end. @module */
import { Secret, type Shell } from "../../core/command.ts";
import { MOST_BEFORE } from "../../core/connect-failure.ts";
import { beforeOurLine } from "../shared/output.ts";

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

  constructor(line: Shell, { pty, reads = false }: { readonly pty: boolean; readonly reads?: boolean }) {
    const nonce = crypto.randomUUID().replaceAll("-", "");
    this.stdout = new FramedStream(nonce);
    // On a terminal both streams are one.
    this.stderr = pty ? this.stdout : new FramedStream(nonce);
    this.begun = this.stdout.begun;
    this.ended = Promise.all([this.stdout.ended, this.stderr.ended]).then(() => undefined);
    this.words = [
      "/bin/sh",
      "-c",
      pty ? TERMINAL_SCRIPT : reads ? READING_SCRIPT : SCRIPT,
      nonce,
      Secret.of(line.wire()),
    ];
  }
  /** The process that leads the line's process group, once it has begun. */
  get pid(): number | undefined {
    return this.stdout.begin;
  }
  /** Once it has ended. */
  get exitCode(): number | undefined {
    return this.stdout.end;
  }
}

// The line is not run in the wrapper's place: who would say how it ended? It outlives what is meant for the line, which may have to tidy up;
// what comes before the line has begun is remembered, and the line not run.
const KEPT = "t=; trap t=1 HUP INT QUIT TERM";
const LINE = `if [ -z "$t" ]; then /bin/sh -c "$1"; c=$?; else c=143; fi`;
const mark = (...what: string[]): string => `printf '\\001%s %s %s\\n' "$0" ${what.join(" ")}`;
const PLAIN = `${KEPT}; ${mark("b", "$$")}; ${mark("b")} >&2; ${LINE}; ${mark("e", "$c")}; ${mark("e")} >&2`;
const SCRIPT = `${PLAIN}; exit $c`;
/** Podman loses what was printed last if there is input left that nobody has read. */
const READING_SCRIPT = `${PLAIN}; cat >/dev/null 2>&1; exit $c`;
/** Typed text (a password, for one) is not to come back as output, and lines are to end as they do in a pipe. */
const TERMINAL_SCRIPT = `${KEPT}; stty -echo -onlcr 2>/dev/null; ${mark("b", "$$")}; ${LINE}; ${mark("e", "$c")}; exit $c`;

/** As much as is kept of what comes before a line has begun. */
const MOST_NOISE = 64 * 1024;

/** One of a line's two streams. */
export class FramedStream {
  /** What the first mark carried. */
  begin: number | undefined;
  /** What the second one carried. */
  end: number | undefined;
  readonly begun: Promise<void>;
  readonly ended: Promise<void>;
  readonly #nonce: string;
  readonly #marks: Readonly<Record<"b" | "e", string>>;
  readonly #tell: Readonly<Record<"b" | "e", () => void>>;
  #state: "before" | "within" | "after" = "before";
  #held: Buffer = NOTHING;
  #before = 0;

  constructor(nonce: string) {
    this.#nonce = nonce;
    this.#marks = { b: `\x01${nonce} b`, e: `\x01${nonce} e` };
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    this.begun = begun.promise;
    this.ended = ended.promise;
    this.#tell = { b: begun.resolve, e: ended.resolve };
  }
  /** What of the chunk, and of what was held back, is the line's own output. */
  pass(chunk: Uint8Array): Uint8Array {
    if (this.#state === "after") return NOTHING;
    // Most output holds no mark, and is handed on as it is.
    if (this.#state === "within" && this.#held.length === 0 && !chunk.includes(MARK)) return chunk;
    let bytes = Buffer.concat([this.#held, chunk]);
    this.#held = NOTHING;
    if (this.#state === "before") {
      const found = this.#find(bytes, "b");
      if (!found) {
        this.#before += chunk.length;
        this.#held = Buffer.from(bytes.subarray(-MOST_NOISE));
        return NOTHING;
      }
      this.begin = found.value;
      this.#state = "within";
      this.#tell.b();
      bytes = bytes.subarray(found.end);
    }
    const found = this.#find(bytes, "e");
    if (!found) {
      const from = this.#beginning(bytes);
      this.#held = bytes.subarray(from);
      return bytes.subarray(0, from);
    }
    this.end = found.value;
    this.#state = "after";
    this.#tell.e();
    return bytes.subarray(0, found.start);
  }
  /** So much came before the line began that it is not waited for any more. */
  get isDrowned(): boolean {
    return this.#before > MOST_BEFORE;
  }
  /** What came before the line began: a program's own words, if it never did. */
  get noise(): string {
    return this.#state === "before" ? beforeOurLine(this.#held.toString().trim(), this.#nonce) : "";
  }

  #find(
    bytes: Buffer,
    which: "b" | "e",
  ): { readonly start: number; readonly end: number; readonly value: number | undefined } | undefined {
    const start = bytes.indexOf(this.#marks[which]);
    const end = start < 0 ? -1 : bytes.indexOf("\n", start);
    if (end < 0) return undefined;
    const value = bytes.toString("latin1", start + this.#marks[which].length, end).trim();
    return { start, end: end + 1, value: value === "" ? undefined : Number(value) };
  }

  /** Where a mark begins that has not come whole. */
  #beginning(bytes: Buffer): number {
    const at = bytes.lastIndexOf(MARK);
    if (at < 0) return bytes.length;
    const rest = bytes.toString("latin1", at, at + this.#marks.e.length);
    return this.#marks.e.startsWith(rest) || rest === this.#marks.e ? at : bytes.length;
  }
}

const MARK = 1;
const NOTHING = Buffer.alloc(0);
