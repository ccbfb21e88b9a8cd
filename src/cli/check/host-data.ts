/** Host data in inventories, group data and the config: keys that nothing reads, and values that no connector can use. @module */
import { basename, extname } from "node:path";
import { GLOBAL_ARGUMENTS } from "../../core/arguments.ts";
import type { DataKey } from "../../core/connector.ts";
import type { CallSite } from "../../core/errors.ts";
import { globalsOfData } from "../../engine/host/arguments.ts";
import { readData } from "../../connectors/shared/host-data.ts";
import { importUserFile, noHosts, readInventoryFile, textOf } from "../../inventory/file.ts";
import { locate } from "../../inventory/locate.ts";
import { isPlainObject } from "../../core/kind.ts";
import { DataKeys, isGroupDatum, refuseReservedKey } from "../../inventory/data-keys.ts";
import type { DataReads } from "./data-reads.ts";
import { type Finding, findingOf, placesIn, toldAs } from "./finding.ts";
import {
  isComputed,
  itemsOf,
  literalOf,
  type Property,
  membersOf,
  type Module,
  moduleOf,
  returned,
  written,
} from "./literals.ts";
import { certaintyOf, handsOnGroups, type KnownConnectors, refuseHostName } from "./inventory-shape.ts";
import type { Setting } from "./settings.ts";
import type { Source } from "./sources.ts";
import { isFunction, type Node, placeIn, spanOf } from "./syntax.ts";

/** What connectors read, and what the program reads itself. */
export interface KnownKeys extends KnownConnectors {
  readonly keys: DataKeys;
  readonly types: ReadonlyMap<string, DataKey>;
  readonly reads: DataReads;
}

export const knownKeys = ({ connectors, hasMore }: KnownConnectors, reads: DataReads): KnownKeys => ({
  keys: new DataKeys(connectors.values()),
  types: new Map([...connectors.values()].flatMap(({ dataKeys }) => Object.entries(dataKeys))),
  connectors,
  hasMore,
  reads,
});

/** One key of host data. */
interface Datum {
  readonly key: string;
  readonly value: unknown;
  /** Whose it is: `host "web-1"`. */
  readonly of: string;
  readonly at: CallSite;
}

/** The data of the hosts and groups in an inventory that is a program. `function` is the one that is used of it. */
export function inventoryFindings(source: Source, known: KnownKeys, name?: string): readonly Finding[] {
  const module = moduleOf(source.program);
  const data = module.exports.flatMap(({ name: exported, value }) => {
    if (name === undefined ? exported.startsWith("_") : exported !== name) return [];
    const found = written(value, module);
    const results = isFunction(found) ? returned(found) : [found];
    // A function counts where it is the inventory.
    if (isFunction(found) && name === undefined && exported !== "default") return [];
    return results.flatMap(result =>
      isFunction(found) || exported === "default" ? groupsData(result, module) : groupData(exported, result, module),
    );
  });
  return findingsOf(data.flatMap(toDatum(source, module)), known);
}

/** A file that may be an inventory is one if it exports groups that have data. */
export const looksLikeInventory = (source: Source): boolean => {
  const module = moduleOf(source.program);
  return module.exports.some(({ value }) => {
    const members = membersOf(value, module);
    return (
      members?.some(({ key }) => key === "hosts") === true ||
      itemsOf(value, module)?.some(item => {
        const [host, data, ...others] = itemsOf(item, module) ?? [];
        return (
          host?.type === "StringLiteral" &&
          data !== undefined &&
          others.length === 0 &&
          membersOf(data, module) !== undefined
        );
      }) === true
    );
  });
};

/** A program that nobody has said to be an inventory, and that can be nothing else. */
export const isInventory = (source: Source): boolean => certaintyOf(source, looksLikeInventory(source)) !== undefined;

/** The same of a program that was named, `named` in that order: what stands first and only hands on lists of others is one before deploy files. */
export const isNamedInventory = (source: Source, named: readonly string[]): boolean =>
  named.includes(source.file) &&
  (isInventory(source) || (named.length > 1 && named[0] === source.file && handsOnGroups(source)));

/** Members of host data, and whose they are. */
type Owned = readonly [of: string, members: readonly Property[]];

/** A list of hosts, or groups by name. */
function groupsData(node: Node, module: Module): readonly Owned[] {
  const groups = membersOf(node, module);
  return groups ? groups.flatMap(({ key, value }) => groupData(key, value, module)) : groupData("all", node, module);
}

/** A list of hosts, or `{ hosts, data }`. */
function groupData(name: string, node: Node, module: Module): readonly Owned[] {
  const hosts = itemsOf(node, module);
  if (hosts) return hosts.flatMap(host => hostData(host, module));
  return (membersOf(node, module) ?? []).flatMap(({ key, value }): readonly Owned[] => {
    if (key === "hosts") return (itemsOf(value, module) ?? []).flatMap(host => hostData(host, module));
    return key === "data" ? [[`group "${name}"`, membersOf(value, module) ?? []]] : [];
  });
}

