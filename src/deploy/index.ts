/** Loading deploy files. @module */
import { existsSync, realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, relative, resolve } from "node:path";
import { awaiting } from "../core/awaited.ts";
import { DeployError, DeployLoadError, LocalFileError, NoHostError, TsinfraError } from "../core/errors.ts";
import { furtherMistakes, isImportFailure, THROW_ERRORS } from "../core/load-error.ts";
import { currentScope } from "../core/scope.ts";
import { utf8 } from "../core/utf8.ts";
import type { Deploy } from "../engine/settings.ts";
import { errorText, locate, shown } from "../core/thrown.ts";
import { failureOf, thrownPlaces } from "./load-failure.ts";
import { asDeploy, type DeployFile, hintBesideDefault, refuseIdle } from "./shape.ts";
import { begunModules, jsonProblem, prepareImports, serve, transpileOne } from "./user-modules.ts";
import type { Transpiled } from "./transpile.ts";
import { type Wrapped, wrapDeploy } from "./wrap.ts";

export { callSites } from "./call-site.ts";
export { thrownPlaces } from "./load-failure.ts";
export { hintBesideDefault } from "./shape.ts";
export { localTransfers } from "./local-transfers.ts";
export { deployModules, installDeployModules } from "./modules.ts";
export { waitingTimers } from "./timers.ts";
export { begunModules, prepareModule } from "./user-modules.ts";

/** Where a deploy file is looked for. */
export interface LoadOptions {
  /** Directory that relative paths start from. */
  readonly cwd: string;
  /** The file whose `local.include` this is: `./x.ts` is relative to it. */
  readonly includedFrom?: string | undefined;
  /** What must be so before the file is imported; it is read and transpiled meanwhile. */
  readonly ready?: Promise<void> | undefined;
}

/**
 * Load a deploy file: transpiled and imported once, to be evaluated once per host.
 * Throws `DeployLoadError` with file, line and column when it is missing or cannot be loaded.
 */
export async function loadDeploy(file: string, { cwd, includedFrom, ready }: LoadOptions): Promise<Deploy> {
  const fromDirectory = /^\.\.?\//.test(file) && includedFrom ? dirname(includedFrom) : cwd;
  const wanted = isAbsolute(file) ? file : resolve(fromDirectory, file);
  if (!existsSync(wanted)) throw absentDeploy(file, wanted);
  const path = realpathSync(wanted);
  const known = loaded.get(path) ?? importDeploy(path, ready);
  loaded.set(path, known);
  const evaluate = await known;
  return { name: relative(cwd, path) || path, file: path, evaluate };
}

/** `file` as it was given, `wanted` as it was looked for. */
export const absentDeploy = (file: string, wanted: string): DeployLoadError =>
  new DeployLoadError(`There is no deploy file "${file}"`, { hint: `Looked for ${wanted}` });

const loaded = new Map<string, Promise<() => Promise<void>>>();

async function importDeploy(path: string, ready: Promise<void> | undefined): Promise<() => Promise<void>> {
  const source = utf8(await readFile(path), path);
  try {
    const wrapped = await wrap(path, source);
    serve(new Map([[path, wrapped]]));
    await ready;
    const deploy = await awaiting(
      `A module that ${path} imports`,
      DeployLoadError,
      () => import(path) as Promise<{ default?: unknown }>,
    );
    // What is a body alone has not run yet.
    if (!wrapped.hasDefault) begunModules.delete(path);
    const file = { path, source };
    refuseIdle(wrapped, file);
    const evaluate = asDeploy(deploy.default, file);
    return async () => {
      begunModules.add(path);
      try {
        await (wrapped.hasDefault ? evaluate(currentScope("A deploy function").host) : evaluate());
      } catch (thrown) {
        if (isImportFailure(thrown)) throw await loadError(path, source, thrown);
        throw thrown instanceof Error ? withFile(path, thrown) : noError(path, thrown);
      }
    };
  } catch (error) {
    throw await loadError(path, source, error);
  }
}

/** An error that knows no place in the user's files knows at least in which of them it came up. */
const withFile = (path: string, thrown: Error): Error =>
  thrown instanceof TsinfraError || thrownPlaces(thrown).length > 0
    ? thrown
    : new DeployError(`${path} threw ${errorText(thrown)}`, { cause: thrown, hint: PLACELESS });

const PLACELESS = "The runtime does not tell its line: catch it there, and throw an Error with it as the cause";

function noError(path: string, thrown: unknown): DeployError {
  const [at, ...callers] = thrownPlaces(thrown);
  return new DeployError(`${path} threw ${shown(thrown)}`, { at, callers, hint: THROW_ERRORS });
}

/** Throws `DeployLoadError` for a file that cannot be a deploy, as far as can be told without running it: `exported` is what it exports by default. */
export async function refuseNoDeploy(file: DeployFile, exported?: { readonly value: unknown }): Promise<void> {
  const wrapped = await wrapTranspiled(await transpileOne(file.path, file.source), file.source);
  // Nobody may want to run a module of deploys: that is known when somebody does.
  if (!wrapped.hasDefinitions) refuseIdle(wrapped, file);
  if (wrapped.hasDefault && exported) asDeploy(exported.value, file);
}

const wrap = async (path: string, source: string): Promise<Wrapped> =>
  wrapTranspiled(await prepareImports(path, source), source);

async function wrapTranspiled(transpiled: Transpiled, source: string): Promise<Wrapped> {
  const isScript = isTakenForCommonJs(transpiled.code);
  return wrapDeploy(isScript ? await transpileOne(transpiled.path, `${source}\nexport {};`) : transpiled);
}

/** A script that exports nothing is, where it imports nothing, and where it says `eval`, which may say anything. */
const isTakenForCommonJs = (code: string): boolean =>
  /^var require_\w+ = __commonJS\(function\(\)/m.test(code) ||
  (/^import /m.test(code) && /^var require_\w+ = __commonJS\(/m.test(code) && !EXPORTS.test(code));
const EXPORTS = /\bmodule(?:_\w+)?\.exports\b|\bexports(?:_\w+)?\.\w/;

const isJsonError = (error: unknown): error is SyntaxError =>
  error instanceof SyntaxError && error.message.startsWith("JSON Parse error");

/** Why a file could not be imported, at the user's own line. */
async function loadError(path: string, source: string, thrown: unknown): Promise<unknown> {
  if (thrown instanceof LocalFileError) return thrown;
  const error = (isJsonError(thrown) ? await jsonProblem(thrown.message) : undefined) ?? thrown;
  if (error instanceof DeployError || error instanceof DeployLoadError) {
    error.at ??= locate(error);
    if (error instanceof NoHostError && error.at?.file === path) error.hint = hintBesideDefault(error.at, source);
    return error;
  }
  const { message, ...found } = failureOf(error, path);
  const lines = [`Cannot load ${path}: ${message}`, ...furtherMistakes(error)];
  // What a parser found is told by then.
  return new DeployLoadError(lines.join("\n"), { ...found, cause: isImportFailure(error) ? undefined : error });
}
