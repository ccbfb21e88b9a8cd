/** Keys of host data that every host has, as the config, the inventories and the group data say, and those that includes and deploys are handed. @module */
import { basename, extname } from "node:path";
import { importUserFile, readInventoryFile } from "../../inventory/file.ts";
import { isPlainObject } from "../../core/kind.ts";
import { groupOf } from "./host-data.ts";
import { exportsMore } from "./inventory-shape.ts";
import { itemsOf, literalOf, membersOf, type Module, moduleOf, nameOfKey, returned, written } from "./literals.ts";
import type { CheckPlan, InventoryFile } from "./plan.ts";
import { loadedBy, type Source } from "./sources.ts";
import { callOf, isFunction, memberName, type Node } from "./syntax.ts";

type Keys = ReadonlySet<string>;
const NONE: Keys = new Set();

/** Those that a text may hold without a word: a key that only some hosts have is missing for the others. */
export async function givenKeys(
  plan: CheckPlan,
  inventories: readonly InventoryFile[],
  sources: readonly Source[],
): Promise<Keys> {
  const sourceOf = (file: string): Source | undefined => sources.find(source => source.file === file);
  const ofFiles = new Map<string, Keys>();
  for (const file of plan.groupData) {
    const source = sourceOf(file);
    const keys = source ? exportedKeys(source, sources) : await orNone(() => documentKeys(file));
    ofFiles.set(groupOf(file), (ofFiles.get(groupOf(file)) ?? NONE).union(keys ?? NONE));
  }
  const ofConfig = plan.settings.flatMap(({ key, value, isAlways }) =>
    key === "data" && isAlways && isPlainObject(value) ? Object.entries(value) : [],
  );
  const common = (ofFiles.get("all") ?? NONE).union(keysIn(Object.fromEntries(ofConfig)));
  const hosts: Keys[] = [];
  for (const inventory of inventories) {
    const source = sourceOf(inventory.file);
    const groups = source
      ? new ProgramGroups(source, sources).groups(inventory)
      : await orNone(() => documentGroups(inventory.file));
    hosts.push(...hostKeys(groups ?? [], groupOf(inventory.file), ofFiles));
  }
  const [first = NONE, ...more] = hosts;
  const handed = sources.map(source => handedKeys(source, sources));
  return [common, ...handed].reduce(
    (all, keys) => all.union(keys),
    more.reduce((all, keys) => all.intersection(keys), first),
  );
}

/** Keys that a program hands to what it includes, or that its deploys bring. */
function handedKeys(source: Source, sources: readonly Source[]): Keys {
  const module = moduleOf(source.program);
  const program = new ProgramGroups(source, sources);
  return source.branches.reduce((all, { node }) => {
    const { callee, given } = callOf(node) ?? {};
    const isDeploy = callee?.type === "Identifier" && callee.name === "deploy";
    const options = isDeploy ? given?.[2] : callee && memberName(callee) === "include" ? given?.[1] : undefined;
    if (!options) return all;
    const members = membersOf(options, module);
    const data = members?.find(({ key }) => key === "data")?.value;
    return members ? (data ? all.union(program.keysOf(data)) : all) : all.union(program.mentioned());
  }, NONE);
}

/** What cannot be read is told where it is looked at as a whole. */
const orNone = <T>(body: () => Promise<T>): Promise<T | undefined> => body().catch(() => undefined);

/** A group, and what each of its hosts is given there. */
interface GroupKeys {
  readonly name: string;
  readonly keys: Keys;
  /** A host without a name is one of its own. */
  readonly hosts: readonly { readonly name?: string; readonly keys: Keys }[];
}

/** The keys of each host, with those of its groups. */
function hostKeys(
  groups: readonly GroupKeys[],
  inventory: string,
  ofFiles: ReadonlyMap<string, Keys>,
): readonly Keys[] {
  const ofGroup = (name: string): Keys =>
    groups.reduce((all, group) => (group.name === name ? all.union(group.keys) : all), ofFiles.get(name) ?? NONE);
  const ofAll = ofGroup("all").union(ofFiles.get(inventory) ?? NONE);
  const hosts = new Map<unknown, Keys>();
  for (const group of groups)
    for (const host of group.hosts) {
      const which = host.name ?? host;
      hosts.set(which, (hosts.get(which) ?? ofAll).union(host.keys).union(ofGroup(group.name)));
    }
  return [...hosts.values()];
}

/** The keys of data that has been read; what is nothing is not there. */
const keysIn = (data: Readonly<Record<string, unknown>>): Keys =>
  new Set(Object.entries(data).flatMap(([key, value]) => (value === undefined || value === null ? [] : [key])));

async function documentKeys(file: string): Promise<Keys> {
  const { default: standard, ...named } = await importUserFile(file, undefined);
  return keysIn({ ...(isPlainObject(standard) ? standard : {}), ...named });
}

