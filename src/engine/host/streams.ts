/** Bytes on their way to and from a command. @module */
import { Secret, type Shell } from "../../core/command.ts";
import { MOST_BEFORE, tooMuchBefore } from "../../core/connect-failure.ts";
import type { Input } from "../../core/connector.ts";

/** What sudo says when it asks again; in other languages the deadline ends it. */
export const REFUSED = /try again|incorrect password/i;
/** A password that was offered is accepted or refused within so many milliseconds. */
export const PASSWORD_DEADLINE_MS = 30_000;
/** Without one, whoever becomes somebody else does so within that time, or waits for an input that nobody gives: a person may have to let them in. */
export const BECOMING_MS = 60_000;
/** Who has written a question by then waits for its answer. */
export const ASKING_MS = 10_000;

/** What marks a command: a word that nothing else prints. */
export const newNonce = (): string => `tsinfra-${crypto.randomUUID().replaceAll("-", "")}`;

/** Finds the line `NONCE PID` in a stream and takes it, and all before it, out. */
export class Mark {
  readonly #start: string;
  readonly #host: string;
  /** What came before the mark has come whole, and how much of the buffer that is. */
  #held: Buffer = NOTHING;
  #length = 0;
  pid: number | undefined;
  /** Its line ends as those of terminals do. */
  endsInReturn = false;

  constructor(nonce: string, host: string) {
    this.#start = `${nonce} `;
    this.#host = host;
  }

  /** All that has come, as long as the mark has not. */
  get before(): Uint8Array {
    return this.pid === undefined ? this.#held.subarray(0, this.#length) : NOTHING;
  }

