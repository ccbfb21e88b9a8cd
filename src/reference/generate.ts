/** Makes the reference from the sources. Needs the TypeScript compiler, and is no part of the executable. @module */
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { BunPlugin } from "bun";
import { sourceReference } from "./from-source.ts";
import { type ModuleContents, readGlobals, readModule } from "./generate/definitions.ts";
import { compile, type Layer } from "./generate/program.ts";
import { testedOperations } from "./generate/tested.ts";
import { markdownPages } from "./markdown.ts";
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

/** Write `reference.json` and `signatures.json` into a directory, for the executable to carry. */
export async function writeReference(directory: string): Promise<void> {
  const made = await sourceReference();
  await mkdir(directory, { recursive: true });
  await Promise.all([copyFile(made.reference, join(directory, "reference.json")), copyFile(made.signatures, join(directory, "signatures.json"))]);
}

/** Write the reference as Markdown into a directory of its own. Returns how many pages there are. */
export async function writeDocs(directory: string): Promise<number> {
  const { reference } = await sourceReference();
  const pages = markdownPages(JSON.parse(await readFile(reference, "utf8")) as Reference);
  await rm(directory, { recursive: true, force: true });
  for (const [path, text] of pages) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  return pages.size;
}

/** Puts what `writeReference` wrote into the executable, and leaves out what makes it from the sources. */
export const referencePlugin = (directory: string): BunPlugin => ({
  name: "reference",
  setup(build) {
    build.onLoad({ filter: /[/\\]src[/\\]reference[/\\]embedded\.ts$/ }, ({ path }) => {
      // Relative, so that where this working copy is does not matter to the bytes.
      const file = (name: string): string => `import ${name} from ${JSON.stringify(join(relative(dirname(path), directory), `${name}.json`).replaceAll("\\", "/"))} with { type: "file" };\n`;
      return { contents: `${file("reference")}${file("signatures")}export const embedded = { reference, signatures };\n`, loader: "ts" };
    });
    build.onLoad({ filter: /[/\\]src[/\\]reference[/\\]from-source\.ts$/ }, () => ({ contents: "export const sourceReference = undefined;\n", loader: "ts" }));
  },
});
