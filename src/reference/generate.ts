/** Makes the reference from the sources. Needs the TypeScript compiler, and is no part of the executable. @module */
import { join } from "node:path";
import { type ModuleContents, readGlobals, readModule } from "./generate/definitions.ts";
import { compile, type Layer } from "./generate/program.ts";
import { testedOperations } from "./generate/tested.ts";
import type { Reference, Signature, Signatures } from "./model.ts";

/** The repository. */
export const ROOT = join(import.meta.dir, "../..");

/** Read every operation and fact. The same sources give the same reference. */
export async function generateReference(root = ROOT): Promise<Reference> {
  const program = await compile(root);
  const modules: (ModuleContents & { readonly layer: Layer })[] = [];
  for (const leaf of program.modules) modules.push({ layer: leaf.layer, ...(await readModule(program, leaf)) });
  const operations = modules.flatMap(one => one.operations).sort(byName);
  const tested = testedOperations(program.ts, root, operations.map(({ name }) => name));
  const moduleOf = (layer: "operations" | "facts") => modules.filter(one => one.layer === layer && one[layer].length > 0).map(one => one.module);
  return {
    operations: operations.map(operation => ({ ...operation, testedOn: tested.get(operation.name) ?? [] })),
    facts: modules.flatMap(one => one.facts).sort(byName),
    operationModules: moduleOf("operations"),
    factModules: moduleOf("facts"),
    globals: readGlobals(program),
    aliases: await aliases(root),
    problems: modules.flatMap(one => one.problems),
  };
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1);

async function aliases(root: string): Promise<Readonly<Record<string, string>>> {
  const [operations, facts] = await Promise.all(["operations", "facts"].map(layer => import(join(root, "src", layer, "shared/aliases.ts"))));
  return { ...operations.OPERATION_ALIASES, ...facts.FACT_ALIASES };
}

/** The part of the reference that arguments are checked with. */
export function signaturesOf({ operations, facts, globals, aliases }: Reference): Signatures {
  return {
    operations: Object.fromEntries(operations.map(one => [one.name, signature(one, one.positional)])),
    facts: Object.fromEntries(facts.map(one => [one.name, signature(one, [])])),
    globals: Object.fromEntries(globals.map(({ name, type }) => [name, type])),
    aliases,
  };
}

function signature(entry: Reference["facts"][number] | Reference["operations"][number], positional: readonly string[]): Signature {
  const required = entry.arguments.filter(argument => argument.required).map(({ name }) => name);
  return {
    fields: Object.fromEntries(entry.arguments.map(({ name, type }) => [name, type])),
    ...(required.length > 0 ? { required } : {}),
    ...(entry.rest === undefined ? {} : { rest: entry.rest }),
    ...(positional.length > 0 ? { positional } : {}),
  };
}
