/** Ansible inventories as YAML files, and as the JSON that inventory scripts print. @module */
import { InventoryError } from "../../../core/errors.ts";
import { type Data, isObject } from "../finder.ts";
import { hostNames } from "./ini.ts";
import type { AnsibleInventory } from "./model.ts";

/** Groups by name, each with hosts, vars and children. */
export function readYaml(document: unknown, file: string, inventory: AnsibleInventory): void {
  if (document === null || document === undefined) return;
  if (!isObject(document)) throw new InventoryError(`${file} is no Ansible inventory: it must be groups by name`);
  for (const [name, group] of Object.entries(document)) readGroup(name, group, file, inventory);
}

function readGroup(name: string, group: unknown, file: string, inventory: AnsibleInventory): void {
  inventory.group(name);
  if (group === null || group === undefined) return;
  const part = (key: string): Data => {
    const found = isObject(group) ? (group[key] ?? {}) : undefined;
    if (typeof found === "string") return { [found]: null };
    if (isObject(found)) return found;
    throw new InventoryError(`The ${key} of the group "${name}" in ${file} must be a map`);
  };
  for (const [pattern, variables] of Object.entries(part("hosts"))) {
    const { names, port } = hostNames(pattern);
    for (const host of names)
      inventory.addHost(host, name, {
        ...(port === undefined ? {} : { ansible_port: port }),
        ...(isObject(variables) ? variables : {}),
      });
  }
  inventory.addVariables(name, part("vars"));
  for (const [child, inner] of Object.entries(part("children"))) {
    inventory.group(name).children.add(child);
    readGroup(child, inner, file, inventory);
  }
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
    for (const child of names(children)) inventory.group(name).children.add(child);
    if (isObject(vars)) inventory.addVariables(name, vars);
  }
  const variables = isObject(meta) && isObject(meta["hostvars"]) ? meta["hostvars"] : {};
  for (const [host, own] of Object.entries(variables)) if (isObject(own)) inventory.addHost(host, undefined, own);
}
