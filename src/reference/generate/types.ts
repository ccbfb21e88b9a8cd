/** From the compiler's types to values that can be checked, and to text. @module */
import type ts from "typescript";
import type { NamedType, ObjectType, ValueType } from "../model.ts";

/** The compiler and one program. */
export interface Compiler {
  readonly ts: typeof ts;
  readonly checker: ts.TypeChecker;
}

/** Classes and interfaces that are known by their name. */
const NAMED: Readonly<Record<string, NamedType>> = {
  Secret: "secret",
  Shell: "shell",
  Date: "date",
  Uint8Array: "bytes",
  Buffer: "bytes",
  Function: "function",
  Error: "error",
  Set: "set",
  ReadonlySet: "set",
};
/** Deeper than this, types are taken to be anything: some contain themselves. */
const DEEPEST = 6;

/** The type without `undefined`. `node` is where it is declared: it says in which order the parts of a union were written. */
export function valueType(
  compiler: Compiler,
  type: ts.Type,
  node?: ts.TypeNode,
  seen: readonly ts.Type[] = [],
): ValueType {
  const { ts, checker } = compiler;
  const { TypeFlags: flags } = ts;
  if (seen.length > DEEPEST || seen.includes(type)) return "unknown";
  const inner = (part: ts.Type, written?: ts.TypeNode): ValueType =>
    valueType(compiler, part, written, [...seen, type]);
  const has = (flag: ts.TypeFlags): boolean => (type.flags & flag) !== 0;

  if (has(flags.Any | flags.Unknown)) return "unknown";
  if (type.isStringLiteral() || type.isNumberLiteral()) return { is: [type.value] };
  if (has(flags.BooleanLiteral)) return { is: [checker.typeToString(type) === "true"] };
  if (has(flags.Boolean)) return "boolean";
  if (type.isUnion())
    return unionOf(
      type.types.filter(part => (part.flags & (flags.Undefined | flags.Void)) === 0).map(part => inner(part)),
      node ? writtenOrder(compiler, node) : [],
    );
  if (has(flags.StringLike)) return "string";
  if (has(flags.NumberLike | flags.BigIntLike)) return "number";
  if (has(flags.Null)) return "null";
  if (has(flags.NonPrimitive)) return "object";
  if (has(flags.TypeParameter)) return inner(checker.getBaseConstraintOfType(type) ?? checker.getAnyType());
  // `string & {}` keeps an editor's suggestions beside other strings.
  if (type.isIntersection() && type.types.some(part => (part.flags & flags.String) !== 0)) return "string";
  if (!has(flags.Object) && !type.isIntersection()) return "unknown";

  const named = NAMED[type.symbol?.name ?? ""];
  if (named) return named;
  if (checker.isTupleType(type))
    return { tuple: checker.getTypeArguments(type as ts.TypeReference).map(part => inner(part)) };
  if (checker.isArrayType(type))
    return {
      list: inner(
        checker.getTypeArguments(type as ts.TypeReference)[0] ?? checker.getAnyType(),
        elementNode(compiler, node),
      ),
    };
  if (type.getCallSignatures().length > 0) return "function";
  return objectType(compiler, type, seen);
}

function objectType(compiler: Compiler, type: ts.Type, seen: readonly ts.Type[]): ValueType {
  const { checker } = compiler;
  const inner = (part: ts.Type, written?: ts.TypeNode): ValueType =>
    valueType(compiler, part, written, [...seen, type]);
  const index = checker.getIndexInfosOfType(type)[0];
  const properties = checker.getPropertiesOfType(type);
  if (properties.length === 0) return index ? { map: inner(index.type) } : "object";
  // What the language brings is more than its properties.
  if (properties.some(isLibrary)) return "unknown";
  const fields = properties.map((property): [string, ValueType] => [
    property.name,
    inner(checker.getTypeOfSymbol(property), typeNodeOf(compiler, property)),
  ]);
  const required = properties.filter(property => isRequired(compiler, property)).map(({ name }) => name);
  return {
    fields: Object.fromEntries(fields),
    ...(required.length > 0 ? { required } : {}),
    ...(index ? { rest: inner(index.type) } : {}),
  } satisfies ObjectType;
}

