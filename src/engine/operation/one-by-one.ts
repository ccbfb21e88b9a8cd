/** What a function begins and is to run one after the other, whether or not it waits. @module */
import { nextTurn } from "../host/time-limit.ts";

/** Runs one. Returns why it failed; rejects only when the run is cancelled. */
export type Runs<One> = (one: One) => Promise<Error | undefined>;

/**
 * Runs things one after the other while a function, `body`, begins more of them. After one that failed nothing runs until the function has
 * heard of that: it waited for the one that failed, or for something behind it.
 */
export class OneByOne<One extends object> {
  readonly #run: Runs<One>;
  readonly #signal: AbortSignal;
  #queue: Promise<unknown> = Promise.resolve();
  readonly #runs = new Map<One, Promise<void>>();
  /** The failure that nobody has heard of: never more than one, as nothing runs behind it. */
  #unheard: Error | undefined;
  #lastFailure: Error | undefined;
  /** One has failed just now: whoever waits for it has not had a turn. */
  #isFresh = false;
  #hasThrown = false;

  constructor(run: Runs<One>, signal: AbortSignal) {
    this.#run = run;
    this.#signal = signal;
  }

  /**
   * Run the function, as `around` does, and what it begins. Rejects with what they threw, or with the failure that was never heard of.
   * Where the function threw after a failure, that is taken for the reason, and nothing more runs.
   */
  async through(
    body: () => unknown,
    around: (body: () => Promise<void>) => Promise<void> = run => run(),
  ): Promise<void> {
    try {
      await around(async () => {
        try {
          await body();
        } catch (error) {
          this.#hasThrown = true;
          throw error;
        }
      });
    } finally {
      // What it began is a part of it, also where it throws further on.
      await this.#queue;
    }
    this.#signal.throwIfAborted();
    if (this.#unheard) throw this.#unheard;
  }

  /** It runs when all before it have ended. */
  begin(one: One): void {
    const run = this.#queue.then(async () => {
      await this.#goOn();
      const failure = await this.#run(one);
      if (!failure) return;
      this.#unheard = this.#lastFailure = failure;
      this.#isFresh = true;
      throw failure;
    });
    this.#queue = run.catch(() => undefined);
    this.#runs.set(one, run);
  }

  /** Until it has run. Rejects with its failure, or the one that kept it from running; the function hears of that with it. */
  ended(one: One): Promise<void> {
    return this.#heard(this.#runs.get(one) ?? Promise.resolve());
  }

  /** The same for all that was begun so far. */
  allEnded(): Promise<void> {
    return this.#heard(this.#queue.then(() => this.#goOn()));
  }

  /** Throws the failure that keeps what is behind it from running: one that nobody has heard of yet, or that has ended the function. */
  async #goOn(): Promise<void> {
    // A function that does not give up must not keep everything else from its turn.
    if (this.#isFresh || this.#signal.aborted) await nextTurn();
    this.#isFresh = false;
    this.#signal.throwIfAborted();
    const failure = this.#unheard ?? (this.#hasThrown ? this.#lastFailure : undefined);
    if (failure) throw failure;
  }

  async #heard(ending: Promise<void>): Promise<void> {
    try {
      await ending;
    } catch (error) {
      if (error === this.#unheard) this.#unheard = undefined;
      throw error;
    }
  }
}
