/** From what an inventory file exports to groups of hosts. @module */
import { InventoryError } from "../core/errors.ts";
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
  if (!isObject(entries))
    throw new InventoryError(
      `An inventory must be a list of hosts or an object of groups, found ${kindOf(entries)}`,
      awaitHint(entries) === undefined ? {} : { hint: awaitHint(entries) },
    );
  return Object.entries(entries).map(([name, value]) => toGroup(name, value, fail));
}

/** Check one group. */
export function toGroup(name: string, value: unknown, fail: Fail): Group {
  if (Array.isArray(value))
    return { name, members: value.flatMap((member, index) => toMembers(name, member, index, value, fail)), data: {} };
  if (!isObject(value))
    return fail(
      `Group "${name}" must be a list of hosts or { hosts, data }, found ${kindOf(value)}`,
      { group: name },
      awaitHint(value) ?? NO_GROUP,
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
      `The hosts of group "${name}" must be a list, found ${kindOf(hosts)}`,
      { group: name, key: "hosts" },
      awaitHint(hosts),
    );
  if (!isObject(data))
    return fail(
      `The data of group "${name}" must be an object, found ${kindOf(data)}`,
      { group: name, key: "data" },
      awaitHint(data),
    );
  return { name, members: hosts.flatMap((member, index) => toMembers(name, member, index, hosts, fail)), data };
}
const GROUP_KEYS = ["hosts", "data"];
const NO_GROUP = 'Start the name of an export that is no group with "_"';

/** `await` before a promise; nothing for anything else. */
const awaitHint = (value: unknown): string | undefined =>
  value instanceof Promise ? "Put `await` before it" : undefined;

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
  if (entry instanceof Promise) return bad(kindOf(entry), "Wait for all of them: `await Promise.all(…)`");
  if (!Array.isArray(entry)) {
    const before = isObject(entry) ? entries[index - 1] : undefined;
    return bad(
      kindOf(entry),
      typeof before === "string" ? `Put brackets around a host and its data: ["${before}", { … }]` : undefined,
    );
  }
  const [name, data = {}] = entry as readonly unknown[];
  if (typeof name !== "string" || name.trim() === "") return bad(`a list that starts with ${kindOf(name)}`);
  if (!isObject(data)) return bad(`["${name}", ${kindOf(data)}]`, awaitHint(data));
  if (entry.length > 2) return bad(`a list of ${entry.length}`);
  return [{ name, data }];
}

export const isObject = (value: unknown): value is Record<string, unknown> => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    prototype === null || prototype === Object.prototype || Object.prototype.toString.call(value) === "[object Module]"
  );
};

/** What a value is, for messages; text is shown. */
export function kindOf(value: unknown): string {
  if (typeof value === "string") return `"${value}"`;
  if (Array.isArray(value)) return "a list";
  if (value === null || value === undefined || typeof value === "number" || typeof value === "boolean")
    return String(value);
  if (value instanceof Promise) return "a promise";
  return typeof value === "function" ? "a function" : "an object";
}
