/** How far the user's code is: what has begun in it, and what would be lost if it ended now. @module */
import { type CallSite, DeployError, TsinfraError } from "../../core/errors.ts";
import { Asked } from "./asked.ts";

/** Something that was asked. */
interface OpenQuestion {
  readonly what: string;
  readonly at: CallSite | undefined;
  readonly asked: Asked<unknown>;
  isAnswered?: true;
}

/** How a body goes on that has returned a promise. */
interface Going {
  /** Somebody waits for it, or has. */
  readonly isAwaited: () => boolean;
  /** Whoever called it has not had the time to wait for it. */
  isFresh: boolean;
}

/** An operation that is to be declared, for messages. */
interface Declared {
  readonly operation: string;
  readonly at: CallSite | undefined;
  readonly cwd: string;
}

/** How a body runs inside another one. */
export interface Inside {
  readonly isAwaited?: (() => boolean) | undefined;
  readonly declared: Declared;
  readonly refuse: (error: DeployError) => DeployError;
}

/** One body of the user's code: a deploy file, an include, a block, a callback. */
export class Lifetime {
  /** For messages: `deploy.ts`, `deploy("web")`. */
  readonly name: string;
  /** Where it was begun. */
  readonly #at: CallSite | undefined;
  /** From this one outward. */
  readonly #chain: readonly Lifetime[];
  /** The file, the include or the callback that it is, or is a block of. */
  readonly #file: Lifetime;
  /** What was asked and has not been answered, or not been awaited: of a file with all its blocks, as an answer may be awaited further out. */
  readonly #questions = new Set<OpenQuestion>();
  /** Those inside it that go on, also where the block in which they began has ended. */
  readonly #bodies = new Set<Lifetime>();
  /** Of which it is one of those. */
  #holder: Lifetime | undefined;
  /** Operations: of all that are inside each other, and what it was when this one began. */
  readonly #declared: { count: number };
  readonly #declaredBefore: number;
  #declaredInside = 0;
  #going: Going | undefined;
  #isEnded = false;
  #failure: { readonly error: unknown } | undefined;
  #unseenFailure: { readonly error: unknown } | undefined;

  private constructor(name: string, at: CallSite | undefined, outer: Lifetime | undefined, isFile: boolean) {
    this.name = name;
    this.#at = at;
    this.#chain = outer ? [this, ...outer.#chain] : [this];
    this.#file = outer && !isFile ? outer.#file : this;
    this.#declared = outer ? outer.#declared : { count: 0 };
    this.#declaredBefore = this.#declared.count;
  }

  /** Of a deploy file, an include or a callback. */
  static ofFile(name: string, at?: CallSite, outer?: Lifetime): Lifetime {
    return new Lifetime(name, at, outer, true);
  }

  /** Of a block inside this one. */
  block(name: string, at: CallSite | undefined): Lifetime {
    return new Lifetime(name, at, this, false);
  }

  /** What has ended, so that nothing can be asked or declared here: this body, or a file around it. */
  get ended(): Lifetime | undefined {
    return this.#chain.find(one => one.#isEnded && (one === this || one.#file === one));
  }

