/** Loading deploy files. @module */
import { existsSync, realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, relative, resolve } from "node:path";
import { type CallSite, DeployError, DeployLoadError, NoHostError } from "../core/errors.ts";
import { isImportFailure, THROW_ERRORS, withoutComments } from "../core/load-error.ts";
import { kindOf } from "../core/kind.ts";
import { currentScope } from "../core/scope.ts";
import type { Deploy } from "../engine/settings.ts";
import { locate, shown } from "../core/thrown.ts";
import { failureOf, thrownPlaces } from "./load-failure.ts";
import { jsonProblem, prepareImports, serve, transpileOne } from "./user-modules.ts";
import { type Wrapped, wrapDeploy } from "./wrap.ts";

export { callSites } from "./call-site.ts";
export { failureOf, thrownPlaces } from "./load-failure.ts";
export { localTransfers } from "./local-transfers.ts";
export { deployModules, installDeployModules } from "./modules.ts";
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
    refuseIdle(wrapped, path, source);
    const evaluate = asDeploy(deploy.default, path, source);
    return async () => {
      try {
        await (wrapped.hasDefault ? evaluate(currentScope("A deploy function").host) : evaluate());
      } catch (thrown) {
        if (isImportFailure(thrown)) throw await loadError(path, source, thrown);
        if (thrown instanceof Error) throw thrown;
        const [at, ...callers] = thrownPlaces(thrown);
        throw new DeployError(`${path} threw ${shown(thrown)}`, { at, callers, hint: THROW_ERRORS });
      }
    };
  } catch (error) {
    throw await loadError(path, source, error);
  }
}

/** A default export that can be called; throws a `DeployLoadError` that says what else it is. */
function asDeploy(exported: unknown, path: string, source: string): (host?: unknown) => unknown {
  const kind = kindOf(exported);
  if (kind === "a function" || kind === "an async function") return exported as (host?: unknown) => unknown;
  throw new DeployLoadError(`The default export of a deploy file must be a function, ${path} exports ${kind}`, {
    at: siteOf(path, source, /\bexport\s*(?:default\b|=|\{[^}]*\bdefault\b)/),
    hint:
      kind === "a promise"
        ? "Export the function itself, without calling it"
        : "Write export default async () => { … }",
  });
}

/** A file that exports and does nothing else would run, and change nothing, without a word. */
function refuseIdle({ onlyExports }: Wrapped, path: string, source: string): void {
  if (onlyExports.length === 0) return;
  const [, whole] = onlyExports.map(name => /^\* from (.+)$/.exec(name)).find(match => match !== null) ?? [];
  throw new DeployLoadError(
    `There is nothing to run in ${path}: it exports ${onlyExports.join(", ")}, but no default function`,
    {
      at: siteOf(path, source, /\bexport\b/),
      hint:
        whole === undefined
          ? "Write export default before the function that is the deploy, or call it"
          : `What is exported by * leaves out the default: write export { default } from ${whole}`,
    },
  );
}

/** The top level of a file with a default export is evaluated once, for no host. */
function hintBesideDefault({ line, column }: CallSite, source: string): string {
  const before = source.split("\n").slice(0, line).join("\n");
  const leading = before.slice(0, before.lastIndexOf("\n") + column);
  return /\bexport\s+default\s+(?:await\s+)?[\w$.\s]*$/.test(leading)
    ? "What is exported by default must be a function: leave out `export default`, or write export default async () => { … }"
    : "What stands beside a default function is run once, when the file is loaded: move it into that function";
}

/** The first place of a pattern outside of comments. */
function siteOf(path: string, source: string, pattern: RegExp): CallSite {
  const before = source.slice(0, Math.max(0, withoutComments(source).search(pattern))).split("\n");
  return { file: path, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
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
async function loadError(path: string, source: string, thrown: unknown): Promise<unknown> {
  const error = (isJsonError(thrown) ? await jsonProblem(thrown.message) : undefined) ?? thrown;
  if (error instanceof DeployError || error instanceof DeployLoadError) {
    error.at ??= locate(error);
    if (error instanceof NoHostError && error.at?.file === path) error.hint = hintBesideDefault(error.at, source);
    return error;
  }
  const { message, ...found } = failureOf(error, path);
  return new DeployLoadError(`Cannot load ${path}: ${message}`, { ...found, cause: error });
}
