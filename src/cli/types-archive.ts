/** The type declarations that the executable carries, and the compiler settings that use them. @module */
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { archive } from "../types/embedded.ts";

const ROOT = dirname(dirname(import.meta.dir));

/** Declaration files by path: `tsinfra/…` and `node_modules/…`; `undefined` from source, where the sources themselves serve. */
async function typesArchive(): Promise<ReadonlyMap<string, string> | undefined> {
  if (archive === undefined) return undefined;
  const packed = await readFile(archive);
  const texts = JSON.parse(Bun.zstdDecompressSync(packed).toString()) as Readonly<Record<string, string>>;
  return new Map(Object.entries(texts));
}

/** Write the declarations into a directory of their own; what an older version left there is removed. Returns how many files there are. */
export async function writeTypes(directory: string): Promise<number> {
  const files = await typesArchive();
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  if (!files) return 0;
  const directories = new Set([...files.keys()].map(path => dirname(join(directory, path))));
  for (const path of directories) await mkdir(path, { recursive: true });
  await Promise.all([...files].map(([path, text]) => writeFile(join(directory, path), text)));
  return files.size;
}

/** Compiler options for deploy files. `types` is where `writeTypes` wrote, as the tsconfig names it. */
export function compilerOptions(types: string): Readonly<Record<string, unknown>> {
  const fromSource = archive === undefined;
  const source = (path: string): string =>
    fromSource ? join(ROOT, "src", `${path}.ts`) : `${types}/tsinfra/${path}.d.ts`;
  return {
    target: "ESNext",
    module: "Preserve",
    moduleResolution: "bundler",
    moduleDetection: "force",
    lib: ["ESNext"],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    resolveJsonModule: true,
    types: ["bun"],
    typeRoots: [fromSource ? join(ROOT, "node_modules/@types") : `${types}/node_modules/@types`],
    paths: {
      tsinfra: [source("public/index")],
      "tsinfra/operations": [source("operations/index")],
      "tsinfra/operations/*": [source("operations/*"), source("operations/*/index")],
      "tsinfra/facts": [source("facts/index")],
      "tsinfra/facts/*": [source("facts/*"), source("facts/*/index")],
    },
  };
}

/** Write a file unless there is one. */
export async function writeNew(path: string, text: string, mode?: number): Promise<boolean> {
  if (existsSync(path)) return false;
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(path, text, { flag: "wx", ...(mode === undefined ? {} : { mode }) });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
