/** Commands that hold a session only for as long as nobody else wants it. @module */

/** Who holds sessions, and who waits for one. */
export class Holders {
  readonly #holders = new Set<() => void>();
  #waiting = 0;

  /** A command begins that lets go when `onWanted` is called; disposing means that it has ended. */
  hold(onWanted: (() => void) | undefined): Disposable {
    if (!onWanted) return { [Symbol.dispose]: () => {} };
    this.#holders.add(onWanted);
    if (this.#waiting > 0) this.ask();
    return { [Symbol.dispose]: () => void this.#holders.delete(onWanted) };
  }
  /** Have one holder let go. */
  ask(): void {
    const [first] = this.#holders;
    if (!first) return;
    this.#holders.delete(first);
    first();
  }
  /** Somebody waits, until disposed of. */
  wait(): Disposable {
    this.#waiting++;
    this.ask();
    return { [Symbol.dispose]: () => void this.#waiting-- };
  }
}
