/** Servers that send some away when many come at once. @module */
import { Slots } from "../shared/slots.ts";
import { backOff, pause } from "../shared/wait.ts";
import { DroppedError, type Retry, tried } from "./retry.ts";

export interface DoorOptions {
  /** Seconds without anybody getting in after which there is no hope. */
  readonly patience: number;
  readonly retry: Retry;
  readonly signal: AbortSignal;
}

/**
 * One server's entrance, for all connections of a run. Once it has dropped somebody, fewer come at a time, and slowly more again while all goes
 * well. Who was dropped comes again behind those who wait, for as long as others get in: each round lets somebody in or is one of the last.
 */
export class Door {
  readonly #slots: Slots;
  /** How many got in since the number at once was changed. */
  #entries = 0;
  #lastEntry = 0;
  #narrowedAt = -1;

  constructor(atOnce: number) {
    this.#slots = new Slots(atOnce);
  }

  /** Throws what `attempt` throws, but a `DroppedError` only when there is no hope left. */
  async enter<T>(attempt: () => Promise<T>, { patience, retry, signal }: DoorOptions): Promise<T> {
    const arrived = performance.now();
    let dropped = arrived;
    for (let attempts = 1, inRow = 1; ; attempts++, inRow++) {
      let began = 0;
      try {
        using _ = await this.#slots.take(signal);
        began = performance.now();
        const entered = await attempt();
        this.#widen();
        return entered;
      } catch (error) {
        if (!(error instanceof DroppedError)) throw error;
        this.#narrow(began);
        if (this.#lastEntry > dropped) inRow = 1;
        dropped = performance.now();
        const delay = backOff(inRow, { first: retry.minDelay * 1000, most: retry.maxDelay * 1000 });
        const inVain = dropped + delay - Math.max(arrived, this.#lastEntry);
        if (inVain >= patience * 1000) throw tried(attempts, error, `; nobody got in there for ${patience} seconds`);
        await pause(delay, signal);
      }
    }
  }

  #widen(): void {
    this.#lastEntry = performance.now();
    if (this.#narrowedAt < 0 || ++this.#entries < this.#slots.limit) return;
    this.#entries = 0;
    this.#slots.grow();
  }

  /** Once for all who came together. */
  #narrow(began: number): void {
    if (began < this.#narrowedAt) return;
    this.#narrowedAt = performance.now();
    this.#entries = 0;
    this.#slots.shrink(Math.floor(this.#slots.limit / 2));
  }
}
