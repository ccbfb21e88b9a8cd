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
    if (all.length > 0 && socket.writable) write(all.length === 1 ? all[0]! : Buffer.concat(all));
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
