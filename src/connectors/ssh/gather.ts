/** Fewer and larger writes. @module */
import type { Duplex } from "node:stream";

/**
 * Join what is written at once: ssh2 writes a packet in three pieces, each of which would travel alone and wake the server's process.
 */
export function gatherWrites(socket: Duplex): Duplex {
  const write = socket.write.bind(socket) as (chunk: Uint8Array) => boolean;
  const end = socket.end.bind(socket) as (...args: unknown[]) => Duplex;
  let pieces: Uint8Array[] = [];
  const flush = (): void => {
    const all = pieces;
    pieces = [];
    for (const chunk of joinSmall(all)) if (socket.writable) write(chunk);
  };
  socket.write = ((piece: Uint8Array): boolean => {
    if (pieces.push(piece) === 1) queueMicrotask(flush);
    return !socket.writableNeedDrain;
  }) as Duplex["write"];
  socket.end = ((...args: unknown[]): Duplex => {
    flush();
    return end(...args);
  }) as Duplex["end"];
  return socket;
}

/** Large pieces stay as they are: copying them would cost more than it saves. */
function* joinSmall(pieces: readonly Uint8Array[]): Generator<Uint8Array> {
  let small: Uint8Array[] = [];
  for (const piece of [...pieces, undefined]) {
    if (piece && piece.length < LARGE) {
      small.push(piece);
      continue;
    }
    if (small.length > 0) yield small.length === 1 ? small[0]! : Buffer.concat(small);
    small = [];
    if (piece) yield piece;
  }
}
const LARGE = 16 * 1024;
