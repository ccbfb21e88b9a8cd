/** What an operation prints before it is its turn to be told of. @module */
import type { OutputStream } from "../../core/connector.ts";
import { KEPT_OUTPUT } from "../../core/output.ts";

type Listener = (stream: OutputStream, chunk: Uint8Array) => Promise<void> | void;

/** Chunks in their order, as many bytes of each stream as are kept elsewhere: the last ones. */
export class HeldOutput {
  readonly #held: Record<OutputStream, Held[]> = { stdout: [], stderr: [] };
  readonly #size: Record<OutputStream, number> = { stdout: 0, stderr: 0 };
  readonly #cut = new Set<OutputStream>();
  #count = 0;
  #listener: Listener | undefined;

  /** There was more than is held. */
  get isCut(): boolean {
    return this.#cut.size > 0;
  }

  readonly push: Listener = (stream, chunk) => {
    if (this.#listener) return this.#listener(stream, chunk);
    const held = this.#held[stream];
    if (chunk.length > KEPT_OUTPUT) this.#cut.add(stream);
    // Copied: the chunk may be part of a buffer that is used again.
    const copy = new Uint8Array(chunk.subarray(-KEPT_OUTPUT));
    held.push({ place: this.#count++, chunk: copy });
    this.#size[stream] += copy.length + OVERHEAD;
    while (held.length > 1 && this.#size[stream] > KEPT_OUTPUT) {
      this.#size[stream] -= held.shift()!.chunk.length + OVERHEAD;
      this.#cut.add(stream);
    }
  };

  /** From now on it is told; first what was held, of a stream that was cut from a whole line on. */
  open(listener: Listener): void {
    this.#listener = listener;
    for (const stream of this.#cut) {
      const [first] = this.#held[stream];
      if (first) first.chunk = first.chunk.subarray(first.chunk.indexOf(NEWLINE) + 1);
    }
    const all = (["stdout", "stderr"] as const).flatMap(stream =>
      this.#held[stream].splice(0).map(({ place, chunk }) => ({ stream, place, chunk })),
    );
    for (const { stream, chunk } of all.toSorted((one, other) => one.place - other.place)) void listener(stream, chunk);
  }
}

interface Held {
  readonly place: number;
  chunk: Uint8Array;
}
/** Bytes that a chunk takes beside its own. */
const OVERHEAD = 64;
const NEWLINE = 10;
