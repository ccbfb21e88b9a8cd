/** Hosts of an Ansible inventory. @module */
import { access, constants, readdir, stat } from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import type { ConnectorContext, FoundHost } from "../../../core/connector.ts";
import { InventoryError } from "../../../core/errors.ts";
import { type Data, type FinderOptions, isObject, outputOf, parseJson, textOf } from "../finder.ts";
import { readScriptOutput, readYaml } from "./documents.ts";
import { readIni } from "./ini.ts";
import { AnsibleInventory } from "./model.ts";
import { isConsumed, translate } from "./variables.ts";
import { parseYaml } from "./yaml.ts";

/** Read an inventory file, script or directory, and the `group_vars` and `host_vars` beside it. */
export async function ansibleHosts(
  path: string,
  { cwd, warn }: ConnectorContext,
  { env }: FinderOptions,
): Promise<readonly FoundHost[]> {
  if (path === "") throw new InventoryError("@ansible needs a path", { hint: "Write @ansible/inventory.ini" });
  const source = resolve(cwd, path);
  const found = await stat(source).catch(() => undefined);
  if (!found) throw new InventoryError(`Ansible inventory "${path}" does not exist`);
  const inventory = new AnsibleInventory();
  for (const file of found.isDirectory() ? await filesOf(source) : [source])
    await readSource(file, inventory, { env, warn });
  await readVariables(found.isDirectory() ? source : dirname(source), inventory, warn);
  warnOfTemplates(inventory, cwd, warn);

  const problems = new Map<string, string[]>();
  const hosts = [...inventory.hosts.keys()].flatMap((name): readonly FoundHost[] => {
    const { at, data, warnings } = translate(name, inventory);
    for (const warning of warnings) problems.set(warning, [...(problems.get(warning) ?? []), name]);
    return at === undefined ? [] : [{ name, at, data, groups: inventory.groupsOf(name) }];
  });
  for (const [problem, names] of problems) warn(`${few(names)} of ${path}: ${problem}`);
  return hosts;
}

/** Says once which variables wait for Ansible to render them. */
function warnOfTemplates(inventory: AnsibleInventory, cwd: string, warn: (message: string) => void): void {
  const found = [...inventory.templates].flatMap(([file, keys]) => {
    const own = [...keys].filter(key => !isConsumed(key));
    const near = relative(cwd, file);
    return own.length === 0 ? [] : [`${few(own)} in ${near.length < file.length ? near : file}`];
  });
  if (found.length > 0) warn(`Templates are not rendered and stay as they are written: ${found.join("; ")}`);
}

/** So many names make a readable line. */
const NAMES = 5;
const few = (names: readonly string[]): string =>
  names.length <= NAMES ? names.join(", ") : `${names.slice(0, NAMES).join(", ")} and ${names.length - NAMES} more`;

async function readSource(
  file: string,
  inventory: AnsibleInventory,
  { env, warn }: Pick<FinderOptions, "env"> & Pick<ConnectorContext, "warn">,
): Promise<void> {
  inventory.source = file;
  const isScript = await access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
  const text = (await textOf(file)) ?? "";
  if (isScript && text.startsWith("#!"))
    return readScriptOutput(
      parseJson(await outputOf([file, "--list"], { cwd: dirname(file), env }), file),
      file,
      inventory,
    );
  const reading = { file, text, inventory, warn };
  if ([".yml", ".yaml"].includes(extname(file))) return readYaml(parseYaml(text, file, warn), reading);
  if (extname(file) === ".json") return readYaml(parseJson(text, file), reading);
  readIni(text, file, inventory);
}

/** What Ansible would read of a directory. */
async function filesOf(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.filter(entry => !entry.isDirectory() && !IGNORED.test(entry.name)).map(entry => entry.name);
  return names.sort().map(name => join(directory, name));
}
const IGNORED = /^\.|~$|\.(?:pyc|pyo|swp|bak|rpm|md|txt|rst|orig|cfg|retry)$/;

async function readVariables(
  directory: string,
  inventory: AnsibleInventory,
  warn: (message: string) => void,
): Promise<void> {
  for (const [folder, isKnown, add] of [
    [
      "group_vars",
      (name: string) => name === "all" || inventory.groups.has(name),
      (name: string, data: Data) => inventory.addVariables(name, data),
    ],
    [
      "host_vars",
      (name: string) => inventory.hosts.has(name),
      (name: string, data: Data) => inventory.addHost(name, undefined, data),
    ],
  ] as const) {
    for (const { name, file } of await variableFiles(join(directory, folder))) {
      if (!isKnown(name)) continue;
      const text = (await textOf(file)) ?? "";
      if (text.startsWith("$ANSIBLE_VAULT;")) {
        warn(`${file} is left out: encrypted by Ansible Vault`);
        continue;
      }
      inventory.source = file;
      const data = parseYaml(text, file, warn);
      if (isObject(data)) add(name, data);
      else if (data !== null && data !== undefined) throw new InventoryError(`${file} must hold variables by name`);
    }
  }
}

/** `NAME`, `NAME.yml` …, and every file of a directory `NAME`. */
async function variableFiles(folder: string): Promise<readonly { readonly name: string; readonly file: string }[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    entries.map(async entry => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return (await filesOf(path)).map(file => ({ name: entry.name, file }));
      const extension = extname(entry.name);
      const name = [".yml", ".yaml", ".json"].includes(extension) ? basename(entry.name, extension) : entry.name;
      return IGNORED.test(entry.name) ? [] : [{ name, file: path }];
    }),
  );
  return found.flat().sort((a, b) => (a.file < b.file ? -1 : 1));
}
