/** An inventory that is a program, and that has no hosts. @module */
import { noHosts } from "../../inventory/file.ts";
import { type Finding, findingOf } from "./finding.ts";
import { membersOf, type Module, moduleOf, type Property, written } from "./literals.ts";
import type { Source } from "./sources.ts";
import { callOf, isFunction, type Node } from "./syntax.ts";

/** The finding that there are none, where that is written down. `name` is the function that is used. */
export function emptinessFindings({ file, program, branches }: Source, name?: string): readonly Finding[] {
  // Whatever is called or assigned may fill a list.
  if (program.type !== "Program" || !program.body.every(isDeclaration) || branches.some(({ node }) => mayFill(node)))
    return [];
  const module = moduleOf(program);
  const used = module.exports.filter(one => (name === undefined ? !one.name.startsWith("_") : one.name === name));
  const groups = used.filter(one => {
    const isNamed = one.name === "default" || name !== undefined;
    return isNamed || !isFunction(written(one.value, module));
  });
  const isEmpty = groups.every(one => {
    if (one.name !== "default" && name === undefined) return isEmptyGroup(one.value, module);
    const found = written(one.value, module);
    const result = isFunction(found) ? onlyResult(found) : found;
    return result !== undefined && isEmptyInventory(result, module);
  });
  return groups.length > 0 && isEmpty ? [findingOf(noHosts(file), { file, line: 1, column: 1 })] : [];
}

const isDeclaration = (statement: Node): boolean =>
  /^(?:Import|Variable|Function|TS(?!Export))/.test(statement.type) ||
  statement.type === "ExportDefaultDeclaration" ||
  (statement.type === "ExportNamedDeclaration" && statement.source == null);

function mayFill(node: Node): boolean {
  const callee = callOf(node)?.callee;
  return callee
    ? callee.type !== "Identifier" || !callee.name.startsWith("define")
    : /^(?:Assignment|New|TaggedTemplate|Await|Yield)Expression$/.test(node.type);
}

/** What a function gives that does nothing else. */
function onlyResult(node: Node): Node | undefined {
  if (!isFunction(node) || node.generator) return undefined;
  if (node.body.type !== "BlockStatement") return node.body;
  const [first, ...others] = node.body.body;
  return first?.type === "ReturnStatement" && others.length === 0 ? (first.argument ?? undefined) : undefined;
}

const isEmptyList = (node: Node, module: Module): boolean => {
  const found = written(node, module);
  return found.type === "ArrayExpression" && found.elements.length === 0;
};

const isEmptyGroup = (node: Node, module: Module): boolean =>
  isEmptyList(node, module) ||
  writtenMembers(node, module)?.every(({ key, value }) => key !== "hosts" || isEmptyList(value, module)) === true;

const isEmptyInventory = (node: Node, module: Module): boolean =>
  isEmptyList(node, module) || writtenMembers(node, module)?.every(({ value }) => isEmptyGroup(value, module)) === true;

/** The members of an object of which each is written down. */
function writtenMembers(node: Node, module: Module): readonly Property[] | undefined {
  const found = written(node, module);
  if (found.type !== "ObjectExpression") return undefined;
  const isWritten = found.properties.every(property => property.type === "ObjectProperty" && !property.computed);
  return isWritten ? membersOf(found, module) : undefined;
}
