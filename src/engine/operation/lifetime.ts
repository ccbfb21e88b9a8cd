/** How far the user's code is: what has begun in it, and what would be lost if it ended now. @module */
import { type CallSite, DeployError } from "../../core/errors.ts";

/** Something that was begun. */
interface Unfinished {
  readonly what: string;
  readonly at: CallSite | undefined;
  /** Its body of code has ended without it, which was told. */
  isTold?: true;
}

/** One body of the user's code: a deploy file, an include, a block, a callback. */
export class Lifetime {
  /** For messages: `deploy.ts`, `deploy("web")`. */
  readonly name: string;
  /** Facts that were asked and have not been answered: the same set for a file and the blocks in it, as an answer may be awaited further out. */
  readonly #facts: Set<Unfinished>;
  readonly #bodies = new Set<Unfinished>();
  #isEnded = false;

  constructor(name: string, outer?: Lifetime) {
    this.name = name;
    this.#facts = outer ? outer.#facts : new Set();
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Remember a question until it is answered. */
  asking<T>(what: string, at: CallSite | undefined, answer: Promise<T>): Promise<T> {
    const one: Unfinished = { what, at };
    // Where the host is disconnected by then, that is no second mistake.
    const unlessTold = (error: unknown): Promise<T> => (one.isTold ? new Promise(() => {}) : Promise.reject(error));
    return until(this.#facts, one, answer.catch(unlessTold));
  }

  /** Run a body inside this one. Until it has ended, nothing may be declared beside it. */
  inside<R>(inner: Lifetime, at: CallSite | undefined, body: () => R): R {
    try {
      const returned = body();
      if (returned instanceof Promise) {
        const one: Unfinished = { what: inner.name, at };
        const running = until(
          this.#bodies,
          one,
          returned.finally(() => inner.#ended()),
        );
        // A promise that nobody here listens to: where nobody waits for it at all, its failure comes up as such, unless it is told already.
        return running.catch((error: unknown) => (one.isTold ? new Promise(() => {}) : Promise.reject(error))) as R;
      }
      inner.#ended();
      return returned;
    } catch (error) {
      inner.#ended();
      throw error;
    }
  }

  /** Throws `DeployError` if a body that began inside this one still runs, and nobody waits for it. */
  expectAwaited(): void {
    if (this.#bodies.size === 0) return;
    for (const { what, at } of this.#bodies)
      throw new DeployError(`${capital(what)}${begun(at)} is not awaited, but operations follow it`, {
        hint: `Put \`await\` before ${what}: what it declares must come before what follows`,
      });
  }

  /** Run the body that this is of, to its end. Throws `DeployError` if something that it began has not ended by then. */
  async through(body: () => Promise<void>): Promise<void> {
    try {
      await body();
    } catch (error) {
      // What it leaves behind fails with it.
      this.#tellAll();
      throw error;
    }
    this.#end();
  }

  #end(): void {
    this.#ended();
    this.#tellAll();
    for (const { what, at } of this.#bodies)
      throw new DeployError(`${capital(this.name)} ended while ${what} was still running`, {
        ...(at ? { at } : {}),
        hint: `Put \`await\` before ${what}`,
      });
    for (const { what, at } of this.#facts)
      throw new DeployError(`${capital(this.name)} ended while the answer of ${what} was still awaited`, {
        ...(at ? { at } : {}),
        hint: "Put `await` before the function that asks it, and use `for … of` in place of `forEach`: what follows the answer would be lost. `Promise.all` waits no longer than for the first that fails, `Promise.allSettled` for all",
      });
  }

  #tellAll(): void {
    for (const one of [...this.#facts, ...this.#bodies]) one.isTold = true;
  }

  #ended(): void {
    this.#isEnded = true;
  }
}

/** Names begin a sentence, but for those of files and functions. */
const capital = (name: string): string => name.replace(/^(the|this) /, word => word[0]!.toUpperCase() + word.slice(1));

const begun = (at: CallSite | undefined): string => (at ? ` (line ${at.line})` : "");

function until<T>(set: Set<Unfinished>, one: Unfinished, promise: Promise<T>): Promise<T> {
  set.add(one);
  const done = (): void => void set.delete(one);
  promise.then(done, done);
  return promise;
}
