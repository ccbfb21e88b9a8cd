/** The hosts of a run, their groups and their data. @module */
import { basename, extname } from "node:path";
import { awaiting } from "../core/awaited.ts";
import type { Connector, ConnectorContext } from "../core/connector.ts";
import { type CallSite, InventoryError } from "../core/errors.ts";
import { didYouMean, nearest } from "../core/nearest.ts";
import { DataKeys, refuseReservedKey } from "./data-keys.ts";
import { fileReference, noHosts, readInventoryFile, textOf } from "./file.ts";
import { groupDataFiles, readGroupData } from "./group-data.ts";
import type { Group, Spot } from "./groups.ts";
import { locate } from "./locate.ts";
import { DEFAULT_CONNECTOR, type HostName, parseHostName, splitHosts } from "./parse.ts";

export { DataKeys, dataKeysOf } from "./data-keys.ts";
export type { GroupEntry, HostEntry, InventoryEntry } from "./groups.ts";
export { selectHosts } from "./select.ts";

type Data = Readonly<Record<string, unknown>>;

export interface InventoryOptions {
  readonly cwd: string;
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly context: ConnectorContext;
  /** Data of highest precedence. */
  readonly data?: Data;
  /** Data of lowest precedence. */
  readonly defaults?: Data;
  /** More group data: directories or files. */
  readonly groupData?: readonly string[];
  readonly beforeImport?: ((file: string) => unknown) | undefined;
}

/** A host before it is connected; what a run is given. */
export interface InventoryHost {
  readonly name: string;
  readonly connector: string;
  readonly address: string;
  /** The connections that this one goes through, the first of them from here. */
  readonly through: HostName["through"];
  /** In the order listed, `all` last. */
  readonly groups: readonly string[];
  /** Data layers, highest precedence first. */
  readonly data: readonly Data[];
}

/** Read an inventory: a host list, `@connector`, a file, or `file:function`. Throws `InventoryError`. */
export async function loadInventory(source: string, options: InventoryOptions): Promise<readonly InventoryHost[]> {
  const reference = fileReference(source, options.cwd);
  const listed = reference ? await readInventoryFile(reference, options.beforeImport) : [namesOnly(source)];
  const found = new Hosts();
  const placeOf = reference && ((spot: Spot) => locate(reference.file, textOf(reference.file) ?? "", spot));
  for (const group of allFirst(listed)) await found.add(group, options, placeOf);
  if (found.size === 0) throw reference ? noHosts(reference.file) : new InventoryError(`"${source}" names no hosts`);
  if (reference) found.addGroup(basename(reference.file, extname(reference.file)));

  // A function computes what it wants; data files belong to the inventories that are written down.
  const files = groupDataFiles(
    options.cwd,
    reference?.function === undefined ? reference?.file : undefined,
    options.groupData ?? [],
  );
  const fromFiles = await readGroupData(files, options.beforeImport);
  const hosts = found.build(fromFiles, options);
  warnOfGroups(fromFiles.keys(), hosts, options.context);
  return hosts;
}

/** `all` may set the order of hosts, whatever its place. */
const allFirst = (groups: readonly Group[]): readonly Group[] => [
  ...groups.filter(isAll),
  ...groups.filter(group => !isAll(group)),
];
const isAll = (group: Group): boolean => group.name === "all";

const namesOnly = (source: string): Group => ({
  name: "all",
  data: {},
  members: splitHosts(source).map(name => ({ name, data: {} })),
});

interface Draft extends Pick<InventoryHost, "connector" | "address" | "through"> {
  /** Groups of the connector. */
  readonly found: Set<string>;
  readonly listed: Set<string>;
  own: Data;
  /** What the name or the connector says. */
  base: Data;
}

/** Hosts in the order they are first named. */
class Hosts {
  readonly #drafts = new Map<string, Draft>();
  readonly #groupData = new Map<string, Data>();
  #common: string | undefined;

  get size(): number {
    return this.#drafts.size;
  }

  /** A group of every host, that all other groups win over. */
  addGroup(name: string): void {
    if (!this.#groupData.has(name)) this.#common = name;
  }

  async add(
    group: Group,
    { connectors, context }: InventoryOptions,
    placeOf: ((spot: Spot) => CallSite) | undefined,
  ): Promise<void> {
    this.#groupData.set(group.name, { ...this.#groupData.get(group.name), ...group.data });
    const expanded = await Promise.all(
      group.members.map(async (member, index) => {
        try {
          return { member, hosts: await expand(member.name, connectors, context) };
        } catch (error) {
          if (error instanceof InventoryError) error.at ??= placeOf?.({ group: group.name, member: index });
          throw error;
        }
      }),
    );
    for (const { member, hosts } of expanded) {
      for (const host of hosts) {
        const draft = this.#drafts.get(host.name) ?? {
          connector: host.connector,
          address: host.address,
          through: host.through,
          found: new Set(host.groups),
          listed: new Set(),
          own: {},
          base: host.data,
        };
        draft.own = { ...draft.own, ...member.data };
        if (!isAll(group)) draft.listed.add(group.name);
        this.#drafts.set(host.name, draft);
      }
    }
  }

