/** Bytes on their way to and from a command. @module */
import { Secret } from "../../core/command.ts";
import type { Input } from "../../core/connector.ts";

/** Finds the line `NONCE PID` in a stream and takes it, and all before it, out. */
export class Mark {
  readonly #start: string;
  #head = "";
  before: Uint8Array = new Uint8Array();
  pid: number | undefined;
  #skip = 0;

  constructor(nonce: string) {
    this.#start = `${nonce} `;
  }

  /** What of this chunk belongs to the command. */
  push(chunk: Uint8Array): Uint8Array {
    if (this.pid !== undefined) return chunk;
    const seen = this.before.length === 0 ? chunk : concat(this.before, chunk);
    this.before = seen;
    this.#head = Buffer.from(seen).toString("latin1");
    const found = MARK_LINE(this.#start).exec(this.#head);
    if (!found) return new Uint8Array();
    this.pid = Number(found[1]);
    this.#skip = found.index + found[0].length;
    return seen.subarray(this.#skip);
  }

  sawBefore(line: string): boolean {
    return this.#head.includes(line);
  }

  /** Behind that line somebody has begun another one, and waits. */
  sawPromptAfter(line: string): boolean {
    const at = this.#head.indexOf(line);
    return at >= 0 && /\S[^\n]*$/.test(this.#head.slice(at + line.length));
  }

  strip(output: Uint8Array): Uint8Array {
    return output.subarray(this.#skip);
  }
}
const MARK_LINE = (start: string): RegExp => new RegExp(`${start}(\\d+)\\r?\\n`);

/** Lines that a command reads first. */
export const preambleBytes = (lines: readonly (string | Secret)[]): Uint8Array =>
  Buffer.from(lines.map(line => `${line instanceof Secret ? line.reveal() : line}\n`).join(""));

/** Lines, and what they wait for. */
export interface PreamblePart {
  readonly lines: readonly (string | Secret)[];
  readonly after?: Promise<void> | undefined;
}

/** What a command reads: lines first, each when it is their time, then its own input. */
export async function* withPreamble(
  parts: readonly PreamblePart[],
  rest: Input | undefined,
): AsyncGenerator<Uint8Array> {
  for (const { lines, after } of parts) {
    if (lines.length === 0) continue;
    await after;
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

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  return Buffer.concat([a, b]);
}

/** Content that a shell can hold: valid text without NUL. */
export function asText(content: Uint8Array): string | undefined {
  const text = Buffer.from(content).toString();
  return text.includes("\0") || !Buffer.from(text).equals(Buffer.from(content)) ? undefined : text;
}

/** The last line that says something; empty if none does. */
export const lastLine = (output: Uint8Array): string => Buffer.from(output).toString().trim().split("\n").at(-1) ?? "";
