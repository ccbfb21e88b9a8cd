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

/** A message of the user's own: an error, or a line of a log. */
export function isForPeople(node: Node): boolean {
  if (node.type === "NewExpression") return node.callee.type === "Identifier" && node.callee.name.endsWith("Error");
  const callee = callOf(node)?.callee;
  if (!callee || !("object" in callee)) return false;
  const name = memberName(callee);
  return name !== undefined && ["log", "debug", "info", "warn", "error", "noop"].includes(name);
}