  /** What of this chunk belongs to the command. Throws `ConnectError` if the mark has not come after much else. */
  push(chunk: Uint8Array): Uint8Array {
    if (this.pid !== undefined) return chunk;
    // The mark may have begun in what came before.
    const from = Math.max(0, this.#length - this.#start.length - PID_LENGTH);
    const isFirst = this.#length === 0;
    if (isFirst) {
      // Mostly it is all there at once, and nothing need be copied.
      this.#held = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
      this.#length = chunk.length;
    } else this.#hold(chunk);
    const text = this.#held.toString("latin1", from, this.#length);
    for (let at = text.indexOf(this.#start); at !== -1; at = text.indexOf(this.#start, at + 1)) {
      PID_LINE.lastIndex = at + this.#start.length;
      const found = PID_LINE.exec(text);
      if (!found) continue;
      this.pid = Number(found[1]);
      this.endsInReturn = found[2] !== "";
      return this.#held.subarray(from + PID_LINE.lastIndex, this.#length);
    }
    if (isFirst) this.#held = Buffer.from(this.#held);
    if (this.#length > MOST_BEFORE) throw tooMuchBefore(this.#host, MOST_BEFORE);
    return NOTHING;
  }

  /** Somebody has begun a line, and waits. */
  get isUnfinished(): boolean {
    return /\S[^\n]*$/.test(this.#text);
  }

  saw(pattern: RegExp): boolean {
    return pattern.test(this.#text);
  }

  sawBefore(line: string): boolean {
    return this.#text.includes(line);
  }

  /** Behind that line somebody has begun another one, and waits. */
  sawPromptAfter(line: string): boolean {
    const text = this.#text;
    const at = text.indexOf(line);
    return at >= 0 && /\S[^\n]*$/.test(text.slice(at + line.length));
  }

  get #text(): string {
    return this.#held.toString("latin1", 0, this.#length);
  }

  #hold(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#held.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#held.length));
      grown.set(this.before);
      this.#held = grown;
    }
    this.#held.set(chunk, this.#length);
    this.#length = needed;
  }
}
const PID_LINE = /(\d+)(\r?)\n/y;
const PID_LENGTH = 32;
const NOTHING = Buffer.alloc(0);

/** Finds what tells the end of a command in a stream, and takes it out; where it `isLast`, what comes behind it too. */
export class EndMark {
  readonly #start: string;
  readonly #isLast: boolean;
  #held: Buffer = NOTHING;
  exitCode: number | undefined;
  /** Somebody has read what the command was to be made of: it has not run. */
  isUnread = false;

  constructor(nonce: string, { isLast = false }: { readonly isLast?: boolean } = {}) {
    this.#start = `\x01${nonce} `;
    this.#isLast = isLast;
  }

  /** What of this chunk, and of what was held back, belongs to the command. */
  push(chunk: Uint8Array): Uint8Array {
    if (this.exitCode !== undefined) return this.#isLast ? NOTHING : chunk;
    if (this.#held.length === 0 && !chunk.includes(MARK_BEGIN)) return chunk;
    const bytes = Buffer.concat([this.#held, chunk]);
    this.#held = NOTHING;
    const at = bytes.indexOf(this.#start);
    const end = at === -1 ? -1 : bytes.indexOf("\n", at);
    const told =
      end === -1
        ? undefined
        : /^(?:\d+|unread)(?=\r?$)/.exec(bytes.toString("latin1", at + this.#start.length, end))?.[0];
    if (told !== undefined) {
      this.isUnread = told === "unread";
      this.exitCode = this.isUnread ? 1 : Number(told);
      return Buffer.concat([bytes.subarray(0, at), this.#isLast ? NOTHING : bytes.subarray(end + 1)]);
    }
    const last = bytes.lastIndexOf(MARK_BEGIN);
    const isBeginning = bytes.length - last < this.#start.length + PID_LENGTH;
    if (end !== -1 || last === -1 || !isBeginning) return bytes;
    this.#held = bytes.subarray(last);
    return bytes.subarray(0, last);
  }
}
const MARK_BEGIN = 1;

/** The line that says that a command has begun, or its end, comes once more: somebody repeats lines. */
export function repeatsMark(bytes: Uint8Array, nonce: string): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const at = buffer.indexOf(nonce);
  return (
    at !== -1 && new RegExp(`(?:^|\\n)\x01?${nonce} \\d+\\r?\\n`).test(buffer.toString("latin1", Math.max(0, at - 2)))
  );
}

/** Somebody said why a command does not begin. On stdout only nologin and its like do that: all else there may be the command's own. */
export const saysWhy = (stderr: Uint8Array, stdout: Uint8Array): boolean =>
  lastLine(stderr) !== "" || NOT_AVAILABLE.test(lastLine(stdout));
const NOT_AVAILABLE = /not (?:currently )?(?:available|allowed|permitted)|nologin|account (?:is|has)|disabled|expired/i;

/** Lines that a command reads first. */
export const preambleBytes = (lines: readonly (string | Secret)[]): Uint8Array =>
  Buffer.from(lines.map(line => `${line instanceof Secret ? line.reveal() : line}\n`).join(""));

/** Lines, and what they wait for. */
export interface PreamblePart {
  readonly lines: readonly (string | Secret)[];
  /** What they wait for; `false` ends the input. */
  readonly after?: Promise<boolean | void> | undefined;
}

/** What a command reads: lines first, each when it is their time, then its own input. */
export async function* withPreamble(
  parts: readonly PreamblePart[],
  rest: Input | undefined,
): AsyncGenerator<Uint8Array> {
  for (const { lines, after } of parts) {
    if (lines.length === 0) continue;
    if ((await after) === false) return;
    yield preambleBytes(lines);
  }
  if (rest instanceof Uint8Array) yield rest;
  else if (rest) yield* rest;
}

/** The same chunks, counted as they are taken. */
export async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  onBytes: (sent: number) => void,
): AsyncGenerator<Uint8Array> {
  let sent = 0;
  for await (const chunk of chunks) {
    yield chunk;
    onBytes((sent += chunk.length));
  }
}

/** Content in pieces. */
export async function* slices(content: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += SLICE) yield content.subarray(at, at + SLICE);
}
const SLICE = 256 * 1024;

/** Content to upload, as bytes. */
export function bytes(content: string | Uint8Array | Secret): Uint8Array {
  if (content instanceof Uint8Array) return content;
  return Buffer.from(typeof content === "string" ? content : content.reveal());
}

/** Content that a shell can hold: valid text without NUL. */
export function asText(content: Uint8Array): string | undefined {
  const text = Buffer.from(content).toString();
  return text.includes("\0") || !Buffer.from(text).equals(Buffer.from(content)) ? undefined : text;
}

/** The last line that says something; empty if none does. */
export const lastLine = (output: Uint8Array): string =>
  Buffer.from(output.subarray(-LAST)).toString().trim().split("\n").at(-1) ?? "";
const LAST = 64 * 1024;

/** The last line that says why something was refused; `undefined` if none does. sudo has more to say of its plugins. */
export const lastReason = (lines: readonly string[]): string | undefined =>
  lines.map(line => line.trim()).findLast(line => line !== "" && !/^sudo: error initializing audit plugin/.test(line));

/** Where the last mark could begin that is not complete yet. */
export function heldBack(bytes: Buffer): number {
  const at = bytes.lastIndexOf(MARK_BEGIN);
  return at === -1 || bytes.length - at > LONGEST_MARK ? bytes.length : at;
}
const LONGEST_MARK = 100;

/** How a shell begins that stays. */
export interface FramedStart {
  readonly line: Shell;
  readonly passwords: Uint8Array;
  readonly preamble: Uint8Array;
  /** All but passwords is held back until it has begun. */
  readonly waits: boolean;
}

/** A stream that is written to from outside. */
export class PushStream implements AsyncIterable<Uint8Array> {
  #chunks: Uint8Array[] = [];
  #held: Uint8Array[] | undefined;
  #wake: (() => void) | undefined;
  #ended = false;

  push(chunk: Uint8Array): void {
    (this.#held ?? this.#chunks).push(chunk);
    this.#wake?.();
  }
  /** Keep what is pushed from now on until it is released. */
  hold(): void {
    this.#held ??= [];
  }
  release(): void {
    if (!this.#held) return;
    this.#chunks = [...this.#chunks, ...this.#held];
    this.#held = undefined;
    this.#wake?.();
  }
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunks = this.#chunks;
      this.#chunks = [];
      if (chunks.length > 0) yield chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
      else if (this.#ended) return;
      else await new Promise<void>(resolve => (this.#wake = resolve));
    }
  }
}
