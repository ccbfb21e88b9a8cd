/** What a command printed, as far as it is kept. @module */

/** Bytes that are kept of each output of a command: its end. The rest is told as it comes, and forgotten. */
export const KEPT_OUTPUT = 8 * 1024 * 1024;

/** The last bytes of an output, in a buffer that grows to `most` bytes and no further. */
export class KeptOutput {
  readonly #most: number;
  #buffer: Uint8Array = EMPTY;
  /** How much of the buffer is used. */
  #length = 0;
  /** Where the oldest byte is, once the buffer goes round. */
  #start = 0;
  #isCut = false;

  constructor(most: number = KEPT_OUTPUT) {
    this.#most = most;
  }

  /** There was more than is kept. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Take a chunk; it is copied, for it may be part of a buffer that is used again. */
  add(chunk: Uint8Array): void {
    if (this.#length + chunk.length <= this.#most) {
      this.#grow(this.#length + chunk.length);
      this.#buffer.set(chunk, this.#length);
      this.#length += chunk.length;
      return;
    }
    this.#isCut = true;
    this.#grow(this.#most);
    const last = chunk.length > this.#most ? chunk.subarray(chunk.length - this.#most) : chunk;
    // Up to where it goes round, it may not be full yet.
    const room = this.#most - this.#length;
    this.#buffer.set(last.subarray(0, room), this.#length);
    this.#length = this.#most;
    for (let at = Math.min(room, last.length); at < last.length;) {
      const part = last.subarray(at, at + this.#most - this.#start);
      this.#buffer.set(part, this.#start);
      this.#start = (this.#start + part.length) % this.#most;
      at += part.length;
    }
  }

  /** What is kept; if it was cut, from the first whole line on. Nothing may be added afterwards. */
  bytes(): Uint8Array {
    if (this.#length === this.#buffer.length && !this.#isCut) return this.#buffer;
    // In place: a copy would take as much again.
    const kept = this.#buffer.subarray(0, this.#length);
    if (this.#start > 0) {
      kept.subarray(0, this.#start).reverse();
      kept.subarray(this.#start).reverse();
      kept.reverse();
      this.#start = 0;
    }
    if (!this.#isCut) return kept;
    return kept.subarray(kept.indexOf(NEWLINE) + 1);
  }

  #grow(needed: number): void {
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.min(this.#most, Math.max(needed, 4 * this.#buffer.length)));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

const EMPTY = new Uint8Array();
const NEWLINE = 10;
