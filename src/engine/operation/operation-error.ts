/** Errors of operations. @module */
import {
  type CallSite,
  DeployError,
  DeployLoadError,
  NoHostError,
  OperationTypeError,
  TsinfraError,
} from "../../core/errors.ts";
import { importProblem, isImportFailure } from "../../core/load-error.ts";
import { memberPath } from "../../core/member-path.ts";
import { ambientName } from "../../core/scope.ts";
import type { Engine } from "../engine.ts";
import type { OperationCall } from "../host-state.ts";
import { thrownAt, threw } from "../report.ts";

/** What an operation threw, as an error that names it: ours as they are, anything else that a user's code threw in words. */
export function asOperationError(engine: Engine, call: OperationCall, thrown: unknown): TsinfraError {
  const error =
    (thrown instanceof NoHostError ? ambientGiven(call) : undefined) ??
    (thrown instanceof TsinfraError ? thrown : wordsOf(call, thrown));
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

/** The current host as an argument: whoever gave it wrote no steps that use it. */
function ambientGiven({ args, at, operation }: OperationCall): OperationTypeError | undefined {
  const found = ambientIn(args, DEPTH);
  if (!found) return undefined;
  const { name, path } = found;
  return new OperationTypeError(
    `Argument "${path.replace(/^\./, "")}" of ${operation.name} is "${name}" itself, which means nothing outside of the deploy file`,
    { at, hint: `Give what is needed of it${name === "host" ? ": host.name, host.groups, host.data" : ""}` },
  );
}

function ambientIn(value: unknown, depth: number): { readonly name: string; readonly path: string } | undefined {
  const name = ambientName(value);
  if (name !== undefined) return { name, path: "" };
  if (depth === 0 || typeof value !== "object" || value === null || !isPlain(value)) return undefined;
  for (const [key, member] of Object.entries(value)) {
    const found = ambientIn(member, depth - 1);
    if (found) return { ...found, path: (Array.isArray(value) ? `[${key}]` : memberPath(key)) + found.path };
  }
  return undefined;
}
const DEPTH = 4;

const isPlain = (value: object): boolean =>
  Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null;