/** `["name", { data }]`. */
function hostData(node: Node, module: Module): readonly Owned[] {
  const [name, data] = itemsOf(node, module) ?? [];
  const written = name && literalOf(name, module);
  const members = data && membersOf(data, module);
  return members ? [[typeof written === "string" ? `host "${written}"` : "a host", members]] : [];
}

/** Group data in a program: every export is a key, or the default export has them. */
export function groupDataFindings(source: Source, known: KnownKeys): readonly Finding[] {
  const module = moduleOf(source.program);
  const of = `group "${groupOf(source.file)}"`;
  const owned = module.exports.map(({ name, at, value }): Owned => [
    of,
    name === "default" ? (membersOf(value, module) ?? []) : [{ key: name, at, value }],
  ]);
  return findingsOf(owned.flatMap(toDatum(source, module)).filter(isPublic), known);
}

/** The group whose data a file has. */
export const groupOf = (file: string): string => basename(file, extname(file));

/** The data that a config gives to every host. */
export const configDataFindings = (settings: readonly Setting[], known: KnownKeys): readonly Finding[] =>
  settings.flatMap(({ key, value, at }) => {
    if (key !== "data" || !isPlainObject(value)) return [];
    const place = placesIn(at.file, at);
    return findingsOf(entries("the config", value, place), known);
  });

const toDatum =
  (source: Source, module: Module) =>
  ([of, members]: Owned): readonly Datum[] =>
    members.map(({ key, at, value }) => ({
      key,
      of,
      value: literalOf(value, module),
      at: { file: source.file, ...placeIn(source.text, spanOf(at)[0]) },
    }));

/** An inventory that is no program: JSON, YAML or TOML. */
export async function inventoryDocumentFindings(file: string, known: KnownKeys): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  await toldAs(findings, { file, line: 1, column: 1 }, async () => {
    const place = placesIn(file);
    const groups = await readInventoryFile({ file }, undefined);
    const data = groups.flatMap(group => [
      ...group.members.flatMap(member => entries(`host "${member.name}"`, member.data, place)),
      ...entries(`group "${group.name}"`, group.data, place),
    ]);
    findings.push(...findingsOf(data, known));
    if (groups.every(({ members }) => members.length === 0)) throw noHosts(file);
    const text = textOf(file) ?? "";
    for (const { name: group, members } of groups)
      for (const [member, { name }] of members.entries())
        await toldAs(findings, locate(file, text, { group, member }), () => refuseHostName(name, known));
  });
  return findings;
}

/** Group data that is no program. */
export async function groupDataDocumentFindings(file: string, known: KnownKeys): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  await toldAs(findings, { file, line: 1, column: 1 }, async () => {
    const { default: standard, ...named } = await importUserFile(file, undefined);
    const data = { ...(typeof standard === "object" ? standard : {}), ...named };
    findings.push(...findingsOf(entries(`group "${groupOf(file)}"`, data, placesIn(file)).filter(isPublic), known));
  });
  return findings;
}

const isPublic = ({ key }: Datum): boolean => isGroupDatum(key);

const entries = (
  of: string,
  data: Readonly<Record<string, unknown>>,
  place: (key: string) => CallSite,
): readonly Datum[] => Object.entries(data).map(([key, value]) => ({ key, value, of, at: place(key) }));

const findingsOf = (data: readonly Datum[], known: KnownKeys): readonly Finding[] =>
  data.flatMap(datum => unknownKey(datum, known) ?? unusable(datum) ?? wrongValue(datum, known) ?? []);

/** A key that no key can be called, and a global argument of a wrong type. */
function unusable({ key, value, of, at }: Datum): readonly Finding[] | undefined {
  try {
    refuseReservedKey({ [key]: value }, of);
    if (!isComputed(value)) globalsOfData(`The data of ${of}`, { [key]: value });
    return undefined;
  } catch (error) {
    return [findingOf(error, at)];
  }
}

/** An error only where a connector's key is meant: data of the user's own is nobody's mistake, whoever reads it. */
function unknownKey({ key, of, at }: Datum, { keys, reads }: KnownKeys): readonly Finding[] | undefined {
  const suspicion = reads.names.has(key) ? undefined : keys.suspicion(key);
  if (suspicion === undefined || (reads.isOpen && !suspicion.isSure)) return undefined;
  const { near, isSure } = suspicion;
  const message = `Unknown key "${key}" in the data of ${of}${near === undefined ? ": no connector reads it" : ""}`;
  const hints = [
    ...(near === undefined ? [] : [`Did you mean "${near}"?`]),
    ...(isSure ? [] : ["If it is your own, read it in a deploy file that is checked too"]),
  ];
  return [{ at, code: "E_CONNECTOR_DATA", message, hint: hints.join(" ") }];
}

function wrongValue({ key, value, of, at }: Datum, { types }: KnownKeys): readonly Finding[] | undefined {
  const type = types.get(key);
  if (!type || type.type === "strings" || isComputed(value)) return undefined;
  try {
    readData({ [key]: value }, { keys: { [key]: type }, host: of })[type.type](key);
    return undefined;
  } catch (error) {
    return [findingOf(error, at)];
  }
}
