/** What has run on the hosts of a run, and in which order. @module */

/** When something last ended that may have changed a host, by a clock that counts what happens. */
export class ChangeLog {
  #moment = 0;
  /** On the host where something ended last, and on any other. */
  #last = { host: "", at: 0 };
  #lastElsewhere = 0;

  /** Now: later than all that has ended. */
  now(): number {
    return ++this.#moment;
  }

  /** Something that may have changed that host has ended. */
  ended(host: string): void {
    if (this.#last.host !== host) this.#lastElsewhere = this.#last.at;
    this.#last = { host, at: ++this.#moment };
  }

  /** When something last ended on a host other than that one. */
  lastElsewhere(host: string): number {
    return this.#last.host === host ? this.#lastElsewhere : this.#last.at;
  }
}
