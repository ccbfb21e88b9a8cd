/** How far the user's code is: what has begun in it, and what would be lost if it ended now. @module */
import { type CallSite, DeployError, TsinfraError } from "../../core/errors.ts";
import { Asked } from "./asked.ts";

/** Something that was begun. */
interface Unfinished {
  readonly what: string;
  readonly at: CallSite | undefined;
  /** Its body of code has ended without it, which was told. */
  isTold?: true;
}

/** Something that was asked. */
interface OpenQuestion extends Unfinished {
  readonly asked: Asked<unknown>;
  isAnswered?: true;
}

/** One body of the user's code: a deploy file, an include, a block, a callback. */
export class Lifetime {
  /** For messages: `deploy.ts`, `deploy("web")`. */
  readonly name: string;
  /** What was asked and has not been answered, or not been awaited: the same set for a file and the blocks in it, as an answer may be awaited further out. */
  readonly #questions: Set<OpenQuestion>;
  readonly #bodies = new Set<Unfinished>();
  #isEnded = false;

  constructor(name: string, outer?: Lifetime) {
    this.name = name;
    this.#questions = outer ? outer.#questions : new Set();
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Remember a question until it is answered and somebody has waited for that. */
  asking<T>(what: string, at: CallSite | undefined, answer: Promise<T>): Promise<T> {
    const asked = Asked.of(
      answer.catch((error: unknown): Promise<T> => {
        // Where the host is disconnected by then, that is no second mistake.
        if (one.isTold) return new Promise(() => {});
        if (error instanceof TsinfraError) error.at ??= at;
        return Promise.reject(error);
      }),
    );
    const one: OpenQuestion = { what, at, asked };
    this.#questions.add(one);
    const answered = (): void => {
      if (asked.isTaken) this.#questions.delete(one);
      else one.isAnswered = true;
    };
    answer.then(answered, answered);
    return asked;
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
    for (const { what, at, asked, isAnswered = false } of this.#questions) {
      if (asked.isTaken && isAnswered) continue;
      throw asked.isTaken
        ? new DeployError(`${capital(this.name)} ended while the answer of ${what} was still awaited`, {
            at,
            hint: "Put `await` before the function that asks it, and use `for … of` in place of `forEach`: what follows the answer would be lost. `Promise.all` waits no longer than for the first that fails, `Promise.allSettled` for all",
          })
        : neverAwaited(what, at);
    }
  }

  #tellAll(): void {
    for (const one of [...this.#questions, ...this.#bodies]) one.isTold = true;
  }

  #ended(): void {
    this.#isEnded = true;
  }
}

/** Nobody looked at an answer: the promise of it was taken for the answer itself, or what it decides was lost. */
export const neverAwaited = (
  what: string,
  at: CallSite | undefined,
  { caller, isEarly = false }: { readonly caller?: CallSite | undefined; readonly isEarly?: boolean } = {},
): DeployError =>
  new DeployError(`The answer of ${what} is not awaited${isEarly ? " before a command is yielded" : ""}`, {
    at,
    callers: at && caller ? [caller] : [],
    hint: "Put `await` before it: what it gives is a promise, which is true whatever the answer is and has none of its members. What only some hosts need is asked where they need it",
  });

/** Names begin a sentence, but for those of files and functions. */
const capital = (name: string): string => name.replace(/^(the|this) /, word => word[0]!.toUpperCase() + word.slice(1));

const begun = (at: CallSite | undefined): string => (at ? ` (line ${at.line})` : "");

function until<T>(set: Set<Unfinished>, one: Unfinished, promise: Promise<T>): Promise<T> {
  set.add(one);
  const done = (): void => void set.delete(one);
  promise.then(done, done);
  return promise;
}
