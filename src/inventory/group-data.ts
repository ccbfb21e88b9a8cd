/** Group data in files of its own: `group_data/<group>.ts`, `.json`, `.yaml` or `.toml`. @module */
import { statSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { InventoryError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { isPlainObject } from "../core/kind.ts";
import { isGroupDatum } from "./data-keys.ts";
import { FILE_EXTENSIONS, importUserFile, list, reading } from "./file.ts";
import { shown } from "./groups.ts";

type Data = Readonly<Record<string, unknown>>;

const DIRECTORY = "group_data";

/**
 * Files of group data, those that win last: in the working directory, next to the inventory file, then what is named explicitly,
 * which must exist.
 */
export function groupDataFiles(
  cwd: string,
  inventoryFile: string | undefined,
  extra: readonly string[],
): readonly string[] {
  const beside = inventoryFile === undefined ? [] : [join(dirname(inventoryFile), DIRECTORY)];
  const standard = [...new Set([join(cwd, DIRECTORY), ...beside])].flatMap(directory => filesOf(directory));
  const named = extra.flatMap(path => {
    const absolute = resolve(cwd, path);
    const stat = statSync(absolute, { throwIfNoEntry: false });
    if (stat?.isDirectory()) return filesOf(absolute);
    if (stat?.isFile() && FILE_EXTENSIONS.includes(extname(absolute))) return [absolute];
    const near = nearest(basename(absolute), list(dirname(absolute)));
    throw new InventoryError(
      stat ? `Group data "${path}" is no ${FILE_EXTENSIONS.join(", ")} file` : `Group data "${path}" does not exist`,
      {
        hint: near === undefined ? undefined : `Did you mean "${near}"?`,
      },
    );
  });
  return [...standard, ...named];
}

const filesOf = (directory: string): readonly string[] =>
  list(directory)
    .filter(name => FILE_EXTENSIONS.includes(extname(name)) && !name.startsWith("_") && !name.endsWith(".d.ts"))
    .map(name => join(directory, name));

const groupOf = (file: string): string => basename(file, extname(file));

/** Data by group; files later in the list win key by key. */
export async function readGroupData(
  files: readonly string[],
  beforeImport: ((file: string) => unknown) | undefined,
): Promise<ReadonlyMap<string, Data>> {
  const contents = await Promise.all(
    files.map(file =>
      reading(file, async () => [groupOf(file), exported(await importUserFile(file, beforeImport), file)] as const),
    ),
  );
  const groups = new Map<string, Data>();
  for (const [group, data] of contents) groups.set(group, { ...groups.get(group), ...data });
  return groups;
}

function exported({ default: standard = {}, ...named }: Readonly<Record<string, unknown>>, file: string): Data {
  if (!isPlainObject(standard)) {
    throw new InventoryError(`Group data must be named exports or an object, found ${shown(standard)}`, {
      at: { file, line: 1, column: 1 },
    });
  }
  return Object.fromEntries(Object.entries({ ...standard, ...named }).filter(([key]) => isGroupDatum(key)));
}
