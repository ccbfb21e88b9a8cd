/** What a command reads. @module */
import type { Input } from "../../core/connector.ts";

/** Large enough to be quick, small enough that aborting is not late. */
const PIECE = 256 * 1024;

/** The input in pieces of a size that streams like. */
export async function* pieces(input: Input | undefined): AsyncGenerator<Uint8Array> {
  if (input === undefined) return;
  if (input instanceof Uint8Array) yield* split(input);
  else for await (const chunk of input) yield* split(chunk);
}

function* split(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += PIECE) yield bytes.subarray(start, start + PIECE);
}

/** Write all pieces to a terminal or pipe; ends early, without error, when nobody reads any more. */
export async function pump(
  input: Input | undefined,
  write: (piece: Uint8Array) => Promise<boolean>,
): Promise<{ lastByte: number | undefined }> {
  let lastByte: number | undefined;
  for await (const piece of pieces(input)) {
    lastByte = piece.at(-1);
    if (!(await write(piece))) break;
  }
  return { lastByte };
}

/** What a terminal takes for the end of input: once after a whole line, twice after half of one. */
export const endOfInput = (lastByte: number | undefined): string =>
  lastByte === undefined || lastByte === 0x0a ? "\x04" : "\x04\x04";
