/** Loading deploy files. @module */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, relative, resolve } from "node:path";
import { DeployError, DeployLoadError } from "../core/errors.ts";
import { loadFailure } from "../core/load-error.ts";
import { currentScope } from "../core/scope.ts";
import type { Deploy } from "../engine/settings.ts";
import { locate } from "./call-site.ts";
import { jsonProblem, prepareImports, serve, transpileOne } from "./user-modules.ts";
import { type Wrapped, wrapDeploy } from "./wrap.ts";

export { callSites, locate, sitesOf } from "./call-site.ts";
export { localTransfers } from "./local-transfers.ts";
export { installDeployModules } from "./modules.ts";
export { prepareModule } from "./user-modules.ts";

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
  if (!existsSync(wanted))
    throw new DeployLoadError(`There is no deploy file "${file}"`, { hint: `Looked for ${wanted}` });
  const path = realpathSync(wanted);
  const known = loaded.get(path) ?? importDeploy(path, ready);
  loaded.set(path, known);
  const evaluate = await known;
  return { name: relative(cwd, path) || path, file: path, evaluate };
}

const loaded = new Map<string, Promise<() => Promise<void>>>();

async function importDeploy(path: string, ready: Promise<void> | undefined): Promise<() => Promise<void>> {
  const source = await readFile(path, "utf8");
  try {
    const wrapped = await wrap(path, source);
    serve(new Map([[path, wrapped]]));
    await ready;
    const deploy: { default?: unknown } = await import(path);
    const evaluate = deploy.default;
    if (typeof evaluate !== "function") {
      throw new DeployLoadError(
        `The default export of a deploy file must be a function, ${path} exports ${typeof evaluate}`,
      );
    }
    return async () => {
      try {
        await (wrapped.hasDefault ? evaluate(currentScope("A deploy function").host) : evaluate());
      } catch (thrown) {
        if (thrown instanceof Error) throw thrown;
        throw new DeployError(`${path} threw ${Bun.inspect(thrown)}`, {
          hint: "Throw an Error: anything else does not know where it was thrown",
        });
      }
    };
  } catch (error) {
    throw await loadError(path, error);
  }
}

async function wrap(path: string, source: string): Promise<Wrapped> {
  const transpiled = await prepareImports(path, source);
  // A script that has neither imports nor exports is taken for CommonJS.
  const isScript = /^var require_\w+ = __commonJS\(function\(\)/m.test(transpiled.code);
  return wrapDeploy(isScript ? await transpileOne(path, `${source}\nexport {};`) : transpiled);
}

const isJsonError = (error: unknown): error is SyntaxError =>
  error instanceof SyntaxError && error.message.startsWith("JSON Parse error");

/** Why a file could not be imported, at the user's own line. */
async function loadError(path: string, thrown: unknown): Promise<unknown> {
  const error = (isJsonError(thrown) ? await jsonProblem(thrown.message) : undefined) ?? thrown;
  if (error instanceof DeployError || error instanceof DeployLoadError) {
    error.at ??= locate(error);
    return error;
  }
  const { message, at } = loadFailure(error, path, file => (existsSync(file) ? readFileSync(file, "utf8") : undefined));
  return new DeployLoadError(`Cannot load ${path}: ${message}`, { at, cause: error });
}