async function documentGroups(file: string): Promise<readonly GroupKeys[]> {
  const groups = await readInventoryFile({ file }, undefined);
  return groups.map(({ name, data, members }) => ({
    name,
    keys: keysIn(data),
    hosts: members.map(host => ({ name: host.name, keys: keysIn(host.data) })),
  }));
}

/** Group data in a program: every export is a key, or the default export has them. */
function exportedKeys(source: Source, sources: readonly Source[]): Keys {
  const program = new ProgramGroups(source, sources);
  const { exports } = moduleOf(source.program);
  const named = exports.filter(({ name, value }) => name !== "default" && program.isThere(value));
  const standard = exports.find(({ name }) => name === "default");
  const keys = new Set(named.map(({ name }) => name)).union(standard ? program.keysOf(standard.value) : NONE);
  return exportsMore(source.program) ? keys.union(program.mentioned()) : keys;
}

/**
 * What an inventory that is a program says of its hosts. Where data or a host is computed it may have any key that the
 * program writes down anywhere.
 */
class ProgramGroups {
  readonly #source: Source;
  readonly #sources: readonly Source[];
  readonly #module: Module;

  constructor(source: Source, sources: readonly Source[]) {
    this.#source = source;
    this.#sources = sources;
    this.#module = moduleOf(source.program);
  }

  groups({ function: used }: InventoryFile): readonly GroupKeys[] {
    const groups = this.#module.exports.flatMap(({ name, value }) => {
      if (used === undefined ? name.startsWith("_") : name !== used) return [];
      const found = written(value, this.#module);
      if (isFunction(found)) {
        if (used === undefined && name !== "default") return [];
        const results = returned(found);
        // What else it does may give other hosts.
        return [...results.flatMap(result => this.#entries(result)), ...(results.length === 1 ? [] : [this.#any()])];
      }
      if (/^Class/.test(found.type)) return [];
      return name === "default" ? this.#entries(found) : [this.#group(name, found)];
    });
    return used === undefined && exportsMore(this.#source.program) ? [...groups, this.#any()] : groups;
  }

  /** Groups by name, or a list of hosts. */
  #entries(node: Node): readonly GroupKeys[] {
    const groups = membersOf(node, this.#module);
    if (!groups) return [this.#group("all", node)];
    return [...groups.map(({ key, value }) => this.#group(key, value)), ...(this.#isWhole(node) ? [] : [this.#any()])];
  }

  #group(name: string, node: Node): GroupKeys {
    const members = membersOf(node, this.#module);
    if (!members) return { name, keys: NONE, hosts: this.#hosts(node) };
    const data = members.find(({ key }) => key === "data")?.value;
    const hosts = members.find(({ key }) => key === "hosts")?.value;
    return { name, keys: data ? this.keysOf(data) : NONE, hosts: hosts ? this.#hosts(hosts) : [] };
  }

  #hosts(node: Node): GroupKeys["hosts"] {
    const found = written(node, this.#module);
    if (found.type !== "ArrayExpression") return [{ keys: this.mentioned() }];
    return found.elements.flatMap(item => {
      if (item === null) return [];
      if (item.type === "SpreadElement") return this.#hosts(item.argument);
      const [first, data] = itemsOf(item, this.#module) ?? [item];
      const name = first && literalOf(first, this.#module);
      const isText =
        typeof name === "string" || (first !== undefined && written(first, this.#module).type === "TemplateLiteral");
      const keys = data ? this.keysOf(data) : isText ? NONE : this.mentioned();
      return [typeof name === "string" ? { name, keys } : { keys }];
    });
  }

  /** The keys of data. */
  keysOf(node: Node): Keys {
    const members = (membersOf(node, this.#module) ?? []).filter(({ value }) => this.isThere(value));
    const keys = new Set(members.map(({ key }) => key));
    return this.#isWhole(node) ? keys : keys.union(this.mentioned());
  }

  /** A variable of the environment may not be set. */
  isThere(node: Node): boolean {
    const value = literalOf(node, this.#module);
    const found = written(node, this.#module);
    const isOfEnvironment = "object" in found && memberName(found.object as Node) === "env";
    return value !== undefined && value !== null && !isOfEnvironment;
  }

  /** Every member is written down. */
  #isWhole(node: Node): boolean {
    const found = written(node, this.#module);
    return (
      found.type === "ObjectExpression" &&
      found.properties.every(property =>
        property.type === "SpreadElement" ? this.#isWhole(property.argument) : !property.computed,
      )
    );
  }

  /** A group of nobody knows which hosts. */
  #any(): GroupKeys {
    return { name: "", keys: NONE, hosts: [{ keys: this.mentioned() }] };
  }

  mentioned(): Keys {
    const files = new Set([this.#source.file, ...loadedBy([this.#source.file], this.#sources)]);
    const branches = this.#sources.flatMap(source => (files.has(source.file) ? source.branches : []));
    return new Set(
      branches.flatMap(({ node }) =>
        (node.type === "ObjectProperty" || node.type === "ObjectMethod") && !node.computed
          ? (nameOfKey(node.key) ?? [])
          : [],
      ),
    );
  }
}
