/** Places where the value of a promise is meant, and never the promise itself. @module */
import { bare, type Branch, callOf, isFunction, memberName, type Node, ownerOf } from "./syntax.ts";

/** For what a value is taken. */
export type Meaning =
  /** Whether it is true: a promise always is. */
  | "truth"
  /** Whether it is there: a promise always is. */
  | "presence"
  /** What is in it: a promise holds nothing. */
  | "content"
  /** What is in it, and in what is in it. */
  | "depth";

/** A value that is meant. */
export interface Place {
  readonly node: Node;
  readonly meaning: Meaning;
}

/** The values that a node means, outer ones first. Comparisons and the functions given to lists are asked about apart. */
export function placesIn(node: Node): readonly Place[] {
  switch (node.type) {
    case "IfStatement":
    case "WhileStatement":
    case "DoWhileStatement":
    case "ConditionalExpression":
      return truths(node.test);
    case "ForStatement":
      return node.test ? truths(node.test) : [];
    case "UnaryExpression":
      if (node.operator === "!") return truths(node.argument);
      return ["-", "+", "~"].includes(node.operator) ? contents(node.argument) : [];
    case "LogicalExpression":
      return node.operator === "??" ? [{ node: bare(node.left), meaning: "presence" }] : truths(node.left);
    case "SwitchStatement":
      return contents(node.discriminant);
    case "SpreadElement":
      return contents(node.argument);
    case "ForInStatement":
      return contents(node.right);
    case "ForOfStatement":
      return node.await ? [] : contents(node.right);
    case "BinaryExpression":
      if (node.operator === "in") return contents(node.right);
      return CALCULATIONS.has(node.operator) ? [node.left, node.right].flatMap(contents) : [];
    case "VariableDeclarator":
      return node.init ? takenApart(node.id, node.init) : [];
    case "AssignmentExpression":
      return node.operator === "=" ? takenApart(node.left, node.right) : [];
    case "MemberExpression":
    case "OptionalMemberExpression":
      // Only what was declared to be of another type: of a promise itself the compiler knows the members.
      return bare(node.object) === node.object || OWN_MEMBERS.has(memberName(node) ?? "")
        ? []
        : contents(node.object).filter(({ node: value }) => callOf(value) !== undefined || value.type === "Identifier");
    default:
      return givenIn(node);
  }
}
const CALCULATIONS: ReadonlySet<string> = new Set(["<", ">", "<=", ">=", "-", "*", "/", "%", "**", "&", "|", "^"]);
const OWN_MEMBERS: ReadonlySet<string> = new Set(["then", "catch", "finally"]);

/** What a pattern takes apart that was declared to be of another type: of a promise itself the compiler tells. */
const takenApart = (pattern: Node, value: Node): readonly Place[] =>
  /^(?:Object|Array)Pattern$/.test(pattern.type) && bare(value) !== value ? contents(value) : [];

/** What the language's own functions are given. */
function givenIn(node: Node): readonly Place[] {
  const call = callOf(node);
  if (!call) return [];
  const given = call.given.filter(value => value.type !== "SpreadElement");
  const [first] = given;
  if (!first) return [];
  if (call.callee.type === "Identifier") {
    if (call.callee.name === "Boolean") return truths(first);
    return ["Number", "BigInt", "structuredClone"].includes(call.callee.name) ? contents(first) : [];
  }
  if (!("object" in call.callee)) return [];
  const object = bare(call.callee.object as Node);
  const name = memberName(call.callee);
  if (object.type !== "Identifier" || name === undefined) return [];
  if (object.name === "JSON") return name === "stringify" ? depths(first) : [];
  if (object.name !== "Object" || !READERS.has(name)) return [];
  return (name === "assign" ? given : [first]).flatMap(contents);
}
const READERS: ReadonlySet<string> = new Set([
  "keys",
  "values",
  "entries",
  "fromEntries",
  "assign",
  "getOwnPropertyNames",
  "hasOwn",
  "groupBy",
]);

