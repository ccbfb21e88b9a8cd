/** What programs read of host data. @module */
import { isBuiltin } from "node:module";
import { extname } from "node:path";
import { declaredKeys } from "./declared-keys.ts";
import { nameOfKey } from "./literals.ts";
import type { Load, Source } from "./sources.ts";
import { bare, type Branch, callOf, memberName, type Node, outwards } from "./syntax.ts";

/** Keys that are read. */
export interface DataReads {
  readonly names: ReadonlySet<string>;
  /** Any other key may be read as well: by a template, by a name that is computed, with all others, or by code that is not read here. */
  readonly isOpen: boolean;
}

/** Keys that programs read from host data, or say that a connector does: those are no mistakes. */
export function dataReads(sources: readonly Source[]): DataReads {
  const names = new Set<string>();
  const read = new Set(sources.map(({ file }) => file));
  let isOpen = sources.some(({ loads }) => loads.some(load => mayRead(load, read)));
  for (const { branches } of sources) {
    for (const branch of branches) {
      for (const name of namesAt(branch)) {
        if (name === undefined) isOpen = true;
        else names.add(name);
      }
    }
  }
  for (const name of declaredKeys(sources)) names.add(name);
  return { names, isOpen };
}

/** Code that is not read here: packages, and files that are no programs of ours. */
function mayRead({ name, file }: Load, read: ReadonlySet<string>): boolean {
  if (file !== undefined) return !read.has(file) && !DOCUMENTS.has(extname(file));
  return !/^tsinfra(?:\/|$)/.test(name) && !isBuiltin(name) && !DOCUMENTS.has(extname(name));
}
const DOCUMENTS: ReadonlySet<string> = new Set([".json", ".jsonc", ".yaml", ".yml", ".toml", ".txt"]);

/** Programs that are named by what only the run knows. */
function isUnknownProgram(node: Node): boolean {
  const call = callOf(node);
  const given = node.type === "ImportExpression" ? node.source : call?.given[0];
  if (given === undefined || given.type === "StringLiteral") return false;
  if (!call || call.callee.type === "Import") return true;
  const name = call.callee.type === "Identifier" ? call.callee.name : memberName(call.callee);
  return name === "include" || name === "require";
}

/** The keys that are read at a place: `undefined` for those that are not written there. */
function namesAt(branch: Branch): readonly (string | undefined)[] {
  const { node, parent } = branch;
  if (node.type === "Identifier") return node.name === "template" ? [undefined] : [];
  if (isUnknownProgram(node)) return [undefined];
  if (memberName(node) === "data") return namesOfData(branch);
  // Whatever holds the data may have another name: a literal that it is asked for counts.
  const call = callOf(node);
  const [given] = call?.given ?? [];
  if (call && memberName(call.callee) === "get" && given?.type === "StringLiteral") return [given.value];
  if (node.type === "ObjectProperty" && nameOfKey(node.key) === "dataKeys" && node.value.type === "ObjectExpression")
    return namesOfMembers(node.value).filter(name => name !== undefined);
  if (node.type === "ObjectProperty" && nameOfKey(node.key) === "data" && parent?.node.type === "ObjectPattern")
    return namesOfMembers(node.value);
  return [];
}

/** What is read of `host.data`, by what is around it. */
function namesOfData(data: Branch): readonly (string | undefined)[] {
  const [around, outer] = [...outwards(data.parent)].filter(node => bare(node) === node);
  if (around === undefined) return [undefined];
  if ("object" in around && bare(around.object as Node) === data.node) {
    const name = memberName(around);
    const call = outer && callOf(outer);
    if (name !== "get" || call?.callee !== around) return [name];
    return [call.given[0]?.type === "StringLiteral" ? call.given[0].value : undefined];
  }
  const isTakenApart = around.type === "VariableDeclarator" && around.init && bare(around.init) === data.node;
  return isTakenApart ? namesOfMembers(around.id) : [undefined];
}

/** The keys of an object, or of a pattern that takes one apart. */
function namesOfMembers(node: Node): readonly (string | undefined)[] {
  if (node.type === "AssignmentPattern") return namesOfMembers(node.left);
  if (node.type !== "ObjectPattern" && node.type !== "ObjectExpression") return [undefined];
  return (node.properties as readonly Node[]).map(property =>
    property.type === "ObjectProperty" && (!property.computed || property.key.type === "StringLiteral")
      ? nameOfKey(property.key)
      : undefined,
  );
}
