/** An Ansible inventory: groups in groups, hosts in them, variables of both. @module */
import { type CallSite, InventoryError } from "../../../core/errors.ts";
import { memberPath } from "../../../core/member-path.ts";
import type { Data } from "../finder.ts";
import { Unsafe } from "./yaml.ts";

interface Group {
  readonly hosts: Set<string>;
  readonly children: Set<string>;
  variables: Data;
}

/** What is read from one or several sources; later ones win. */
export class AnsibleInventory {
  readonly groups = new Map<string, Group>();
  readonly hosts = new Map<string, Data>();
  /** Variables with a template somewhere in them, by the file that has them. */
  readonly templates = new Map<string, Set<string>>();
  /** What is left out inside of a variable that is a list or a map. */
  readonly locked = new WeakMap<object, readonly Locked[]>();
  /** The file that is read. */
  source = "";

  group(name: string): Group {
    const known = this.groups.get(name) ?? { hosts: new Set<string>(), children: new Set<string>(), variables: {} };
    this.groups.set(name, known);
    return known;
  }
  /** Throws `InventoryError` where the group would be in itself. */
  addChild(group: string, child: string, placeOf: () => CallSite | undefined): void {
    const trail = this.#trail(child, group);
    if (trail)
      throw new InventoryError(`Group "${group}" of ${this.source} is in itself: ${[group, ...trail].join(" > ")}`, {
        at: placeOf(),
        hint: "Take one of these out of the children of the one before it",
      });
    this.group(group).children.add(child);
    this.group(child);
  }

  /** The groups on a way down from one to another, both included. */
  #trail(from: string, to: string): readonly string[] | undefined {
    const cameFrom = new Map<string, string | undefined>([[from, undefined]]);
    for (const name of cameFrom.keys()) {
      if (name === to) {
        const trail: string[] = [];
        for (let at: string | undefined = name; at !== undefined; at = cameFrom.get(at)) trail.unshift(at);
        return trail;
      }
      for (const child of this.groups.get(name)?.children ?? []) if (!cameFrom.has(child)) cameFrom.set(child, name);
    }
    return undefined;
  }

  addHost(name: string, group: string | undefined, variables: Data = {}): void {
    this.hosts.set(name, { ...this.hosts.get(name), ...this.#taken(variables) });
    if (group !== undefined) this.group(group).hosts.add(name);
  }
  addVariables(group: string, variables: Data): void {
    const known = this.group(group);
    known.variables = { ...known.variables, ...this.#taken(variables) };
  }

  /** Variables as they are from now on, with notes of the templates and the secrets in them. */
  #taken(variables: Data): Data {
    return Object.fromEntries(
      Object.entries(variables).map(([key, value]) => {
        const { plain, hasTemplate, locked } = settled(value);
        if (typeof plain === "object" && plain !== null && locked.length > 0) this.locked.set(plain, locked);
        if (hasTemplate) {
          const keys = this.templates.get(this.source) ?? new Set<string>();
          this.templates.set(this.source, keys.add(key));
        }
        return [key, plain];
      }),
    );
  }

  /** Groups of a host, parents before children and `all` left out: what later ones say wins. */
  groupsOf(host: string): readonly string[] {
    const depths = this.#depths();
    const found = new Set<string>();
    const add = (name: string): void => {
      if (found.has(name)) return;
      found.add(name);
      for (const [parent, { children }] of this.groups) if (children.has(name)) add(parent);
    };
    for (const [name, { hosts }] of this.groups) if (hosts.has(host)) add(name);
    found.delete("all");
    // A host that is named in no other group.
    if (found.size === 0) found.add("ungrouped");
    const order = (name: string): readonly [number, number, string] => [
      depths.get(name) ?? 0,
      Number(this.groups.get(name)?.variables["ansible_group_priority"] ?? 1),
      name,
    ];
    return [...found].sort((a, b) => compare(order(a), order(b)));
  }
  /** A host's variables, with those of its groups below them. */
  variablesOf(host: string): Data {
    const layers = ["all", ...this.groupsOf(host)].map(name => this.groups.get(name)?.variables ?? {});
    return Object.assign({}, ...layers, this.hosts.get(host)) as Data;
  }

  /** How far each group is below the top. */
  #depths(): ReadonlyMap<string, number> {
    const depths = new Map<string, number>();
    const descend = (name: string, depth: number): void => {
      if ((depths.get(name) ?? -1) >= depth) return;
      depths.set(name, depth);
      for (const child of this.groups.get(name)?.children ?? []) descend(child, depth + 1);
    };
    const isChild = new Set([...this.groups.values()].flatMap(({ children }) => [...children]));
    for (const name of this.groups.keys()) if (!isChild.has(name) || name === "all") descend(name, 1);
    return depths;
  }
}

