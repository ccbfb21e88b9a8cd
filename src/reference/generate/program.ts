/** The sources of operations and facts, compiled as far as their types. @module */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type ts from "typescript";
import type { Compiler } from "./types.ts";

export type Layer = "operations" | "facts";

/** One file that operations or facts are found in. */
export interface LeafModule {
  readonly layer: Layer;
  readonly name: string;
  /** Relative to the repository. */
  readonly path: string;
  readonly file: ts.SourceFile;
}

export interface Program extends Compiler {
  readonly root: string;
  readonly modules: readonly LeafModule[];
  /** A file relative to the repository. */
  file(path: string): ts.SourceFile | undefined;
}

/** Compile the leaves below `root`, the repository. The compiler is loaded here: it is needed by nobody else. */
export async function compile(root: string): Promise<Program> {
  const { default: ts } = await import("typescript");
  const leaves = (["operations", "facts"] as const).flatMap(layer => leafPaths(root, layer));
  const program = ts.createProgram([...leaves.map(({ path }) => join(root, path)), join(root, GLOBALS_FILE)], {
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.Preserve,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.esnext.d.ts"],
    types: [],
    strict: true,
    noUncheckedIndexedAccess: true,
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
  });
  const file = (path: string) => program.getSourceFile(join(root, path));
  const modules = leaves.flatMap(leaf => {
    const source = file(leaf.path);
    return source ? [{ ...leaf, file: source }] : [];
  });
  return { ts, checker: program.getTypeChecker(), root, modules, file };
}

/** Where the arguments that every operation takes are declared. */
export const GLOBALS_FILE = "src/core/arguments.ts";

/** `apt.ts` and `files/index.ts`, sorted by name. */
function leafPaths(root: string, layer: Layer): readonly Omit<LeafModule, "file">[] {
  const folder = join(root, "src", layer);
  return readdirSync(folder, { withFileTypes: true })
    .filter(entry => entry.name !== "shared" && entry.name !== "index.ts")
    .filter(entry =>
      entry.isDirectory() ? existsSync(join(folder, entry.name, "index.ts")) : entry.name.endsWith(".ts"),
    )
    .map(entry => ({
      layer,
      name: camel(entry.name.replace(/\.ts$/, "")),
      path: `src/${layer}/${entry.name}${entry.isDirectory() ? "/index.ts" : ""}`,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

const camel = (kebab: string): string => kebab.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
