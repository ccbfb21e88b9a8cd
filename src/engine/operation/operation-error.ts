/** Errors of operations. @module */
import { type CallSite, DeployError, DeployLoadError, TsinfraError } from "../../core/errors.ts";
import { importProblem, isImportFailure } from "../../core/load-error.ts";
import type { Engine } from "../engine.ts";
import type { OperationCall } from "../host-state.ts";
import { thrownAt, threw } from "../report.ts";

/** What an operation threw, as an error that names it: ours as they are, anything else that a user's code threw in words. */
export function asOperationError(engine: Engine, call: OperationCall, thrown: unknown): TsinfraError {
  const error = thrown instanceof TsinfraError ? thrown : wordsOf(call, thrown);
  error.host ??= call.host.name;
  error.operation ??= call.name;
  if (!error.at) Object.assign(error, thrownAt(sitesOf(engine, thrown), call.at));
  return error;
}

/** Where it was thrown; of what we have put in words, where that was. */
function sitesOf({ settings }: Engine, thrown: unknown): readonly CallSite[] {
  const sites = settings.callSites(thrown);
  return sites.length > 0 || !(thrown instanceof TsinfraError) || thrown.cause === undefined
    ? sites
    : settings.callSites(thrown.cause);
}

function wordsOf({ operation }: OperationCall, thrown: unknown): TsinfraError {
  // Nobody threw that: an import in it found nothing.
  return isImportFailure(thrown)
    ? new DeployLoadError(importProblem(thrown), { cause: thrown })
    : new DeployError(threw(operation.name, thrown), { cause: thrown });
}