  build(
    fromFiles: ReadonlyMap<string, Data>,
    { connectors, context, data = {}, defaults = {} }: InventoryOptions,
  ): readonly InventoryHost[] {
    const keys = new DataKeys(connectors.values());
    const warned = new Set<string>();
    const check = (layer: Data, where: string): Data => {
      refuseReservedKey(layer, where);
      for (const key of Object.keys(layer)) {
        // What only has a connector's name before it may be read by the deploy: `tsinfra check` knows.
        const near = warned.has(key) ? undefined : keys.suspicion(key)?.near;
        if (near === undefined) continue;
        warned.add(key);
        context.warn(
          `No ${key.startsWith("_") ? "global argument" : "connector's key"} is called "${key}", as in the data of ${where}: did you mean "${near}"?`,
        );
      }
      return keys.protect(layer);
    };
    const groups = new Map<string, Data>();
    const groupLayer = (name: string): Data => {
      const known =
        groups.get(name) ?? check({ ...this.#groupData.get(name), ...fromFiles.get(name) }, `group "${name}"`);
      groups.set(name, known);
      return known;
    };
    const [top, bottom] = [check(data, "--data"), check(defaults, "the config")];
    return [...this.#drafts].map(([name, draft]) => {
      const names = [
        ...new Set([...draft.found, ...(this.#common === undefined ? [] : [this.#common]), ...draft.listed]),
      ];
      const own = check({ ...draft.base, ...draft.own }, `host "${name}"`);
      const layers = [top, own, ...names.map(groupLayer).reverse(), groupLayer("all"), bottom];
      return {
        name,
        connector: draft.connector,
        address: draft.address,
        through: draft.through,
        groups: [...names, "all"],
        data: layers,
      };
    });
  }
}

interface Found extends Pick<InventoryHost, "name" | "connector" | "address" | "through"> {
  readonly data: Data;
  readonly groups: readonly string[];
}

/** Throws `InventoryError` for what cannot be a host's name, or names a connector that there is not. */
export function checkHostName(name: string, connectors: ReadonlyMap<string, Connector>): void {
  checkedChain(parseHostName(name), connectors);
}

/** The hosts behind a name: itself, or what an inventory connector finds. */
async function expand(
  text: string,
  connectors: ReadonlyMap<string, Connector>,
  context: ConnectorContext,
): Promise<readonly Found[]> {
  const parsed = parseHostName(text);
  const connector = checkedChain(parsed, connectors);
  const groups = groupsOf(parsed);
  const find = connector.hosts?.bind(connector);
  if (!find || parsed.through.length > 0) return [{ ...parsed, groups }];
  const hosts = await awaiting(
    `The connector "${connector.name}", asked for the hosts of "${text}",`,
    InventoryError,
    async () => await find(parsed.address, context),
  );
  if (hosts.length === 0) throw new InventoryError(`"${text}" finds no hosts`);
  return hosts.map(host => {
    const at = parseHostName(host.at ?? host.name);
    checkedChain(at, connectors);
    return { ...at, name: host.name, data: { ...at.data, ...host.data }, groups: [...groups, ...host.groups] };
  });
}

/** A group for each connector that is named and is not what a plain name means. */
function groupsOf({ name, connector, through }: HostName): readonly string[] {
  const named = name.startsWith("@") ? [...through.map(hop => hop.connector), connector] : [];
  const groups = named.filter(one => one !== DEFAULT_CONNECTOR).map(one => `@${one}`);
  return [...(through.length > 0 ? ["@chain"] : []), ...new Set(groups)];
}

/** The last connector of a chain that can be made. */
function checkedChain({ name, connector, through }: HostName, connectors: ReadonlyMap<string, Connector>): Connector {
  const chain = [...through.map(hop => hop.connector), connector].map(one => connectorOf(name, one, connectors));
  const idle = through.length > 0 ? chain.find(one => !one.connect) : undefined;
  if (idle)
    throw new InventoryError(
      `The connector "@${idle.name}" of "${name}" brings hosts and runs nothing, so it cannot be part of a chain`,
    );
  const first = chain.slice(1).find(one => !one.can.through);
  if (first)
    throw new InventoryError(`The connector "@${first.name}" of "${name}" cannot go through another connection`, {
      hint: `Put @${first.name} first`,
    });
  return chain.at(-1)!;
}

function connectorOf(host: string, name: string, connectors: ReadonlyMap<string, Connector>): Connector {
  const connector = connectors.get(name);
  if (connector) return connector;
  throw new InventoryError(`Host "${host}" wants the connector "${name}", which does not exist`, {
    hint: didYouMean(name, connectors.keys()),
  });
}

/** A data file for a group that no host is in is fine, unless its name looks like a mistake. */
function warnOfGroups(files: Iterable<string>, hosts: readonly InventoryHost[], context: ConnectorContext): void {
  const known = new Set(hosts.flatMap(host => host.groups));
  for (const group of files) {
    const near = known.has(group) ? undefined : nearest(group, known);
    if (near !== undefined)
      context.warn(`There is group data for "${group}", but no host is in such a group: did you mean "${near}"?`);
  }
}
