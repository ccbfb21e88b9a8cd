/** Servers that send some away when many come at once. @module */
import { Slots } from "../shared/slots.ts";
import { backOff, pause } from "../shared/wait.ts";
import { DroppedError, type Retry, tried } from "./retry.ts";

/** Fewer than sshd lets begin before it drops any (MaxStartups 10), unless told otherwise. */
const FEW = 8;

export interface DoorOptions {
  /** How long it is knocked in vain, in seconds: nobody at all got in during that time. */
  readonly patience: number;
  readonly retry: Retry;
  readonly signal: AbortSignal;
}

/**
 * One server's entrance, for all connections of a run. Once it has dropped somebody, fewer come at a time; who was dropped comes again
 * behind those who are waiting, for as long as others get in. Every round lets somebody in or is one of the last, so it ends.
 */
export class Door {
  readonly #slots: Slots;
  #lastEntry = 0;

  constructor(atOnce: number) {
    this.#slots = new Slots(atOnce);
  }

  /** Throws what `attempt` throws, and `DroppedError` only when there is no hope left. */
  async enter<T>(attempt: () => Promise<T>, { patience, retry, signal }: DoorOptions): Promise<T> {
    const arrived = performance.now();
    for (let attempts = 1; ; attempts++) {
      try {
        using _ = await this.#slots.take(signal);
        const entered = await attempt();
        this.#lastEntry = performance.now();
        return entered;
      } catch (error) {
        if (!(error instanceof DroppedError)) throw error;
        this.#slots.shrink(Math.max(FEW, Math.floor(this.#slots.limit / 2)));
        const inVain = (performance.now() - Math.max(arrived, this.#lastEntry)) / 1000;
        const delay = backOff(attempts, { first: retry.minDelay * 1000, most: retry.maxDelay * 1000 });
        if (inVain + delay / 1000 >= patience)
          throw tried(attempts, error, `; no connection came about there for ${patience} seconds`);
        await pause(delay, signal);
      }
    }
  }
}
