/** Inventory files and functions. @module */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";
import { awaiting } from "../core/awaited.ts";
import { InventoryError, LocalFileError, NoHostError } from "../core/errors.ts";
import { kindOf } from "../core/kind.ts";
import { furtherMistakes, isImportFailure, loadFailure } from "../core/load-error.ts";
import { didYouMean, nearest } from "../core/nearest.ts";
import { type Fail, type Group, shown, toGroup, toGroups } from "./groups.ts";
import { groupOffset, locate } from "./locate.ts";

const SCRIPTS = [".ts", ".mts", ".js", ".mjs"];
const DOCUMENTS = [".json", ".yaml", ".yml", ".toml"];
export const FILE_EXTENSIONS: readonly string[] = [...SCRIPTS, ...DOCUMENTS];

/** What names a file, and possibly a function in it. */
export interface FileReference {
  readonly file: string;
  readonly function?: string;
}

/** Read `hosts.ts` or `hosts.ts:production` as a file; `undefined` when it is neither there nor looks like one. */
export function fileReference(text: string, cwd: string): FileReference | undefined {
  const whole = resolve(cwd, text);
  if (isFile(whole)) return { file: whole };
  if (text.startsWith("@")) return undefined;
  const [, path, name] = /^(.+):([A-Za-z_$][\w$]*)$/.exec(text) ?? [];
  if (path !== undefined && name !== undefined && FILE_EXTENSIONS.includes(extname(path)))
    return { file: requireFile(resolve(cwd, path), path), function: name };
  if (FILE_EXTENSIONS.includes(extname(text)) && !text.includes(",")) return { file: requireFile(whole, text) };
  if (/^[^@,]*\//.test(text)) requireFile(whole, text);
  return undefined;
}

/** Evaluate an inventory file, or a function it exports. */
export const readInventoryFile = (
  reference: FileReference,
  beforeImport: ((file: string) => unknown) | undefined,
): Promise<readonly Group[]> =>
  reading(reference.file, async () => {
    try {
      return await readGroups(reference, beforeImport);
    } catch (error) {
      const hint = `If ${basename(reference.file)} is a deploy file, name the inventory before it`;
      if (error instanceof InventoryError && error.cause instanceof NoHostError) error.hint = hint;
      throw error;
    }
  });

async function readGroups(
  reference: FileReference,
  beforeImport: ((file: string) => unknown) | undefined,
): Promise<readonly Group[]> {
  const { file } = reference;
  if (!FILE_EXTENSIONS.includes(extname(file))) {
    throw new InventoryError(`Inventory "${file}" is no ${FILE_EXTENSIONS.join(", ")} file`);
  }
  const fail: Fail = (message, spot, hint) => {
    throw new InventoryError(message, { at: locate(file, textOf(file) ?? "", spot), hint });
  };
  const module = await importUserFile(file, beforeImport);
  if (reference.function !== undefined)
    return toGroups(await call(module[reference.function], reference.function, module, file), fail);
  if (!SCRIPTS.includes(extname(file))) return toGroups(module["default"], fail);

  const { default: standard, ...named } = module;
  const groups = inSourceOrder(Object.entries(named), textOf(file) ?? "").flatMap(([name, value]) =>
    name.startsWith("_") || typeof value === "function" ? [] : [toGroup(name, value, fail)],
  );
  if (standard === undefined && groups.length === 0) throw noGroups(functionsOf(named, file), file);
  if (standard === undefined) return groups;
  const entries = isCallable(standard) ? await call(standard, "default", module, file) : standard;
  return [...toGroups(entries, fail), ...groups];
}

/** A class is a function that cannot be called. */
const isCallable = (value: unknown): value is () => unknown =>
  typeof value === "function" && kindOf(value) !== "a class";

const functionsOf = (exports: Readonly<Record<string, unknown>>, file: string): readonly string[] =>
  inSourceOrder(
    Object.entries(exports).filter(([name, value]) => isCallable(value) && !name.startsWith("_")),
    textOf(file) ?? "",
  ).map(([name]) => name);

/** Of a file that exports these functions and no groups: what its writer probably meant. */
export function noGroups(functions: readonly string[], file: string): InventoryError {
  const text = textOf(file) ?? "";
  const hidden = /^(?:const|let|var)\s+([A-Za-z$][\w$]*)[^=\n]*=\s*(?:\[|\{\s*hosts\b)/m.exec(text)?.[1];
  const group = functions[0] ?? hidden;
  return new InventoryError(`Inventory ${file} exports no groups, so it has no hosts`, {
    at: group === undefined ? { file, line: 1, column: 1 } : locate(file, text, { group }),
    hint:
      functions.length > 0
        ? `Name the function that gives the hosts: ${functions.map(name => `${basename(file)}:${name}`).join(" or ")}`
        : hidden !== undefined
          ? `Write \`export\` before the groups: \`export const ${hidden} = …\``
          : 'Every export is a group: export const web = ["web-1"]',
  });
}

/** Of a file whose groups are empty. */
export const noHosts = (file: string): InventoryError => new InventoryError(`Inventory ${file} has no hosts`);

/** A module lists its exports by name; hosts and groups have the order in which they are written. */
function inSourceOrder<V>(entries: readonly (readonly [string, V])[], text: string): readonly (readonly [string, V])[] {
  const place = (name: string): number => groupOffset(text, name) ?? text.length;
  return entries.toSorted(([a], [b]) => place(a) - place(b));
}

/** Import a TypeScript, JavaScript, JSON, YAML or TOML file. Throws `InventoryError` with the place of the mistake. */
export async function importUserFile(
  file: string,
  beforeImport: ((file: string) => unknown) | undefined,
): Promise<Record<string, unknown>> {
  return reading(file, async () => {
    await beforeImport?.(file);
    // The parser of JSON with comments says where a mistake is; the plain one does not.
    const options = file.endsWith(".json") ? { with: { type: "jsonc" } } : {};
    return await awaiting(
      `${file}, or a module that it imports,`,
      InventoryError,
      () => import(file, options) as Promise<Record<string, unknown>>,
    );
  });
}

/** Throws `InventoryError` for whatever code of the user's throws meanwhile: also a getter or a proxy does, when it is looked at. */
export async function reading<T>(file: string, body: () => T | Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw error instanceof InventoryError || error instanceof LocalFileError ? error : failure(error, file);
  }
}

function failure(error: unknown, file: string): InventoryError {
  const { message, ...found } = loadFailure(error, { file, source: textOf });
  return new InventoryError([message, ...furtherMistakes(error)].join("\n"), {
    ...found,
    cause: isImportFailure(error) ? undefined : error,
    ...(error instanceof NoHostError ? { hint: NO_HOST } : {}),
  });
}

/** Of files that are read before there is a run. */
const NO_HOST =
  "This file is read once for all hosts, before the deploy: what depends on the host goes into a deploy file";

async function call(
  candidate: unknown,
  name: string,
  module: Readonly<Record<string, unknown>>,
  file: string,
): Promise<unknown> {
  if (!isCallable(candidate)) {
    if (candidate !== undefined)
      throw new InventoryError(`"${name}" in ${file} must be a function, found ${shown(candidate)}`, {
        hint:
          typeof candidate === "object"
            ? `For the hosts of a group write ${basename(file)} --limit ${name}`
            : undefined,
      });
    const functions = Object.keys(module).filter(key => isCallable(module[key]));
    throw new InventoryError(`${file} exports no function "${name}"`, { hint: didYouMean(name, functions) });
  }
  return awaiting(`The function "${name}" of ${file}`, InventoryError, candidate);
}

function requireFile(file: string, written: string): string {
  if (isFile(file)) return file;
  const isDirectory = statSync(file, { throwIfNoEntry: false })?.isDirectory();
  const near = nearest(basename(file), list(dirname(file)));
  throw new InventoryError(
    isDirectory ? `Inventory "${written}" is a directory` : `Inventory file "${written}" does not exist`,
    {
      hint: near === undefined ? undefined : `Did you mean "${near}"?`,
    },
  );
}

const isFile = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;

export function list(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

export function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