  /** The file around it that has failed, and why: what is left over of it is no second mistake. */
  get failed(): { readonly name: string; readonly error: unknown } | undefined {
    const failed = this.#chain.find(one => one.#failure);
    return failed && { name: failed.name, error: failed.#failure?.error };
  }

  /** Remember a question until it is answered and somebody has waited for that. `leftOver` gives what is told in place of an error that is nobody's mistake. */
  asking<T>(
    what: string,
    at: CallSite | undefined,
    answer: Promise<T>,
    leftOver: (error: unknown) => Promise<never> | undefined,
  ): Promise<T> {
    const asked = Asked.of(
      answer.catch((error: unknown): Promise<T> => {
        if (error instanceof TsinfraError) error.at ??= at;
        return leftOver(error) ?? Promise.reject(error);
      }),
    );
    const one: OpenQuestion = { what, at, asked };
    const questions = this.#file.#questions;
    questions.add(one);
    const answered = (): void => {
      if (asked.isTaken) questions.delete(one);
      else one.isAnswered = true;
    };
    answer.then(answered, answered);
    return asked;
  }

  /**
   * Run a body inside this one. Until it has ended, nothing may be declared beside it. Whether it is awaited is asked of `isAwaited` where its promise goes to nobody else.
   * What it has declared at once is declared here as well: `refuse` is asked what is to be thrown where that comes beside something else.
   */
  inside<R>(inner: Lifetime, body: () => R, { isAwaited, declared, refuse }: Inside): R {
    try {
      const returned = body();
      if (returned instanceof Promise) return this.#goesOn(inner, returned, isAwaited) as R;
      if (inner.#declaredAtOnce > 0) this.#expectAlone({ isAwaited, declared, refuse });
      return returned;
    } finally {
      if (inner.#holder === undefined) this.#takeOver(inner);
    }
  }

  /** A deploy, which alone says whether it is awaited, may be one of several that are waited for at once. */
  #expectAlone({ isAwaited, declared, refuse }: Inside): void {
    const error = this.#beside(declared);
    if (!error) return;
    const fresh = isAwaited ? [...this.#bodies].filter(one => one.#going?.isFresh) : [];
    if (fresh.length < this.#bodies.size) throw refuse(error);
    soon(() => {
      if (!fresh.every(one => one.#isAwaited)) refuse(error);
    });
  }

  /** It has ended: what still goes on in it goes on here. */
  #takeOver(inner: Lifetime): void {
    inner.#isEnded = true;
    for (const one of inner.#bodies) this.#hold(one);
    inner.#bodies.clear();
  }

  #hold(inner: Lifetime): void {
    inner.#holder = this;
    this.#bodies.add(inner);
  }

  /** Operations that no body inside has declared that goes on. */
  get #declaredAtOnce(): number {
    return this.#declaredInside - [...this.#bodies].reduce((sum, one) => sum + one.#declaredInside, 0);
  }

  #goesOn<T>(inner: Lifetime, body: Promise<T>, isAwaited?: () => boolean): Promise<T> {
    this.#hold(inner);
    const ended = body.finally(() => {
      const holder = inner.#holder ?? this;
      holder.#bodies.delete(inner);
      holder.#takeOver(inner);
    });
    // Where nobody waits for it, its failure comes up as such, unless it has failed with the file.
    const given = Asked.orStray(
      ended.catch((error: unknown) => (this.failed ? new Promise<never>(() => {}) : Promise.reject(error))),
    );
    const going: Going = { isAwaited: isAwaited ?? (() => given.isTaken), isFresh: true };
    inner.#going = going;
    soon(() => (going.isFresh = false));
    return given;
  }

  /**
   * Why an operation that is declared here now would not run in its place: a body is not awaited.
   * Of one that has only just begun that is known a moment later, and `refuse` is called then.
   */
  disorder(declared: Declared, refuse: (error: DeployError) => void): DeployError | undefined {
    const beside = this.#beside(declared);
    if (beside) return beside;
    for (const one of this.#chain) {
      const going = one.#going;
      if (!going || going.isAwaited() || one.#declaredOutside === 0) continue;
      const error = overtaken(one.name, one.#begun(declared));
      if (!going.isFresh) return error;
      soon(() => {
        if (!going.isAwaited()) refuse(error);
      });
    }
    return undefined;
  }

  #beside({ operation, ...from }: Declared): DeployError | undefined {
    const bodies = [...this.#bodies];
    const [first] = [...bodies.filter(one => !one.#isAwaited), ...bodies];
    if (!first) return undefined;
    const begun = first.#begun(from);
    return first.#isAwaited ? calledBeside(operation, begun) : follows(first.name, begun);
  }

  /** An operation was declared here. */
  declared(): void {
    this.#declared.count++;
    for (const one of this.#chain) one.#declaredInside++;
  }

  get #declaredOutside(): number {
    return this.#declared.count - this.#declaredBefore - this.#declaredInside;
  }
  get #isAwaited(): boolean {
    return this.#going?.isAwaited() ?? false;
  }
  /** What it is called, and where it was begun. */
  #begun({ at, cwd }: Omit<Declared, "operation">): string {
    if (!this.#at) return this.name;
    const { file, line } = this.#at;
    const place = file === at?.file ? `line ${line}` : `${file.replace(`${cwd}/`, "")}:${line}`;
    return `${this.name} (${place})`;
  }

  /** Something that the code here holds has failed, and perhaps nobody ever looks at it: its file fails with it. Throws it where that has ended. */
  failBy(error: unknown): void {
    if (this.failed) return;
    if (this.#file.#isEnded) throw error;
    this.#file.#unseenFailure ??= { error };
  }

  /** Run the body that this is of, to its end. Throws `DeployError` if something that it began has not ended by then. */
  async through(body: () => Promise<void>): Promise<void> {
    try {
      await body();
      this.#isEnded = true;
      this.#expectDone();
    } catch (error) {
      this.#isEnded = true;
      // What it leaves behind fails with it.
      this.#failure = { error };
      throw error;
    }
  }

  #expectDone(): void {
    if (this.#unseenFailure) throw this.#unseenFailure.error;
    for (const running of this.#bodies)
      throw new DeployError(`${capital(this.name)} ended while ${running.name} was still running`, {
        at: running.#at,
        hint: running.#isAwaited
          ? `Put \`await\` before the call of the async function that begins ${running.name}`
          : `Put \`await\` before ${running.name}`,
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
}

const follows = (name: string, begun: string): DeployError =>
  new DeployError(`${capital(begun)} is not awaited before operations follow it`, {
    hint: `Put \`await\` before ${name}: what it declares must come before what follows. Parts that are to run side by side are deploys of their own, given to Promise.all`,
  });

const overtaken = (name: string, begun: string): DeployError =>
  new DeployError(`${capital(begun)} is not awaited yet, but operations beside it are declared`, {
    hint: `Put \`await\` before ${name}, or wait for several at once: await Promise.all([…])`,
  });

const calledBeside = (operation: string, begun: string): DeployError =>
  new DeployError(`${operation} was called beside ${begun}, which had not ended`, {
    hint: "One of the two comes from an async function that was not awaited before the other began: put `await` before the call of the async function. Parts that are to run side by side are deploys of their own, given to Promise.all",
  });

/** Once all who have a promise in their hands have had the time to wait for it. */
const soon = (then: () => void): void => queueMicrotask(() => queueMicrotask(then));

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
