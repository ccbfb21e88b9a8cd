/** Global arguments of operations with callbacks, and of those inside these. @module */
import type { GlobalArguments } from "../../core/arguments.ts";
import { DeployError } from "../../core/errors.ts";

/** Global arguments that speak of the operation with the callback, and not of those inside it. */
export const OF_THE_CALL: ReadonlySet<string> = new Set<keyof GlobalArguments>([
  "name",
  "_if",
  "_retries",
  "_retryUntil",
  "_runOnce",
  "_serial",
  "_parallel",
  "_ignoreErrors",
  "_continueOnError",
  "_successExitCodes",
  "_stdin",
]);

/** Throws `DeployError` for arguments that speak of all hosts where only one host is. */
export function refuseStrategy(operation: string, given: GlobalArguments): void {
  const name = (["_runOnce", "_serial", "_parallel"] as const).find(one => (given[one] ?? false) !== false);
  if (name === undefined) return;
  throw new DeployError(`"${name}" of ${operation} speaks of all hosts, and a callback runs on one of them`, {
    hint: "Give it to the operation with the callback",
  });
}
