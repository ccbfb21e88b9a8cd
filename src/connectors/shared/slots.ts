/** A limited number of things at once, the others in line. @module */
import { onAbort } from "../../core/abort.ts";

/** How many may run at once. May shrink while in use: what runs goes on, what waits waits longer; and grow again. */
export class Slots {
  #limit: number;
  #taken = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }
  get limit(): number {
    return this.#limit;
  }
  get taken(): number {
    return this.#taken;
  }
  /** Allow no more than `limit` from now on, but at least one. */
  shrink(limit: number): void {
    this.#limit = Math.max(1, Math.min(this.#limit, limit));
  }
  /** Allow one more. */
  grow(): void {
    this.#limit++;
    this.#admit();
  }
  /** Wait for a slot; disposing frees it. Rejects with the signal's reason when aborted. */
  async take(signal?: AbortSignal): Promise<Disposable> {
    signal?.throwIfAborted();
    if (this.#taken >= this.#limit) await this.#turn(signal);
    else this.#taken++;
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#free();
      },
    };
  }
  async #turn(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    using _ = onAbort(signal, () => {
      const place = this.#waiting.indexOf(resolve);
      // Not in line any more: the slot is already ours, and the caller's own abort handling frees it.
      if (place === -1) return;
      this.#waiting.splice(place, 1);
      reject(signal?.reason);
    });
    await promise;
  }
  #free(): void {
    this.#taken--;
    this.#admit();
  }
  #admit(): void {
    while (this.#taken < this.#limit) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#taken++;
      next();
    }
  }
}
