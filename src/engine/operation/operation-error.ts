/** Errors of operations. @module */
import { DeployError, DeployLoadError, TsinfraError } from "../../core/errors.ts";
import { importProblem, isImportFailure } from "../../core/load-error.ts";
import type { Engine } from "../engine.ts";
import type { OperationCall } from "../host-state.ts";
import { thrownAt, threw } from "../report.ts";

/** What an operation threw, as an error that names it: ours as they are, anything else that a user's code threw in words. */
export function asOperationError(engine: Engine, call: OperationCall, thrown: unknown): TsinfraError {
  const error = thrown instanceof TsinfraError ? thrown : wordsOf(call, thrown);
  error.host ??= call.host.name;
  error.operation ??= call.name;
  if (!error.at) Object.assign(error, thrownAt(engine.settings.callSites(thrown), call.at));
  return error;
}

function wordsOf({ operation }: OperationCall, thrown: unknown): TsinfraError {
  // Nobody threw that: an import in it found nothing.
  return isImportFailure(thrown)
    ? new DeployLoadError(importProblem(thrown), { cause: thrown })
    : new DeployError(threw(operation.name, thrown), { cause: thrown });
}
