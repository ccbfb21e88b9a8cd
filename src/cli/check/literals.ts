/** Values that are written down, read without running anything. @module */
import { bare, callOf, isFunction, memberName, type Node } from "./syntax.ts";

/** What is computed when the program runs. */
export const COMPUTED: unique symbol = Symbol("computed");

/** An export, and where its name is. */
export interface Exported {
  readonly name: string;
  readonly at: Node;
  readonly value: Node;
}

/** The constants at a program's top, by name, and what it exports. */
export interface Module {
  readonly constants: ReadonlyMap<string, Node>;
  /** In the order in which they are written; the default export is `default`. */
  readonly exports: readonly Exported[];
}

/** A program's constants and exports; `module.exports` is the default export of one that exports nothing else. */
export function moduleOf(program: Node): Module {
  const constants = new Map<string, Node>();
  const exports: Exported[] = [];
  const body = program.type === "Program" ? program.body : [];
  for (const statement of body) {
    const declared = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    for (const one of declared ? declarationsIn(declared) : []) {
      constants.set(one.name, one.value);
      if (statement !== declared) exports.push(one);
    }
    if (statement.type === "ExportDefaultDeclaration")
      exports.push({ name: "default", at: statement, value: statement.declaration });
    if (statement.type === "ExportNamedDeclaration" && !statement.source)
      for (const one of statement.specifiers)
        if (one.type === "ExportSpecifier")
          exports.push({
            name: one.exported.type === "Identifier" ? one.exported.name : one.exported.value,
            at: one.exported,
            value: one.local,
          });
  }
  const isCommon = !body.some(statement => /^Export/.test(statement.type));
  return { constants, exports: isCommon ? body.flatMap(statement => commonExport(statement) ?? []) : exports };
}

/** `module.exports = …`, `exports.name = …`, and `export = …`, which is the same. */
function commonExport(statement: Node): Exported | undefined {
  if (statement.type === "TSExportAssignment") return { name: "default", at: statement, value: statement.expression };
  if (statement.type !== "ExpressionStatement" || statement.expression.type !== "AssignmentExpression")
    return undefined;
  const { left, right } = statement.expression;
  if (isModuleExports(left)) return { name: "default", at: left, value: right };
  const isMember = left.type === "MemberExpression" && (isModuleExports(left.object) || isExports(left.object));
  const name = isMember ? memberName(left) : undefined;
  return name === undefined ? undefined : { name, at: left, value: right };
}

const isExports = (node: Node): boolean => node.type === "Identifier" && node.name === "exports";
const isModuleExports = (node: Node): boolean =>
  node.type === "MemberExpression" &&
  memberName(node) === "exports" &&
  node.object.type === "Identifier" &&
  node.object.name === "module";

function declarationsIn(statement: Node): readonly Exported[] {
  if ((statement.type === "FunctionDeclaration" || statement.type === "ClassDeclaration") && statement.id)
    return [{ name: statement.id.name, at: statement.id, value: statement }];
  if (statement.type !== "VariableDeclaration") return [];
  return statement.declarations.flatMap(({ id, init }) =>
    id.type === "Identifier" && init ? [{ name: id.name, at: id, value: init }] : [],
  );
}

/** The expression behind a constant's name, and inside of `defineX(…)`. */
export function written(node: Node, module: Module, depth = 0): Node {
  const found = bare(node);
  if (depth > 20) return found;
  if (found.type === "Identifier") {
    const value = module.constants.get(found.name);
    return value ? written(value, module, depth + 1) : found;
  }
  const call = callOf(found);
  const [given] = call?.given ?? [];
  return given && call?.callee.type === "Identifier" && call.callee.name.startsWith("define")
    ? written(given, module, depth + 1)
    : found;
}

/** What a function returns, where it is written down. */
export function returned(node: Node): readonly Node[] {
  if (!isFunction(node)) return [];
  if (node.body.type !== "BlockStatement") return [node.body];
  return node.body.body.flatMap(statement =>
    statement.type === "ReturnStatement" && statement.argument ? [statement.argument] : [],
  );
}

/** A member of an object that is written down. */
export interface Property {
  readonly key: string;
  /** Where its key is. */
  readonly at: Node;
  readonly value: Node;
}

/** The members of an object literal, with those of the literals that are spread into it; `undefined` for anything else. */
export function membersOf(node: Node, module: Module): readonly Property[] | undefined {
  const found = written(node, module);
  if (found.type !== "ObjectExpression") return undefined;
  return found.properties.flatMap((property): readonly Property[] => {
    if (property.type === "SpreadElement") return membersOf(property.argument, module) ?? [];
    if (property.computed) return [];
    const { key } = property;
    const value = property.type === "ObjectProperty" ? property.value : property;
    const name = nameOfKey(key);
    return name === undefined || isPrototype(property) ? [] : [{ key: name, at: key, value }];
  });
}

/** `__proto__: …` is no member of its own, but what the object inherits from. */
const isPrototype = (property: Node): boolean =>
  property.type === "ObjectProperty" && !property.shorthand && nameOfKey(property.key) === "__proto__";

/** A key as it is written: `key` or `"key"`. */
export const nameOfKey = (key: Node): string | undefined =>
  key.type === "Identifier" ? key.name : key.type === "StringLiteral" ? key.value : undefined;

/** The items of a list literal, with those of the literals that are spread into it; `undefined` for anything else. */
export function itemsOf(node: Node, module: Module): readonly Node[] | undefined {
  const found = written(node, module);
  if (found.type !== "ArrayExpression") return undefined;
  return found.elements.flatMap(item =>
    item === null ? [] : item.type === "SpreadElement" ? (itemsOf(item.argument, module) ?? []) : [item],
  );
}

/** True if only running the program tells the whole value. */
export const isComputed = (value: unknown): boolean =>
  value === COMPUTED ||
  (typeof value === "object" && value !== null && Object.values(value).some(member => isComputed(member)));

/** The value of a literal; `COMPUTED` for what only running the program tells, also inside of lists and objects. */
export function literalOf(node: Node, module: Module): unknown {
  const found = written(node, module);
  switch (found.type) {
    case "StringLiteral":
    case "NumericLiteral":
    case "BooleanLiteral":
      return found.value;
    case "NullLiteral":
      return null;
    case "Identifier":
      return found.name === "undefined" ? undefined : COMPUTED;
    case "TemplateLiteral":
      return found.expressions.length === 0 ? found.quasis[0]?.value.cooked : COMPUTED;
    case "UnaryExpression": {
      const value = literalOf(found.argument, module);
      return found.operator === "-" && typeof value === "number" ? -value : COMPUTED;
    }
    case "ArrayExpression":
      return found.elements.map(item => (item === null ? undefined : literalOf(item, module)));
    case "ObjectExpression":
      if (found.properties.some(isPrototype)) return COMPUTED;
      return Object.fromEntries(
        (membersOf(found, module) ?? []).map(({ key, value }) => [key, literalOf(value, module)]),
      ) as unknown;
    default:
      return COMPUTED;
  }
}