/** The values on which it depends whether an expression is true. */
export function truths(expression: Node): readonly Place[] {
  const node = bare(expression);
  switch (node.type) {
    case "LogicalExpression":
      return [...(node.operator === "??" ? [] : truths(node.left)), ...truths(node.right)];
    case "ConditionalExpression":
      return [...truths(node.consequent), ...truths(node.alternate)];
    case "SequenceExpression":
      return node.expressions.slice(-1).flatMap(truths);
    case "UnaryExpression":
      return node.operator === "!" ? truths(node.argument) : [];
    default:
      return isPlain(node) ? [] : [{ node, meaning: "truth" }];
  }
}

const contents = (expression: Node): readonly Place[] => {
  const node = bare(expression);
  return isPlain(node) ? [] : [{ node, meaning: "content" }];
};

/** Of what is written down as an object or a list, its members. */
function depths(expression: Node): readonly Place[] {
  const node = bare(expression);
  switch (node.type) {
    case "ObjectExpression":
      return node.properties.flatMap(property => (property.type === "ObjectProperty" ? depths(property.value) : []));
    case "ArrayExpression":
      return node.elements.flatMap(item => (item === null || item.type === "SpreadElement" ? [] : depths(item)));
    default:
      return isPlain(node) ? [] : [{ node, meaning: "depth" }];
  }
}

/** What is no promise, as everybody can see. */
export const isPlain = (node: Node): boolean =>
  PLAIN.has(node.type) || isFunction(node) || (node.type === "Identifier" && node.name === "undefined");
const PLAIN: ReadonlySet<string> = new Set([
  "StringLiteral",
  "NumericLiteral",
  "BooleanLiteral",
  "BigIntLiteral",
  "NullLiteral",
  "RegExpLiteral",
  "TemplateLiteral",
  "ObjectExpression",
  "ArrayExpression",
  "BinaryExpression",
  "UnaryExpression",
  "UpdateExpression",
  "ClassExpression",
]);

/** What a comparison compares: nothing, where either side may be compared with a promise or is seen to be none. */
export function comparedIn(node: Node): readonly [left: Node, right: Node] | undefined {
  if (node.type !== "BinaryExpression" || !/^[!=]==?$/.test(node.operator)) return undefined;
  const sides = [bare(node.left), bare(node.right)] as const;
  return sides.some(isNothing) || sides.every(isPlain) ? undefined : sides;
}

const isNothing = (node: Node): boolean =>
  node.type === "NullLiteral" ||
  (node.type === "Identifier" && node.name === "undefined") ||
  (node.type === "UnaryExpression" && (node.operator === "typeof" || node.operator === "void"));

/** A list's own function, that takes the answers of a function at once. */
export interface ListCall {
  readonly name: string;
  readonly list: Node;
  readonly callback: Node;
}

/** A call of one of these. */
export function listCallOf(node: Node): ListCall | undefined {
  const call = callOf(node);
  const [callback] = call?.given ?? [];
  if (!call || !callback || !("object" in call.callee)) return undefined;
  const name = memberName(call.callee);
  return name !== undefined && LIST_FUNCTIONS.has(name)
    ? { name, list: call.callee.object as Node, callback: bare(callback) }
    : undefined;
}
const LIST_FUNCTIONS: ReadonlySet<string> = new Set([
  "filter",
  "some",
  "every",
  "find",
  "findIndex",
  "findLast",
  "findLastIndex",
  "sort",
  "toSorted",
]);

/** What a function returns, with what it stands in. */
export function answersIn(branches: readonly Branch[], callback: Node): readonly Branch[] {
  return branches.filter(({ node, parent }) => {
    if (!parent) return false;
    if (parent.node === callback) return "body" in callback && callback.body === node && node.type !== "BlockStatement";
    return parent.node.type === "ReturnStatement" && ownerOf(parent)?.node === callback;
  });
}
