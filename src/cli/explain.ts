/** What a deploy file threw, as an error with the user's own line and, where it is a misspelt name, the nearest one. @module */
import { DeployError, TsinfraError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { sitesOf } from "../deploy/index.ts";

/** An error of the user's code with its place; anything else stays what it is. */
export async function explained(error: unknown): Promise<unknown> {
  if (error instanceof TsinfraError) {
    if (error.at === undefined) [error.at, ...error.callers] = sitesOf(error);
    error.hint ??= await nearestExport(error.message);
    return error;
  }
  const [at, ...callers] = sitesOf(error);
  if (!(error instanceof Error))
    return new DeployError(`The deploy threw ${Bun.inspect(error)}`, {
      hint: "Throw an Error: anything else does not know where it was thrown",
    });
  // Without a line of the user's it is a mistake of ours.
  if (!at) return error;
  const message = `${error.name === "Error" ? "" : `${error.name}: `}${error.message}`;
  const [, module, name] = /([A-Za-z_$][\w$]*)\.([A-Za-z_$][\w$]*) is not a function/.exec(message) ?? [];
  const near = module === undefined || name === undefined ? undefined : await nearestOperation(module, name);
  const brief = message.replace(/\.? \(In '.*$/s, "");
  return new DeployError(brief, {
    at,
    callers,
    cause: error,
    ...(near === undefined ? {} : { hint: `Did you mean "${near}"?` }),
  });
}

async function nearestOperation(module: string, name: string): Promise<string | undefined> {
  const { allOperations } = await import("../registry.ts");
  const own = [...allOperations.keys()].filter(candidate => candidate.startsWith(`${module}.`));
  return nearest(`${module}.${name}`, own);
}

/** For an import of a name that a module of ours does not have. */
async function nearestExport(message: string): Promise<string | undefined> {
  const [, name, kind, module] =
    /Export named '([^']+)' not found in module 'tsinfra\/(operations|facts)(?:\/(\w+))?'/.exec(message) ?? [];
  if (name === undefined || kind === undefined) return undefined;
  const { allFacts, allOperations } = await import("../registry.ts");
  const names = [...(kind === "facts" ? allFacts : allOperations).keys()];
  const known =
    module === undefined
      ? names.map(full => full.split(".")[0] ?? "")
      : names.filter(full => full.startsWith(`${module}.`)).map(full => full.slice(module.length + 1));
  const near = nearest(name, new Set(known));
  return near === undefined ? undefined : `Did you mean "${near}"?`;
}
