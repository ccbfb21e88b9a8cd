/** What a deploy file threw, as an error with the user's own line and, where it is a misspelt name, the nearest one. @module */
import { DeployError, TsinfraError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { sitesOf } from "../deploy/index.ts";

/** An error of the user's code with its place; anything else stays what it is. */
export async function explained(error: unknown): Promise<unknown> {
  if (error instanceof TsinfraError) {
    if (error.at === undefined) [error.at, ...error.callers] = sitesOf(error);
    error.hint ??= await importHint(error.message);
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

/** For an import of a module of ours that there is not, or of a name that one does not have. */
async function importHint(message: string): Promise<string | undefined> {
  const [, absent] = /Cannot find (?:module|package) '([^'./][^']*)'/.exec(message) ?? [];
  if (absent !== undefined) return whereNear(absent, await modules());
  const [, whole] = /The module '(tsinfra[^']*)' has no default export/.exec(message) ?? [];
  if (whole !== undefined) return withoutDefault(whole);
  const [, name, module] = /Export named '([^']+)' not found in module '(tsinfra\/[^']+)'/.exec(message) ?? [];
  return name === undefined || module === undefined ? undefined : whereNear(name, await exportsOf(module));
}

function whereNear(name: string, known: Iterable<string>): string | undefined {
  const near = nearest(name, known);
  return near === undefined ? undefined : `Did you mean "${near}"?`;
}

/** What to write instead of `import apt from "tsinfra/operations/apt"`. */
async function withoutDefault(module: string): Promise<string> {
  const [, last] = /\/\w+\/(\w+)$/.exec(module) ?? [];
  const name = last ?? (module === "tsinfra" ? "host" : "files");
  if (last === undefined) return `Write import { ${name} } from "${module}"`;
  const [example = name] = await exportsOf(module);
  return `Write import * as ${name} from "${module}", or what you need of it by name: import { ${example} }`;
}

/** The modules that a deploy file can import from us. */
async function modules(): Promise<readonly string[]> {
  const kinds = ["tsinfra/operations", "tsinfra/facts"];
  const names = await Promise.all(kinds.map(async kind => (await exportsOf(kind)).map(name => `${kind}/${name}`)));
  return ["tsinfra", ...kinds, ...names.flat()];
}

/** What a module of operations or of facts exports. */
async function exportsOf(module: string): Promise<readonly string[]> {
  const { allFacts, allOperations } = await import("../registry.ts");
  const [, kind, inner] = module.split("/");
  const names = [...(kind === "facts" ? allFacts : allOperations).keys()];
  const inside = inner === undefined ? names : names.filter(name => name.startsWith(`${inner}.`));
  return [...new Set(inside.map(name => name.split(".")[inner === undefined ? 0 : 1] ?? ""))];
}
