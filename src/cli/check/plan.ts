/** Which files `check` looks at, and as what. @module */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { findConfigFile, requireConfigFile } from "../../config/index.ts";
import { fileReference } from "../../inventory/file.ts";
import { groupDataFiles } from "../../inventory/group-data.ts";
import { type Finding, toldAs } from "./finding.ts";
import { isComputed } from "./literals.ts";
import { type Setting, settingsIn } from "./settings.ts";
import { isNamedInventory } from "./host-data.ts";
import { PROGRAMS, readPrograms } from "./sources.ts";

/** An inventory, and the function that is used of it. */
export interface InventoryFile {
  readonly file: string;
  readonly function?: string;
}

/** Absolute paths of what is to be checked. */
export interface CheckPlan {
  readonly config: string | undefined;
  readonly settings: readonly Setting[];
  /** There may be connectors of the project's own. */
  readonly hasConnectors: boolean;
  readonly inventories: readonly InventoryFile[];
  readonly groupData: readonly string[];
  /** Deploy files, and other programs. */
  readonly programs: readonly string[];
  /** Those of them that somebody runs, if no other imports them. */
  readonly entries: readonly string[];
  /** What is wrong with the names of files. */
  readonly findings: readonly Finding[];
  /** What is not checked, and why. */
  readonly notes: readonly string[];
}

/** What a plan depends on beside files. */
export interface PlanOptions {
  /** Where a run would begin; by default its group data is not read. */
  readonly cwd?: string;
  /** Keys of host data that connectors read. */
  readonly dataKeys?: readonly string[];
}

/** The files that were named, and the group data that a run reads with them. */
export async function planOfFiles(files: readonly string[], { cwd, dataKeys }: PlanOptions = {}): Promise<CheckPlan> {
  const paths = files.map(file => realpathSync(file));
  const config = paths.find(isConfig);
  const ofGroups = paths.filter(file => basename(dirname(file)) === "group_data");
  const others = paths.filter(file => !isConfig(file) && !ofGroups.includes(file));
  const entries = others.filter(isProgram);
  const documents = others.filter(file => !isProgram(file));
  const directory = realpathSync(cwd ?? process.cwd());
  const programs = readPrograms(entries, directory).filter(source => isNamedInventory(source, entries));
  const inventories = [...documents, ...programs.map(({ file }) => file)];
  const groupData = inventories.flatMap(file =>
    groupDataFiles(cwd === undefined ? dirname(file) : directory, file, []).map(one => realpathSync(one)),
  );
  return {
    config,
    ...(config === undefined
      ? { settings: [], findings: [], hasConnectors: true }
      : await settingsIn(config, dataKeys)),
    inventories: documents.map(file => ({ file })),
    groupData: [...new Set([...groupData, ...ofGroups])],
    entries,
    programs: [...entries, ...paths.filter(file => isConfig(file) && file !== config)],
    notes: [],
  };
}

const isConfig = (file: string): boolean =>
  /(?:^|\/)(?:infra\.config|\.config\/infra)\.\w+$/.test(file.replaceAll("\\", "/"));
const isProgram = (file: string): boolean => PROGRAMS.includes(extname(file));

/** What the config names, and what the directory has: group data, and the programs in it that use tsinfra. */
export async function planOfDirectory(
  cwd: string,
  named: string | undefined,
  { dataKeys }: PlanOptions = {},
): Promise<CheckPlan> {
  const directory = realpathSync(cwd);
  const config = configOf(directory, named);
  const {
    settings,
    findings: unusable,
    hasConnectors,
  } = config === undefined ? { settings: [], findings: [], hasConnectors: true } : await settingsIn(config, dataKeys);
  const findings = [...unusable];
  const notes: string[] = [];
  const home = config === undefined ? directory : dirname(config);

  const inventories: InventoryFile[] = [];
  for (const { key, value, at } of settings) {
    if (key !== "inventory") continue;
    // Of what is no text at all the settings have told.
    if (isComputed(value)) notes.push(`The inventory of ${basename(at.file)}:${at.line}, which is computed`);
    else if (typeof value === "string")
      await toldAs(findings, at, () => {
        const reference = fileReference(value, home);
        if (reference) inventories.push({ ...reference, file: realpathSync(reference.file) });
      });
  }
  const groupData: string[] = [];
  for (const inventory of [undefined, ...inventories.filter(one => one.function === undefined)])
    groupData.push(...groupDataFiles(directory, inventory?.file, []).map(file => realpathSync(file)));
  for (const { key, value, at } of settings)
    if (key === "groupData" && [value].flat().every(path => typeof path === "string"))
      await toldAs(findings, at, () => {
        const all = groupDataFiles(home, undefined, [value].flat() as readonly string[]);
        groupData.push(...all.map(file => realpathSync(file)));
      });

  const taken = new Set([config, ...inventories.map(({ file }) => file), ...groupData]);
  const programs = readdirSync(directory)
    .toSorted()
    .map(name => join(directory, name))
    .filter(file => isProgram(file) && usesTsinfra(file))
    .map(file => realpathSync(file))
    .filter(file => !taken.has(file));
  return {
    config,
    settings,
    hasConnectors,
    inventories,
    groupData: [...new Set(groupData)],
    programs: [...new Set(programs)],
    entries: [...new Set(programs)].filter(isRun),
    findings,
    notes,
  };
}

/** Throws `ConfigError` where the file that was named is none. */
function configOf(directory: string, named: string | undefined): string | undefined {
  const file = named === undefined ? findConfigFile(directory) : requireConfigFile(resolve(directory, named));
  return file === undefined ? undefined : realpathSync(file);
}

/** It is called deploy, or begins with `#!` and tsinfra. */
const isRun = (file: string): boolean =>
  /^deploy\b/.test(basename(file)) || /^#!.*\btsinfra\b/.test(readFileSync(file, "utf8"));

/** It begins with `#!` and tsinfra, it imports tsinfra, or it is called deploy. */
function usesTsinfra(file: string): boolean {
  if (file.endsWith(".d.ts") || !existsSync(file) || !statSync(file).isFile()) return false;
  if (/^deploy\b/.test(basename(file))) return true;
  return /^#!.*\btsinfra\b|\bfrom\s*["']tsinfra(?:\/[\w./-]+)?["']/.test(readFileSync(file, "utf8"));
}
