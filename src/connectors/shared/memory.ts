/** Memory of what a command has printed, once nobody needs it any more. @module */

/** Not worth the trouble. */
const SMALL_BYTES = 1024;
/** A part of a buffer up to this size may be one of several: in Node's pool, in the window of a decompressor. */
const SHARED_BYTES = 16 * 1024;
/** What a packet holds beside its content, at most: its header, and what fills it up. */
const AROUND_BYTES = 512;
/** So much is given back between two collections of all garbage. */
const COLLECTED_BYTES = 64 * 1024 * 1024;

let givenBack = 0;

/**
 * Give a chunk's memory back at once. The collector of garbage sees the small objects that chunks are, and lets them pile up to many
 * times what is in use. Nothing may use the chunk afterwards; a chunk that is only a part of something is left alone.
 */
export function giveBack({ buffer, byteLength }: Uint8Array): void {
  const around = buffer.byteLength - byteLength;
  if (!(buffer instanceof ArrayBuffer) || byteLength < SMALL_BYTES || around > AROUND_BYTES) return;
  if (around > 0 && buffer.byteLength <= SHARED_BYTES) return;
  givenBack += buffer.byteLength;
  buffer.transfer(0);
  if (givenBack < COLLECTED_BYTES) return;
  givenBack = 0;
  // What was on its way at a small collection counts as old, and stays until all is collected. Not waited for: that would hold other hosts up.
  Bun.gc(false);
}
