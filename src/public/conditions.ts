/** Conditions for `_if`, and for arguments that take one. @module */
import type { Condition } from "../core/arguments.ts";
import { DeployError } from "../core/errors.ts";
import type { OperationResult } from "../core/handle.ts";
import { kindOf } from "../core/kind.ts";
import { scopeOrNone } from "../core/scope.ts";

/** The handle of an operation or a deploy, what awaiting one gives, a list of these, or nothing at all, which changed nothing. */
export type Changed = Pick<OperationResult, "didChange"> | null | undefined | void | readonly Changeable[];
/** What can be asked whether it changed something: whatever a function of one's own returns that declares operations, async or not. */
export type Changeable = Changed | PromiseLike<Changed>;

/**
 * True if any of these changed something. Asked when the operation's turn comes; a promise must have ended by then, and one that fails fails the file.
 * Throws `DeployError` for what cannot be asked.
 */
export const anyChanged = (...all: readonly Changeable[]): Condition => {
  const answers = questions("anyChanged", all);
  return () => answers().includes(true);
};

/**
 * True if all of these changed something; where there is nothing, nothing changed. Asked when the operation's turn comes; a promise must have ended by then, and one that fails fails the file.
 * Throws `DeployError` for what cannot be asked.
 */
export const allChanged = (...all: readonly Changeable[]): Condition => {
  const answers = questions("allChanged", all);
  return () => !answers().includes(false);
};

/** For each thing in a value whether it changed, once that is known. */
function questions(what: string, value: Changeable): () => readonly boolean[] {
  if (value === undefined || value === null) return () => [false];
  if (Array.isArray(value)) {
    if (value.length === 0) return () => [false];
    const inner = value.map((one: Changeable) => questions(what, one));
    return () => inner.flatMap(answers => answers());
  }
  // A handle can be awaited too, but that would wait for what it forecasts.
  if (canBeAsked(value)) return () => [value.didChange()];
  if (isPromise(value)) return promised(what, value);
  throw new DeployError(`${what} takes what operations and deploys return, found ${described(value)}`, {
    hint: typeof value === "function" ? "Pass the handle itself, not its didChange" : undefined,
  });
}

/** The answers of a promise's value. Nobody may ever ask, as where another condition has answered: the file that waits for it fails with its error. */
function promised(what: string, promise: PromiseLike<Changed>): () => readonly boolean[] {
  let answers = (): readonly boolean[] => {
    throw new DeployError(`${what} was given a promise that has not ended when its answer is needed`, {
      hint: "Put `await` before what returned it",
    });
  };
  const scope = scopeOrNone();
  const fail = (error: unknown): void => {
    answers = () => {
      throw error;
    };
    scope?.failBy(error);
  };
  // To keep a promise is not to wait for it: those that know whether anybody does are not told.
  const settled = promise instanceof Promise ? Promise.prototype.then.bind(promise) : promise.then.bind(promise);
  settled((value: Changed) => (answers = questions(what, value))).then(undefined, fail);
  return () => answers();
}

const canBeAsked = (value: unknown): value is Pick<OperationResult, "didChange"> =>
  typeof value === "object" && value !== null && "didChange" in value;

const isPromise = (value: unknown): value is PromiseLike<Changed> =>
  typeof value === "object" && value !== null && "then" in value;

function described(value: unknown): string {
  if (typeof value === "object") return "an object without didChange";
  return typeof value === "function" ? kindOf(value) : `${typeof value} ${String(value)}`;
}
