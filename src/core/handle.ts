/** What calling an operation returns. @module */
import { DeployError } from "./errors.ts";

/** How an operation ended on a host; readable once it has run, and an error that says so before. */
export interface OperationResult {
  /** True if commands ran and all succeeded. */
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

/** What other tools call members of a handle. One that does not exist would be `undefined`, and as a condition no condition. */
const FOREIGN: Readonly<Record<string, string>> = {
  changed: "didChange",
  did_change: "didChange",
  didChanged: "didChange",
  hasChanged: "didChange",
  isChanged: "didChange",
  did_not_change: "didNotChange",
  did_succeed: "didSucceed",
  did_error: "didError",
  failed: "didError",
  retry_attempts: "retryAttempts",
  stderr_lines: "stderrLines",
  stdout_lines: "stdoutLines",
  will_change: "willChange",
};

/** Make the names that others have for members of a handle errors that tell ours. */
export function refuseForeignMembers(handle: object): void {
  for (const [name, member] of Object.entries(FOREIGN))
    Object.defineProperty(handle, name, {
      get() {
        throw new DeployError(`A handle has no "${name}"`, { hint: `It is "${member}"` });
      },
    });
}
