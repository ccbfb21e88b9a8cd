/** Conditions for `_if`. @module */
import type { Condition } from "../core/arguments.ts";
import type { OperationHandle } from "../core/handle.ts";

/** True if any of these operations changed something. Asked when the operation's turn comes. */
export const anyChanged =
  (...operations: readonly OperationHandle[]): Condition =>
  () =>
    operations.some(operation => operation.didChange());

/** True if all of these operations changed something. */
export const allChanged =
  (...operations: readonly OperationHandle[]): Condition =>
  () =>
    operations.every(operation => operation.didChange());
