/** How long something may take on a host. @module */

/** Ends what has taken too long: counted from `begin` on, and anew from every further call. */
export class TimeLimit implements Disposable {
  readonly #seconds: number;
  readonly #outer: AbortSignal;
  readonly #ending = new AbortController();
  readonly #onAbort = (): void => this.#ending.abort(this.#outer.reason);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  /** `0` seconds are no limit; `outer` ends it too. */
  constructor(seconds: number, outer: AbortSignal) {
    this.#seconds = seconds;
    this.#outer = outer;
    if (outer.aborted) this.#onAbort();
    else outer.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Aborted when the time is over. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  begin(): void {
    clearTimeout(this.#timer);
    if (this.#seconds === 0 || this.#ending.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      this.#ending.abort(new Error(`No answer within ${this.#seconds} seconds`));
    }, milliseconds(this.#seconds));
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener("abort", this.#onAbort);
  }
}

/** As far as timers go: longer ones would fire at once. */
export const milliseconds = (seconds: number): number => Math.min(seconds * 1000, 2 ** 31 - 1);

/** Let what has come in the meantime have its turn: answers, signals, timers. */
export const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
