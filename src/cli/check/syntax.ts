/** Source text as a tree, and a walk through it. @module */
import { parse } from "@babel/parser";
import type { Node } from "@babel/types";

export type { Node } from "@babel/types";

/** The program in a file's text; `undefined` where it cannot be read, of which the compiler tells more. */
export function parseSource(text: string): Node | undefined {
  try {
    return parse(text, {
      sourceType: "module",
      errorRecovery: true,
      allowReturnOutsideFunction: true,
      plugins: ["typescript", "decorators"],
    }).program;
  } catch {
    return undefined;
  }
}

/** A node, and what it stands in. */
export interface Branch {
  readonly node: Node;
  readonly parent: Branch | undefined;
}

/** Every node of the program that is no type, each before what is inside of it, in the order in which they are written. */
export function branchesOf(program: Node): readonly Branch[] {
  const branches: Branch[] = [];
  const waiting: Branch[] = [{ node: program, parent: undefined }];
  for (let branch = waiting.pop(); branch !== undefined; branch = waiting.pop()) {
    branches.push(branch);
    for (const node of childrenOf(branch.node).toReversed()) waiting.push({ node, parent: branch });
  }
  return branches;
}

/** A branch's node and those around it, the nearest first. */
export function* outwards(branch: Branch | undefined): Generator<Node> {
  for (let at = branch; at !== undefined; at = at.parent) yield at.node;
}

function childrenOf(node: Node): readonly Node[] {
  const children: Node[] = [];
  for (const [key, value] of Object.entries(node) as [string, unknown][]) {
    if (typeof value !== "object" || value === null || NO_CODE.has(key)) continue;
    for (const child of (Array.isArray(value) ? value : [value]) as readonly unknown[])
      if (isNode(child) && (!child.type.startsWith("TS") || TYPED_CODE.has(child.type))) children.push(child);
  }
  return children;
}

/** What may stand beside code in a node: comments, and types. */
const NO_CODE = new Set([
  "loc",
  "extra",
  "leadingComments",
  "innerComments",
  "trailingComments",
  "typeAnnotation",
  "typeParameters",
  "typeArguments",
  "returnType",
]);
/** What TypeScript adds that has code inside. */
const TYPED_CODE = new Set([
  "TSAsExpression",
  "TSSatisfiesExpression",
  "TSNonNullExpression",
  "TSTypeAssertion",
  "TSInstantiationExpression",
  "TSExportAssignment",
  "TSParameterProperty",
  "TSModuleDeclaration",
  "TSModuleBlock",
  "TSEnumDeclaration",
  "TSEnumBody",
  "TSEnumMember",
]);

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string" && "start" in value;

/** The expression without what TypeScript writes around it. */
export function bare(node: Node): Node {
  switch (node.type) {
    case "TSAsExpression":
    case "TSSatisfiesExpression":
    case "TSNonNullExpression":
    case "TSTypeAssertion":
    case "ParenthesizedExpression":
      return bare(node.expression);
    default:
      return node;
  }
}

/** `key` of `object.key` and `object["key"]`, with or without `?.`. */
export function memberName(node: Node): string | undefined {
  if (node.type !== "MemberExpression" && node.type !== "OptionalMemberExpression") return undefined;
  if (!node.computed) return node.property.type === "Identifier" ? node.property.name : undefined;
  return node.property.type === "StringLiteral" ? node.property.value : undefined;
}

/** The function that is called, and what it is given; `undefined` for what is no call. */
export function callOf(node: Node): { readonly callee: Node; readonly given: readonly Node[] } | undefined {
  return node.type === "CallExpression" || node.type === "OptionalCallExpression"
    ? { callee: node.callee, given: node.arguments }
    : undefined;
}

/** A function, as it is written. */
export type FunctionNode = Extract<
  Node,
  { type: "FunctionDeclaration" | "FunctionExpression" | "ArrowFunctionExpression" | "ObjectMethod" | "ClassMethod" }
>;
export const isFunction = (node: Node): node is FunctionNode =>
  node.type === "FunctionDeclaration" ||
  node.type === "FunctionExpression" ||
  node.type === "ArrowFunctionExpression" ||
  node.type === "ObjectMethod" ||
  node.type === "ClassMethod";

/** The function around a place; `undefined` at the top of a file. */
export function ownerOf(within: Branch | undefined): Branch | undefined {
  for (let at = within; at; at = at.parent) if (isFunction(at.node)) return at;
  return undefined;
}

/** The key of a member of an object that is written down. */
export const keyOf = (node: Node): string | undefined =>
  (node.type === "ObjectProperty" || node.type === "ObjectMethod") && node.key.type === "Identifier"
    ? node.key.name
    : undefined;

/** Where a node is written, from its first character to behind its last. */
export const spanOf = (node: Node): readonly [start: number, end: number] => [node.start ?? 0, node.end ?? 0];

/** Line and column of an offset, both from 1. */
export function placeIn(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
}
