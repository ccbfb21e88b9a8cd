/** Loading deploy files. @module */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, relative, resolve } from "node:path";
import { DeployError, DeployLoadError } from "../core/errors.ts";
import { loadFailure } from "../core/load-error.ts";
import { currentScope } from "../core/scope.ts";
import type { Deploy } from "../engine/settings.ts";
import { locate, rememberShift, unshifted } from "./call-site.ts";
import { wrapDeploy } from "./wrap.ts";

export { callSites, locate } from "./call-site.ts";
export { localTransfers } from "./local-transfers.ts";
export { installDeployModules } from "./modules.ts";

/** Where a deploy file is looked for. */
export interface LoadOptions {
  /** Directory that relative paths start from. */
  readonly cwd: string;
  /** The file whose `local.include` this is: `./x.ts` is relative to it. */
  readonly includedFrom?: string | undefined;
}

/**
 * Load a deploy file: transpiled and imported once, to be evaluated once per host.
 * Throws `DeployLoadError` with file, line and column when it is missing or cannot be loaded.
 */
export async function loadDeploy(file: string, { cwd, includedFrom }: LoadOptions): Promise<Deploy> {
  const fromDirectory = /^\.\.?\//.test(file) && includedFrom ? dirname(includedFrom) : cwd;
  const wanted = isAbsolute(file) ? file : resolve(fromDirectory, file);
  if (!existsSync(wanted))
    throw new DeployLoadError(`There is no deploy file "${file}"`, { hint: `Looked for ${wanted}` });
  const path = realpathSync(wanted);
  const known = loaded.get(path) ?? importDeploy(path);
  loaded.set(path, known);
  const evaluate = await known;
  return { name: relative(cwd, path) || path, file: path, evaluate };
}

const loaded = new Map<string, Promise<() => Promise<void>>>();

async function importDeploy(path: string): Promise<() => Promise<void>> {
  const { contents, firstLineShift, isFunction } = wrapDeploy(await readFile(path, "utf8"));
  rememberShift(path, firstLineShift);
  const loader = /\.[cm]?ts$/.test(path) ? "ts" : "js";
  Bun.plugin({
    name: `deploy ${path}`,
    setup(build) {
      build.onLoad({ filter: new RegExp(`^${path.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}$`) }, () => ({
        contents,
        loader,
      }));
    },
  });
  const deploy: { default?: unknown } = await import(path).catch((error: unknown) =>
    Promise.reject(loadError(path, error)),
  );
  const evaluate = deploy.default;
  if (typeof evaluate !== "function") {
    throw new DeployLoadError(
      `The default export of a deploy file must be a function, ${path} exports ${typeof evaluate}`,
    );
  }
  return async () => void (await (isFunction ? evaluate(currentScope("A deploy function").host) : evaluate()));
}

/** Why a file could not be imported, at the user's own line. */
function loadError(path: string, error: unknown): unknown {
  if (error instanceof DeployError) {
    error.at ??= locate(error);
    return error;
  }
  const { message, at, isFromText } = loadFailure(error, path, file =>
    existsSync(file) ? readFileSync(file, "utf8") : undefined,
  );
  return new DeployLoadError(`Cannot load ${path}: ${message}`, { at: isFromText ? at : unshifted(at), cause: error });
}