function compare(a: readonly [number, number, string], b: readonly [number, number, string]): number {
  return a[0] - b[0] || a[1] - b[1] || (a[2] < b[2] ? -1 : Number(a[2] > b[2]));
}

export const isTemplate = (value: unknown): boolean => typeof value === "string" && /\{[{%]/.test(value);

/** What Ansible Vault keeps, and where: nothing that could be deployed. Of a variable as a whole, it is its value. */
export class Locked {
  /** What is left out, from the variable on: `.password`. */
  readonly path: string;
  /** The value in it that is encrypted. */
  readonly secret: string;
  constructor(path: string, secret: string) {
    this.path = path;
    this.secret = secret;
  }
  within(step: string): Locked {
    return new Locked(step + this.path, step + this.secret);
  }
}

interface Settled {
  readonly plain: unknown;
  hasTemplate: boolean;
  /** What is left out inside of `plain`. */
  readonly locked: Locked[];
}

/** So many secrets of one value are named: aliases of aliases may have any number of them. */
const NAMED = 20;

/** Encrypted text, and what an inventory script prints for it. */
const isVaulted = (value: unknown): boolean =>
  typeof value === "string"
    ? value.startsWith("$ANSIBLE_VAULT;")
    : typeof value === "object" && value !== null && Object.hasOwn(value, "__ansible_vault");

/**
 * A value whose texts are plain ones and that has no secrets, and whether one of them waits to be rendered. What is there several times stays one object.
 * A map loses the keys that are encrypted. A list with an encrypted item goes as a whole: a shorter one would look complete.
 */
function settled(value: unknown, known = new Map<unknown, Settled>()): Settled {
  if (isVaulted(value)) return { plain: new Locked("", ""), hasTemplate: false, locked: [] };
  if (value instanceof Unsafe) return { plain: value.text, hasTemplate: false, locked: [] };
  if (typeof value !== "object" || value === null) return { plain: value, hasTemplate: isTemplate(value), locked: [] };
  const seen = known.get(value);
  if (seen) return seen;
  const isList = Array.isArray(value);
  const copy: unknown[] | Record<string, unknown> = isList ? [] : {};
  const result: Settled = { plain: copy, hasTemplate: false, locked: [] };
  known.set(value, result);
  for (const [key, item] of Object.entries(value)) {
    const inner = settled(item, known);
    const step = isList ? `[${key}]` : memberPath(key);
    if (inner.plain instanceof Locked) {
      const { path, secret } = inner.plain.within(step);
      if (isList) {
        const whole: Settled = { plain: new Locked("", secret), hasTemplate: false, locked: [] };
        known.set(value, whole);
        return whole;
      }
      result.locked.push(new Locked(path, secret));
      continue;
    }
    for (const one of inner.locked) if (result.locked.length < NAMED) result.locked.push(one.within(step));
    Object.defineProperty(copy, key, { value: inner.plain, enumerable: true, configurable: true, writable: true });
    result.hasTemplate ||= inner.hasTemplate;
  }
  return result;
}

/** `web[01:10]`, `db-[a:c]`, `x[0:8:2]`, and several of them, as the names that they stand for. */
export function expandRanges(pattern: string): readonly string[] {
  const [, before, first = "", last = "", step = "1", after = ""] =
    /^(.*?)\[(\w+):(\w+)(?::(\d+))?\](.*)$/s.exec(pattern) ?? [];
  if (before === undefined) return [pattern];
  const names = between(first, last, Math.max(1, Number(step)));
  return names.flatMap(name => expandRanges(after).map(rest => before + name + rest));
}

function between(first: string, last: string, step: number): readonly string[] {
  const isNumber = /^\d+$/.test(first) && /^\d+$/.test(last);
  const [from, to] = isNumber ? [Number(first), Number(last)] : [first.charCodeAt(0), last.charCodeAt(0)];
  const width = isNumber && first.startsWith("0") ? first.length : 0;
  const names: string[] = [];
  for (let at = from; at <= to; at += step)
    names.push(isNumber ? String(at).padStart(width, "0") : String.fromCharCode(at));
  return names;
}
