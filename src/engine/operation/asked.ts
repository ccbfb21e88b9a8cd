/** Promises that know whether anybody waits for them. @module */

/** An answer on its way. What becomes of one that nobody takes is nobody's, a rejection too: whoever gave it out tells that it was not awaited. */
export class Asked<T> extends Promise<T> {
  // What comes of it is an ordinary promise.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  #isTaken = false;

  static of<T>(answer: Promise<T>): Asked<T> {
    const asked = Asked.orStray(answer);
    super.prototype.then.call(asked, undefined, () => undefined);
    return asked;
  }

  /** One whose rejection comes up as anybody's does where nobody takes it. */
  static orStray<T>(answer: Promise<T>): Asked<T> {
    return new Asked<T>(resolve => resolve(answer));
  }

  /** Somebody waits for it, or has. */
  get isTaken(): boolean {
    return this.#isTaken;
  }

  // `await` comes here too.
  override then<R = T, E = never>(
    onAnswer?: ((answer: T) => R | PromiseLike<R>) | null,
    onError?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    this.#isTaken = true;
    return super.then(onAnswer, onError);
  }
}
