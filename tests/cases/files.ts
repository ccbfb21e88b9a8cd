/** Where cases are, and how one is read. @module */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { CaseError, type Json } from "./values.ts";

export const ROOT = join(import.meta.dir, "../..");

/** A file with a case. */
export interface CaseFile {
  /** Relative to the repository. */
  readonly path: string;
  /** The operation or fact: `apt.packages`. */
  readonly name: string;
  /** What the case is about: `installs-a-version`. */
  readonly situation: string;
}

/** Every case of a kind, sorted by path. */
export function caseFiles(kind: "operations" | "facts"): readonly CaseFile[] {
  const folder = join(ROOT, "fixtures", kind);
  if (!existsSync(folder)) throw new CaseError(`There are no cases: ${folder} is missing`);
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory())
    .map(entry => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort()
    .map(caseFile);
}

/** The case that a path names. Throws `CaseError` where the path is not one of a case. */
export function caseFile(path: string): CaseFile {
  const [, name, situation] =
    /^fixtures\/(?:operations|facts)\/([A-Za-z0-9.]+)\/([a-z0-9]+(?:-[a-z0-9]+)*)\.json$/.exec(path) ?? [];
  if (name === undefined || situation === undefined)
    throw new CaseError(`${path} is no case: wanted is fixtures/operations/module.operation/situation-in-words.json`);
  return { path, name, situation };
}

/** The JSON of a case. */
export const readCase = (file: CaseFile): Json => JSON.parse(readFileSync(join(ROOT, file.path), "utf8")) as Json;

/** Do something with a case; what is wrong with it is told with its path. */
export async function withCase<T>(file: CaseFile, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof CaseError || error instanceof SyntaxError
      ? new CaseError(`${file.path}: ${error.message}`)
      : error;
  }
}
