/** Errors of operations. @module */
import { DeployError, TsinfraError } from "../../core/errors.ts";
import type { Engine } from "../engine.ts";
import type { OperationCall } from "../host-state.ts";
import { thrownAt, threw } from "../report.ts";

/** What an operation threw, as an error that names it: ours as they are, anything else that a user's code threw in words. */
export function asOperationError(engine: Engine, call: OperationCall, thrown: unknown): TsinfraError {
  const error =
    thrown instanceof TsinfraError ? thrown : new DeployError(threw(call.operation.name, thrown), { cause: thrown });
  error.host ??= call.host.name;
  error.operation ??= call.name;
  if (!error.at) Object.assign(error, thrownAt(engine.settings.callSites(thrown), call.at));
  return error;
}
