/** Ansible inventories as YAML files, and as the JSON that inventory scripts print. @module */
import { InventoryError } from "../../../core/errors.ts";
import { kindOf } from "../../../core/kind.ts";
import { type Data, isObject } from "../finder.ts";
import { hostNames } from "./ini.ts";
import type { AnsibleInventory } from "./model.ts";
import { placeOfKey } from "./yaml.ts";

/** The text of a file that is read, and who is told of what is left out. */
interface Reading {
  readonly file: string;
  readonly text: string;
  readonly inventory: AnsibleInventory;
  warn(message: string): void;
}

/** Groups by name, each with hosts, vars and children. Throws `InventoryError` with the place of the mistake. */
export function readYaml(document: unknown, reading: Reading): void {
  if (document === null || document === undefined) return;
  if (!isObject(document))
    throw new InventoryError(`${reading.file} is no Ansible inventory: it must be groups by name`);
  const unexpected: string[] = [];
  for (const [name, group] of Object.entries(document)) readGroup([name], group, { ...reading, unexpected });
  if (unexpected.length > 0)
    reading.warn(
      `${unexpected.join(", ")} in ${reading.file} left out: a group has nothing but ${PARTS.slice(0, -1).join(", ")} and ${PARTS.at(-1)}`,
    );
}

const PARTS = ["hosts", "vars", "children"];

/** The group at the end of a path. */
function readGroup(
  path: readonly string[],
  group: unknown,
  reading: Reading & { readonly unexpected: string[] },
): void {
  const { file, text, inventory, unexpected } = reading;
  const name = path.at(-1)!;
  inventory.group(name);
  if (group === null || group === undefined) return;
  const part = (key: string): Data => {
    const found = isObject(group) ? (group[key] ?? {}) : undefined;
    if (typeof found === "string") return { [found]: null };
    if (isObject(found)) return found;
    throw new InventoryError(`The ${key} of the group "${name}" in ${file} must be a map`, {
      at: placeOfKey(text, file, isObject(group) ? [...path, key] : path),
    });
  };
  for (const [pattern, variables] of Object.entries(part("hosts"))) {
    const { names, port } = hostNames(pattern);
    if (variables !== null && !isObject(variables))
      throw new InventoryError(
        `Host "${pattern}" of the group "${name}" in ${file} must have a map of variables, found ${shown(variables)}`,
        {
          at: placeOfKey(text, file, [...path, "hosts", pattern]),
          hint: `For an address write ${pattern}: { ansible_host: ${typeof variables === "string" ? variables : "10.0.0.5"} }`,
        },
      );
    for (const host of names)
      inventory.addHost(host, name, { ...(port === undefined ? {} : { ansible_port: port }), ...variables });
  }
  inventory.addVariables(name, part("vars"));
  for (const [child, inner] of Object.entries(part("children"))) {
    inventory.addChild(name, child, () => placeOfKey(text, file, [...path, "children", child]));
    readGroup([...path, "children", child], inner, reading);
  }
  unexpected.push(
    ...Object.keys(group)
      .filter(key => !PARTS.includes(key))
      .map(key => `${key} of the group "${name}"`),
  );
}

/** What `SCRIPT --list` prints: groups with lists of hosts and of children, and the hosts' variables apart. */
export function readScriptOutput(document: unknown, file: string, inventory: AnsibleInventory): void {
  if (!isObject(document)) throw new InventoryError(`The inventory script ${file} must print an object`);
  const { _meta: meta, ...groups } = document;
  const names = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);
  for (const [name, group] of Object.entries(groups)) {
    const { hosts, children, vars } = isObject(group) ? group : { hosts: group, children: [], vars: {} };
    inventory.group(name);
    for (const host of names(hosts)) inventory.addHost(host, name);
    for (const child of names(children)) inventory.addChild(name, child, () => undefined);
    if (isObject(vars)) inventory.addVariables(name, vars);
  }
  const variables = isObject(meta) && isObject(meta["hostvars"]) ? meta["hostvars"] : {};
  for (const [host, own] of Object.entries(variables)) if (isObject(own)) inventory.addHost(host, undefined, own);
}

const shown = (value: unknown): string =>
  typeof value === "string" ? `"${value}"` : typeof value === "object" ? kindOf(value) : String(value);
