/** What calling an operation returns. @module */
import { DeployError } from "./errors.ts";
import { nearest } from "./nearest.ts";

/** How an operation ended on a host; readable once it has run, and an error that says so before. */
export interface OperationResult {
  /** True if it succeeded, and commands ran in one of its tries. */
  didChange(): boolean;
  didNotChange(): boolean;
  /** True if it ended without an error, `_ignoreErrors` or not. An operation that was skipped succeeded. */
  didSucceed(): boolean;
  didError(): boolean;
  /** Output of the last attempt's commands; of each command and output the last 8 MiB, and of all operations of a run the newest 64 MiB: of those before them the last 64 KiB each, again the newest 64 MiB of these. */
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutLines: readonly string[];
  readonly stderrLines: readonly string[];
  /** True if a command printed more than is kept: its lines are the last ones. */
  readonly isCut: boolean;
  /** How many times it was tried again. */
  readonly retryAttempts: number;
  /** The forecast made while preparing: whether it would run at least one command. */
  readonly willChange: Promise<boolean>;
}

/**
 * An operation that was declared.
 * Awaiting it while preparing waits for the forecast; inside a callback during execution, for the operation to have run.
 * It cannot be used as a condition: pass `didChange` to `_if`.
 */
export interface OperationHandle extends OperationResult, PromiseLike<OperationResult> {}

/** How the operations of a deploy ended on a host; readable once they have run, and an error that says so before. */
export interface DeployResult<T> {
  /** True if any of its operations changed something, those of deploys and includes inside it too. */
  didChange(): boolean;
  didNotChange(): boolean;
  /** True if none of its operations ended with an error, `_ignoreErrors` or not. */
  didSucceed(): boolean;
  didError(): boolean;
  /** What its body returned. */
  readonly value: T;
}

/** How the operations of an included file ended on a host. */
export type IncludeResult = Omit<DeployResult<void>, "value">;

/** A deploy that was called. Awaiting it inside a callback during execution waits for its operations to have run. */
export interface DeployHandle<T> extends DeployResult<T>, PromiseLike<DeployResult<T>> {}

/** A deploy with an async body that was called: it must be awaited, so that its operations come before what follows it. */
export interface AsyncDeployHandle<T> extends Omit<DeployResult<T>, "value">, PromiseLike<DeployResult<T>> {}

/** What other tools call members of a handle, where that is no spelling of ours. */
const FOREIGN: Readonly<Record<string, keyof OperationResult>> = {
  changed: "didChange",
  hasChanged: "didChange",
  isChanged: "didChange",
  modified: "didChange",
  failed: "didError",
  error: "didError",
  rc: "didError",
  exitCode: "didError",
  exit_code: "didError",
  returncode: "didError",
  return_code: "didError",
  success: "didSucceed",
  succeeded: "didSucceed",
  ok: "didSucceed",
  output: "stdout",
};

/**
 * Make errors of the members that others have, or that are almost ours, each telling ours.
 * One that does not exist would be `undefined`, and as a condition no condition.
 */
export function refuseForeignMembers(handle: object): void {
  const members = Object.getOwnPropertyNames(handle).filter(member => member !== "constructor" && member !== "then");
  const above = Object.getPrototypeOf(handle) as object;
  Object.setPrototypeOf(
    handle,
    // Asked for what the handle itself does not have.
    new Proxy(above, {
      get(target, name, receiver) {
        if (typeof name === "symbol" || name in target) return Reflect.get(target, name, receiver) as unknown;
        const foreign = Object.hasOwn(FOREIGN, name) ? FOREIGN[name] : undefined;
        const ours = foreign !== undefined && members.includes(foreign) ? foreign : nearest(name, members);
        if (ours === undefined) return undefined;
        throw new DeployError(`A handle has no "${name}"`, { hint: `It is "${ours}"` });
      },
    }),
  );
}
