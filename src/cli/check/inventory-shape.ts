/** What makes an inventory that is a program unusable, found without running it. @module */
import { basename } from "node:path";
import type { Connector } from "../../core/connector.ts";
import { type CallSite, InventoryError } from "../../core/errors.ts";
import { kindOf } from "../../core/kind.ts";
import { nearest } from "../../core/nearest.ts";
import { noGroups } from "../../inventory/file.ts";
import { type Spot, toGroup, toGroups } from "../../inventory/groups.ts";
import { checkHostName } from "../../inventory/index.ts";
import { parseHostName } from "../../inventory/parse.ts";
import { type Finding, findingOf } from "./finding.ts";
import { COMPUTED, itemsOf, literalOf, membersOf, type Module, moduleOf, returned, written } from "./literals.ts";
import type { Source } from "./sources.ts";
import { standIn } from "./stand-ins.ts";
import { isFunction, type Node, placeIn, spanOf } from "./syntax.ts";

/** Connectors that hosts may name. */
export interface KnownConnectors {
  readonly connectors: ReadonlyMap<string, Connector>;
  /** A project may have more of its own. */
  readonly hasMore: boolean;
}

/** How an inventory is used. */
export interface ShapeOptions extends KnownConnectors {
  /** The function that is used of it. */
  readonly function?: string | undefined;
  /** How sure it is that the file is an inventory: if it is only possible, what is not like a group is none. */
  readonly certainty: "named" | "likely" | "possible";
}

/** What stands for what only running the program tells. */
const ANY_HOST = "computed";

/** Mistakes in groups and hosts, and their absence. */
export function shapeFindings(source: Source, options: ShapeOptions): readonly Finding[] {
  const module = moduleOf(source.program);
  const findings: Finding[] = [];
  const shape = new Shape(source, module, options, findings);
  if (options.function !== undefined) {
    const used = module.exports.find(({ name }) => name === options.function);
    for (const result of used ? returned(written(used.value, module)) : []) shape.entries(result);
    return findings;
  }
  for (const { name, at, value } of module.exports) {
    if (name.startsWith("_")) continue;
    const found = written(value, module);
    if (name === "default") for (const result of given(found)) shape.entries(result);
    // Functions and classes are no groups.
    else if (typeof standIn(found, module) !== "function") shape.group(name, found, at);
  }
  shape.absence();
  return findings;
}

const isGenerator = (found: Node): boolean => isFunction(found) && found.generator === true;

/** What calling a function gives: a generator does not give what it returns. */
const given = (found: Node): readonly Node[] => (isFunction(found) && !isGenerator(found) ? returned(found) : [found]);

class Shape {
  readonly #source: Source;
  readonly #module: Module;
  readonly #options: ShapeOptions;
  readonly #findings: Finding[];

  constructor(source: Source, module: Module, options: ShapeOptions, findings: Finding[]) {
    this.#source = source;
    this.#module = module;
    this.#options = options;
    this.#findings = findings;
  }