const isLibrary = (symbol: ts.Symbol): boolean =>
  symbol.declarations?.some(one => /\/lib\.[\w.]+\.d\.ts$/.test(one.getSourceFile().fileName)) ?? false;

/** Whether an object without this property is of another type. */
export function isRequired({ ts, checker }: Compiler, property: ts.Symbol): boolean {
  if ((property.flags & ts.SymbolFlags.Optional) !== 0) return false;
  const type = checker.getTypeOfSymbol(property);
  const parts = type.isUnion() ? type.types : [type];
  return !parts.some(part => (part.flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Any | ts.TypeFlags.Unknown)) !== 0);
}

/** The type as it is written where a property is declared. */
export function typeNodeOf({ ts }: Compiler, property: ts.Symbol): ts.TypeNode | undefined {
  const declaration = property.declarations?.find(
    one => ts.isPropertySignature(one) || ts.isPropertyDeclaration(one) || ts.isParameter(one),
  );
  return declaration && "type" in declaration ? (declaration.type as ts.TypeNode | undefined) : undefined;
}

/** One type for several: equal ones once, literals together, and in the order that they were written in. */
export function unionOf(parts: readonly ValueType[], order: readonly string[] = []): ValueType {
  const flat = parts.flatMap(part => (typeof part === "object" && "any" in part ? part.any : [part]));
  if (flat.includes("unknown")) return "unknown";
  const literals = [...new Set(flat.flatMap(part => (typeof part === "object" && "is" in part ? part.is : [])))];
  const others = new Map(
    flat.filter(part => typeof part !== "object" || !("is" in part)).map(part => [JSON.stringify(part), part]),
  );
  const both = literals.includes(true) && literals.includes(false);
  if (both) others.set('"boolean"', "boolean");
  const rest = literals
    .filter(value => !(both && typeof value === "boolean") && !(others.has('"string"') && typeof value === "string"))
    .sort((a, b) => rank(order, a) - rank(order, b) || (a < b ? -1 : 1));
  const all: ValueType[] = [
    ...(rest.length > 0 ? [{ is: rest }] : []),
    ...[...others.values()].sort((a, b) => weight(a) - weight(b)),
  ];
  const [only] = all;
  return all.length === 1 && only !== undefined ? only : { any: all };
}

const rank = (order: readonly string[], value: string | number | boolean): number =>
  order.includes(String(value)) ? order.indexOf(String(value)) : order.length;

/** The compiler orders unions as it comes across their parts, which changes with what else there is. */
const ORDER: readonly string[] = [
  "string",
  "number",
  "boolean",
  "secret",
  "bytes",
  "date",
  "shell",
  "list",
  "tuple",
  "fields",
  "map",
  "object",
  "function",
  "set",
  "error",
  "null",
];
const weight = (type: ValueType): number =>
  ORDER.findIndex(name => (typeof type === "string" ? type === name : name in type));

/** The literals of a union as they are written, through the names of types. */
function writtenOrder(compiler: Compiler, node: ts.TypeNode, depth = 0): readonly string[] {
  const { ts, checker } = compiler;
  if (ts.isParenthesizedTypeNode(node)) return writtenOrder(compiler, node.type, depth);
  if (ts.isUnionTypeNode(node)) return node.types.flatMap(part => writtenOrder(compiler, part, depth));
  if (ts.isLiteralTypeNode(node))
    return [ts.isStringLiteral(node.literal) ? node.literal.text : node.literal.getText()];
  if (!ts.isTypeReferenceNode(node) || depth > DEEPEST) return [];
  let symbol = checker.getSymbolAtLocation(node.typeName);
  if (symbol && (symbol.flags & ts.SymbolFlags.Alias) !== 0) symbol = checker.getAliasedSymbol(symbol);
  const alias = symbol?.declarations?.find(one => ts.isTypeAliasDeclaration(one));
  return alias ? writtenOrder(compiler, alias.type, depth + 1) : [];
}

function elementNode({ ts }: Compiler, node: ts.TypeNode | undefined): ts.TypeNode | undefined {
  if (node && ts.isTypeOperatorNode(node) && ts.isArrayTypeNode(node.type)) return node.type.elementType;
  return node && ts.isArrayTypeNode(node) ? node.elementType : undefined;
}
