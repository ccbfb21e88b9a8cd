/** What to write in place of an import that finds nothing. @module */
import { readdirSync } from "node:fs";
import { builtinModules } from "node:module";
import { basename, dirname, resolve } from "node:path";
import type { CallSite } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { deployModules } from "../deploy/index.ts";

/** For what a runtime says about an import at this place; `undefined` where it says nothing about one, or nothing helps. */
export async function importHint(message: string, at: CallSite | undefined): Promise<string | undefined> {
  const [, absent] = /Cannot find (?:module|package) '([^']+)'/.exec(message) ?? [];
  if (absent !== undefined) return absentHint(absent, at);
  const [, builtin] = /No such built-in module: (\S+)/.exec(message) ?? [];
  if (builtin !== undefined)
    return whereNear(
      builtin,
      builtinModules.map(name => `node:${name}`),
    );
  const [, whole] = /The module '(tsinfra[^']*)' has no default export/.exec(message) ?? [];
  if (whole !== undefined) return withoutDefault(whole);
  const [, name, module] = /Export named '([^']+)' not found in module '(tsinfra(?:\/[^']+)?)'/.exec(message) ?? [];
  if (name === undefined || module === undefined) return undefined;
  const modules = await deployModules();
  const owners = [...modules].flatMap(([owner, exports]) => (name in exports ? [owner] : []));
  return ownersHint(name, owners) ?? whereNear(name, Object.keys(modules.get(module) ?? {}));
}

/** For a name that other modules of ours export; those that hold others stand first. */
export function ownersHint(name: string, owners: readonly string[]): string | undefined {
  const [first, ...others] = owners;
  if (first === undefined) return undefined;
  const shown = others.slice(0, OWNERS).map(owner => `"${owner}"`);
  const more = others.length - shown.length;
  const elsewhere =
    shown.length === 0 ? "" : `; it is also in ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  return `Write import { ${name} } from "${first}"${elsewhere}`;
}
const OWNERS = 3;

/** For a file or a package that is not there. */
async function absentHint(specifier: string, at: CallSite | undefined): Promise<string | undefined> {
  if (/^\.{0,2}\//.test(specifier)) {
    const wanted = resolve(at ? dirname(at.file) : "/", specifier);
    const names = new Map(
      namesIn(dirname(wanted)).flatMap(name => [
        [withoutExtension(name), name],
        [name, name],
      ]),
    );
    const near = names.get(nearest(basename(wanted), names.keys()) ?? "");
    return near === undefined
      ? `There is no file ${wanted}`
      : `Did you mean "${specifier.slice(0, -basename(specifier).length)}${near}"?`;
  }
  const near = whereNear(specifier, (await deployModules()).keys());
  if (near !== undefined || specifier.startsWith("tsinfra")) return near;
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  return `Install the package beside the file: npm install ${name}`;
}

const withoutExtension = (name: string): string => name.replace(/\.\w+$/, "");

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
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
  const [example = name] = Object.keys((await deployModules()).get(module) ?? {});
  return `Write import * as ${name} from "${module}", or what you need of it by name: import { ${example} }`;
}
