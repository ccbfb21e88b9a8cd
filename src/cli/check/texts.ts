/** Expressions that are text or make it, and who reads it. @module */
import { bare, callOf, memberName, type Node } from "./syntax.ts";

/** What is text, as everybody can see. */
export function isText(expression: Node): boolean {
  const node = bare(expression);
  return (
    node.type === "StringLiteral" ||
    node.type === "TemplateLiteral" ||
    (node.type === "BinaryExpression" && node.operator === "+" && (isText(node.left) || isText(node.right)))
  );
}

/** `String(value)`. */
export function isString(node: Node): boolean {
  const callee = callOf(node)?.callee;
  return callee?.type === "Identifier" && callee.name === "String";
}

/** What `JSON.stringify` is given: of nothing it makes nothing, and not text. What a function replaces, only that tells. */
export function jsonOf(expression: Node): Node | undefined {
  const call = callOf(bare(expression));
  const [value, replacer] = call?.given ?? [];
  if (!call || !value || value.type === "SpreadElement" || !("object" in call.callee)) return undefined;
  const object = bare(call.callee.object as Node);
  const isJson = object.type === "Identifier" && object.name === "JSON" && memberName(call.callee) === "stringify";
  const isReplaced =
    replacer !== undefined && !/^(?:NullLiteral|ArrayExpression)$/.test(replacer.type) && !isNothing(replacer);
  return isJson && !isReplaced ? value : undefined;
}

const isNothing = (node: Node): boolean => node.type === "Identifier" && node.name === "undefined";

/** A message of the user's own: an error, or a line of a log. */
export function isForPeople(node: Node): boolean {
  if (node.type === "NewExpression") return node.callee.type === "Identifier" && node.callee.name.endsWith("Error");
  const callee = callOf(node)?.callee;
  if (!callee || !("object" in callee)) return false;
  const name = memberName(callee);
  return name !== undefined && ["log", "debug", "info", "warn", "error", "noop"].includes(name);
}
