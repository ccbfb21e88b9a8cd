/** Fewer and larger writes. @module */
import type { Duplex } from "node:stream";

/**
 * Join what is written in one turn of the event loop. ssh2 writes a packet in three pieces, each of which would travel alone
 * and wake the server's process; and what hosts are sent together comes from several writers.
 */
export function gatherWrites<Socket extends Duplex>(socket: Socket): Socket {
  const write = socket.write.bind(socket) as (chunk: Uint8Array) => boolean;
  const end = socket.end.bind(socket) as (...args: unknown[]) => Socket;
  let pieces: Uint8Array[] = [];
  const flush = (): void => {
    const all = pieces;
    pieces = [];
    if (all.length > 0 && socket.writable) write(all.length === 1 ? all[0]! : Buffer.concat(all));
  };
  socket.write = ((piece: Uint8Array): boolean => {
    if (pieces.push(piece) === 1) setImmediate(flush);
    return !socket.writableNeedDrain;
  }) as Socket["write"];
  socket.end = ((...args: unknown[]): Socket => {
    flush();
    return end(...args);
  }) as Socket["end"];
  return socket;
}
