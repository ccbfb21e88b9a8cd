/** Makes the reference from the sources. Needs the TypeScript compiler, and is no part of the executable. @module */
import { join } from "node:path";
import { type ModuleContents, readGlobals, readModule } from "./generate/definitions.ts";
import { compile, type Layer } from "./generate/program.ts";
import { testedOperations } from "./generate/tested.ts";
import type { OperationReference, Reference, Signature, Signatures } from "./model.ts";

/** The repository. */
export const ROOT = join(import.meta.dir, "../..");

/** Everything but what the tests say. */
export type UntestedReference = Omit<Reference, "operations"> & {
  readonly operations: readonly Omit<OperationReference, "testedOn">[];
};

/** Read every operation and fact. The same sources and tests give the same reference. */
export async function generateReference(root = ROOT): Promise<Reference> {
  return withTests(await readSources(root), root);
}

/** Read the sources: this takes seconds. */
export async function readSources(root = ROOT): Promise<UntestedReference> {
  const program = await compile(root);
  const modules: (ModuleContents & { readonly layer: Layer })[] = [];
  for (const leaf of program.modules) modules.push({ layer: leaf.layer, ...(await readModule(program, leaf)) });
  const moduleOf = (layer: "operations" | "facts") =>
    modules.filter(one => one.layer === layer && one[layer].length > 0).map(one => one.module);
  return {
    operations: modules.flatMap(one => one.operations).sort(byName),
    facts: modules.flatMap(one => one.facts).sort(byName),
    operationModules: moduleOf("operations"),
    factModules: moduleOf("facts"),
    globals: readGlobals(program),
    aliases: await aliases(root),
    problems: modules.flatMap(one => one.problems),
  };
}

/** Add which operations the tests run on real systems. */
export async function withTests(reference: UntestedReference, root = ROOT): Promise<Reference> {
  const { default: typescript } = await import("typescript");
  const tested = testedOperations(
    typescript,
    root,
    reference.operations.map(({ name }) => name),
  );
  return {
    ...reference,
    operations: reference.operations.map(operation => ({ ...operation, testedOn: tested.get(operation.name) ?? [] })),
  };
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1);

async function aliases(root: string): Promise<Readonly<Record<string, string>>> {
  const [operations, facts] = await Promise.all(
    ["operations", "facts"].map(layer => import(join(root, "src", layer, "shared/aliases.ts"))),
  );
  return { ...operations.OPERATION_ALIASES, ...facts.FACT_ALIASES };
}

/** The part of the reference that arguments are checked with. */
export function signaturesOf({ operations, facts, globals, aliases }: UntestedReference): Signatures {
  return {
    operations: Object.fromEntries(operations.map(one => [one.name, signature(one, one.positional)])),
    facts: Object.fromEntries(facts.map(one => [one.name, signature(one, [])])),
    globals: Object.fromEntries(globals.map(({ name, type }) => [name, type])),
    aliases,
  };
}

function signature(entry: UntestedReference["facts" | "operations"][number], positional: readonly string[]): Signature {
  const required = entry.arguments.filter(argument => argument.required).map(({ name }) => name);
  return {
    fields: Object.fromEntries(entry.arguments.map(({ name, type }) => [name, type])),
    ...(required.length > 0 ? { required } : {}),
    ...(entry.rest === undefined ? {} : { rest: entry.rest }),
    ...(positional.length > 0 ? { positional } : {}),
  };
}