  /** Groups by name, or a list of hosts. */
  entries(node: Node): void {
    const found = written(node, this.#module);
    const groups = membersOf(found, this.#module);
    const value = groups ? COMPUTED : standIn(found, this.#module);
    for (const { key, at, value: group } of groups ?? []) this.group(key, group, at);
    if (found.type === "ArrayExpression") this.group("all", found, found);
    else if (value !== COMPUTED)
      this.#told(this.#place(found), () => {
        toGroups(
          isGenerator(found) ? (value as () => unknown)() : value,
          this.#failAt(() => found),
        );
      });
  }

  /** `[…]`, or `{ hosts, data }`. */
  group(name: string, node: Node, at: Node): void {
    const found = written(node, this.#module);
    const members = membersOf(found, this.#module);
    const list = members ? members.find(({ key }) => key === "hosts")?.value : found;
    const elements = list ? this.#elements(list) : undefined;
    const hosts = elements?.map(element => this.#host(element));
    const value = (): unknown => {
      if (!members) return hosts ?? standIn(found, this.#module);
      const entries = members.map(({ key, value: member }) => [key, this.#member(key, member, hosts)] as const);
      return Object.fromEntries(entries);
    };
    if (value() === COMPUTED) return;
    const isGroup =
      members?.some(({ key }) => key === "hosts" || key === "host") ??
      hosts?.some(host => typeof host === "string" || Array.isArray(host));
    if (!isGroup && this.#options.certainty === "possible" && !this.#isMeant(value())) return;
    const place = ({ member, key }: Spot): Node =>
      (member === undefined ? undefined : elements?.[member]) ?? members?.find(one => one.key === key)?.at ?? at;
    // Each mistake among the hosts is told, and the first of the group.
    for (let isAgain = true; isAgain;) {
      isAgain = false;
      this.#told(this.#place(at), () => {
        toGroup(
          name,
          value(),
          this.#failAt(spot => {
            if (hosts && spot.member !== undefined) hosts[spot.member] = ANY_HOST;
            isAgain = spot.member !== undefined;
            return place(spot);
          }),
        );
      });
    }
    for (const [index, host] of (hosts ?? []).entries()) {
      const called: unknown = Array.isArray(host) ? host[0] : host;
      if (typeof called === "string") this.#name(called, elements?.[index] ?? at);
    }
  }

  /** What is no group, in a file that is but possibly an inventory: a host without brackets, or a promise beside hosts. */
  #isMeant(value: unknown): boolean {
    return typeof value === "string" ? value.startsWith("@") : value instanceof Promise && exportsHosts(this.#source);
  }

  /** A program without groups. Its functions are inventories for those who name them, which whoever named the file did not. */
  absence(): void {
    const { exports } = this.#module;
    const values = exports.map(({ name, value }) => ({ name, value: standIn(value, this.#module) }));
    const callable = values.filter(({ value }) => typeof value === "function");
    const functions = callable.filter(({ value }) => kindOf(value) !== "a class").map(({ name }) => name);
    const isEmpty = exports.every(({ name }) => name.startsWith("_") || callable.some(one => one.name === name));
    const { certainty } = this.#options;
    if (!isEmpty || certainty === "possible" || exportsMore(this.#source.program)) return;
    if (callable.some(({ name }) => name === "default") || (functions.length > 0 && certainty !== "named")) return;
    this.#findings.push(findingOf(noGroups(functions, this.#source.file), this.#place(this.#source.program)));
  }

  #elements(node: Node): readonly (Node | null)[] | undefined {
    const found = written(node, this.#module);
    return found.type === "ArrayExpression" ? found.elements : undefined;
  }

  #member(key: string, node: Node, hosts: unknown): unknown {
    if (key === "hosts" && hosts !== undefined) return hosts;
    const value = standIn(node, this.#module);
    return value === COMPUTED ? (key === "hosts" ? [] : {}) : value;
  }

  /** A host as it is written, with what is computed left open. */
  #host(element: Node | null): unknown {
    if (element === null) return undefined;
    const value = element.type === "SpreadElement" ? COMPUTED : standIn(element, this.#module);
    if (value === COMPUTED) return ANY_HOST;
    if (!Array.isArray(value)) return value;
    const isOpen = this.#elements(element)?.some(item => item?.type === "SpreadElement") === true;
    const [name, data, ...others] = value as readonly unknown[];
    if (isOpen) return ANY_HOST;
    return value.length < 2
      ? value.map(item => (item === COMPUTED ? ANY_HOST : item))
      : [name === COMPUTED ? ANY_HOST : name, data === COMPUTED ? {} : data, ...others];
  }

  #name(name: string, at: Node): void {
    this.#told(this.#place(at), () => refuseHostName(name, this.#options));
  }

  readonly #failAt =
    (place: (spot: Spot) => Node) =>
    (message: string, spot: Spot, hint?: string): never => {
      throw new InventoryError(message, { at: this.#place(place(spot)), hint });
    };

  #place(node: Node): CallSite {
    return { file: this.#source.file, ...placeIn(this.#source.text, spanOf(node)[0]) };
  }

  #told(at: CallSite, body: () => void): void {
    try {
      body();
    } catch (error) {
      this.#findings.push(findingOf(error, at));
    }
  }
}

/** Throws `InventoryError` for a name that no host can have. Where there may be more, a connector that is like none of ours is one of them. */
export function refuseHostName(name: string, { connectors, hasMore }: KnownConnectors): void {
  if (!hasMore) return checkHostName(name, connectors);
  const { connector, through } = parseHostName(name);
  const unknown = [...through.map(hop => hop.connector), connector].find(one => !connectors.has(one));
  if (unknown === undefined || nearest(unknown, connectors.keys()) !== undefined) checkHostName(name, connectors);
}

/** Exports whose values are not written in the file, or not as constants. */
export const exportsMore = (program: Node): boolean =>
  program.type === "Program" &&
  program.body.some(
    statement =>
      statement.type === "ExportAllDeclaration" ||
      statement.type === "TSExportAssignment" ||
      (statement.type === "ExportNamedDeclaration" &&
        (statement.source != null ||
          (statement.declaration?.type === "VariableDeclaration" &&
            statement.declaration.declarations.some(({ id, init }) => id.type !== "Identifier" || !init)))),
  );

/** What kind of inventory a program is that nobody has said to be one; `undefined` for deploy files. */
export function certaintyOf(source: Source, hasGroups: boolean): "likely" | "possible" | undefined {
  if (source.program.type !== "Program") return undefined;
  const isDeclared = source.program.body.every(
    statement =>
      /^(?:Export|TS|Import|Variable|Function|Class)/.test(statement.type) &&
      !(statement.type === "ImportDeclaration" && /^tsinfra\/(?:operations|facts)/.test(statement.source.value)),
  );
  if (!isDeclared) return undefined;
  if (/^(?:inventory|inventories|hosts|inv)\.\w+$/.test(basename(source.file))) return "likely";
  return hasGroups || exportsHosts(source) ? "possible" : undefined;
}

/** It is made of imports of the user's own files, constants and exports, and exports by name what another file has made. */
export function handsOnGroups({ file, program, loads }: Source): boolean {
  if (program.type !== "Program" || /^deploy\b/.test(basename(file))) return false;
  const module = moduleOf(program);
  return (
    program.body.every(({ type }) => /^(?:Export|TS|Import|Variable)/.test(type)) &&
    loads.every(load => load.file !== undefined || load.name === "tsinfra") &&
    (program.body.some(statement => /^Export/.test(statement.type) && "source" in statement && statement.source) ||
      module.exports.some(({ name, value }) => name !== "default" && written(value, module).type === "Identifier"))
  );
}

/** What no deploy exports by default: a list of hosts, or an object of which a member is one. */
export function exportsGroups({ program }: Source): boolean {
  const module = moduleOf(program);
  const standard = module.exports.find(({ name }) => name === "default")?.value;
  if (!standard) return false;
  const members = membersOf(standard, module) ?? [];
  // A config has lists as well.
  if (members.some(({ key }) => key === "inventory" || key.startsWith("$"))) return false;
  return [standard, ...members.map(({ value }) => value)].some(value => {
    const group = membersOf(value, module)?.find(({ key }) => key === "hosts")?.value ?? value;
    const items = itemsOf(group, module) ?? [];
    return items.some(item => /^(?:String|Array)/.test(written(item, module).type));
  });
}

/** Hosts that name a connector, or a group whose only key is almost the right one. */
function exportsHosts({ program }: Source): boolean {
  const module = moduleOf(program);
  return module.exports.some(({ value }) => {
    const found = written(value, module);
    if (found.type === "StringLiteral") return found.value.startsWith("@");
    if (found.type !== "ArrayExpression") {
      const [first, ...others] = membersOf(found, module) ?? [];
      return first?.key === "host" && others.length === 0 && Array.isArray(literalOf(first.value, module));
    }
    const items = found.elements.map(item => item && literalOf(item, module));
    return items.some(item => typeof item === "string" && item.startsWith("@"));
  });
}
