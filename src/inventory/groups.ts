/** From what an inventory file exports to groups of hosts. @module */
import { InventoryError } from "../core/errors.ts";
import { isPlainObject, kindOf } from "../core/kind.ts";
import { nearest } from "../core/nearest.ts";
import { splitHosts } from "./parse.ts";

/** A host in a group, with its own data. */
export interface Member {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Group {
  readonly name: string;
  readonly members: readonly Member[];
  readonly data: Readonly<Record<string, unknown>>;
}

/** A host in a group of an inventory file. */
export type HostEntry = string | readonly [name: string, data: Readonly<Record<string, unknown>>];
/** A group of an inventory file. */
export type GroupEntry =
  readonly HostEntry[] | { readonly hosts: readonly HostEntry[]; readonly data?: Readonly<Record<string, unknown>> };
/** What an inventory function returns: groups by name, or hosts. */
export type InventoryEntry = readonly HostEntry[] | Readonly<Record<string, GroupEntry>>;

/** Where a mistake is, for the search of its place. */
export interface Spot {
  readonly group: string;
  /** Index of the member. */
  readonly member?: number;
  /** A key beside `hosts` and `data`. */
  readonly key?: string;
}

/** Throws `InventoryError` at the place that `locate` finds. */
export type Fail = (message: string, spot: Spot, hint?: string) => never;

/** Groups by name. A list alone is the hosts of `all`. */
export function toGroups(entries: unknown, fail: Fail): readonly Group[] {
  if (Array.isArray(entries)) return [toGroup("all", entries, fail)];
  if (!isPlainObject(entries))
    throw new InventoryError(
      `An inventory must be a list of hosts or an object of groups, found ${shown(entries)}`,
      awaitHint(entries) === undefined ? {} : { hint: awaitHint(entries) },
    );
  return Object.entries(entries).map(([name, value]) => toGroup(name, value, fail));
}

/** Check one group. */
export function toGroup(name: string, value: unknown, fail: Fail): Group {
  if (Array.isArray(value)) return { name, members: toAllMembers(name, value, fail), data: {} };
  if (!isPlainObject(value))
    return fail(
      `Group "${name}" must be a list of hosts or { hosts, data }, found ${shown(value)}`,
      { group: name },
      awaitHint(value) ?? groupHint(value),
    );
  const unknown = Object.keys(value).find(key => !GROUP_KEYS.includes(key));
  if (unknown !== undefined) {
    const near = nearest(unknown, GROUP_KEYS);
    return fail(
      `Group "${name}" has an unknown key "${unknown}"`,
      { group: name, key: unknown },
      near ? `Did you mean "${near}"?` : "A group has hosts and data",
    );
  }
  const { hosts = [], data = {} } = value;
  if (!Array.isArray(hosts))
    return fail(
      `The hosts of group "${name}" must be a list, found ${shown(hosts)}`,
      { group: name, key: "hosts" },
      awaitHint(hosts),
    );
  if (!isPlainObject(data))
    return fail(
      `The data of group "${name}" must be an object, found ${shown(data)}`,
      { group: name, key: "data" },
      awaitHint(data),
    );
  return { name, members: toAllMembers(name, hosts, fail), data: { ...data } };
}
const GROUP_KEYS = ["hosts", "data"];

/** What was probably meant by something that is no group. */
function groupHint(value: unknown): string {
  if (value instanceof Set || value instanceof Map) return "Make a list of it: [...hosts]";
  if (typeof value === "function") return "Call it where it gives the hosts, and export what it returns";
  const other = 'Start the name of an export that is no group with "_"';
  // Prose is no host.
  if (typeof value !== "string" || !/^\s*[^\s,]+(?:\s*,\s*[^\s,]+)*\s*$/.test(value)) return other;
  const list = `[${value
    .split(",")
    .map(name => JSON.stringify(name.trim()))
    .join(", ")}]`;
  return /^\s*@|[.,\d]/.test(value)
    ? `Put brackets around hosts: ${list}`
    : `Put brackets around it if it is a host: ${list}; s${other.slice(1)}`;
}

/** `await` before a promise; nothing for anything else. */
const awaitHint = (value: unknown): string | undefined =>
  value instanceof Promise ? "Put `await` before it" : undefined;

/** The entries of a list of hosts. Nothing between two commas is one as well, that `flatMap` would leave out. */
const toAllMembers = (group: string, entries: readonly unknown[], fail: Fail): readonly Member[] =>
  Array.from(entries).flatMap((entry, index) => toMembers(group, entry, index, entries, fail));

/** One entry of a list of hosts. */
function toMembers(
  group: string,
  entry: unknown,
  index: number,
  entries: readonly unknown[],
  fail: Fail,
): readonly Member[] {
  const bad = (found: string, hint?: string): never =>
    fail(
      `Host ${index + 1} of group "${group}" must be "name" or ["name", { data }], found ${found}`,
      { group, member: index },
      hint,
    );
  if (typeof entry === "string") {
    const [name, ...others] = splitHosts(entry);
    if (name === undefined) return bad("an empty string");
    if (others.length > 0) return bad(`"${entry}", which is ${others.length + 1} hosts`);
    return [{ name, data: {} }];
  }
  if (entry instanceof Promise) return bad(shown(entry), "Wait for all of them: `await Promise.all(…)`");
  if (!Array.isArray(entry)) {
    const before = isPlainObject(entry) ? entries[index - 1] : undefined;
    return bad(
      shown(entry),
      typeof before === "string" ? `Put brackets around a host and its data: ["${before}", { … }]` : undefined,
    );
  }
  const [name, data = {}] = entry as readonly unknown[];
  if (typeof name !== "string" || name.trim() === "") return bad(`a list that starts with ${shown(name)}`);
  if (!isPlainObject(data)) return bad(`["${name}", ${shown(data)}]`, awaitHint(data));
  if (entry.length > 2) return bad(`a list of ${entry.length}`);
  return [{ name, data: { ...data } }];
}

/** What a value is, for messages; text, numbers and their like are shown. */
export function shown(value: unknown): string {
  if (typeof value === "string") return `"${value}"`;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : kindOf(value);
}
