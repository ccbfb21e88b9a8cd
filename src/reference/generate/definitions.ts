/** Operations and facts, found among what their modules export. @module */
import { join } from "node:path";
import type ts from "typescript";
import type { ArgumentReference, FactReference, ModuleReference, OperationReference, ValueType } from "../model.ts";
import { defaultsOf } from "./defaults.ts";
import { GLOBALS_FILE, type LeafModule, type Program } from "./program.ts";
import { briefType, typeText } from "../type-text.ts";
import { isRequired, typeNodeOf, unionOf, valueType } from "./types.ts";

/** What one module brings. */
export interface ModuleContents {
  readonly module: ModuleReference;
  readonly operations: readonly Omit<OperationReference, "testedOn">[];
  readonly facts: readonly FactReference[];
  readonly problems: readonly string[];
}

/** Read a module: types and TSDoc from its source, what the definitions say of themselves from the module as it runs. */
export async function readModule(program: Program, leaf: LeafModule): Promise<ModuleContents> {
  const { checker, ts, root } = program;
  const problems: string[] = [];
  let values: Readonly<Record<string, unknown>> = {};
  try {
    values = await import(join(root, leaf.path));
  } catch (error) {
    problems.push(`${leaf.path} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`);
  }
  const operations: Omit<OperationReference, "testedOn">[] = [];
  const facts: FactReference[] = [];
  const symbol = checker.getSymbolAtLocation(leaf.file);
  const read = (exported: ts.Symbol, prefix: string, holder: unknown): void => {
    const target = (exported.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(exported) : exported;
    const name = `${prefix}.${exported.name}`;
    const value = isHolder(holder) ? holder[exported.name] : undefined;
    if ((target.flags & ts.SymbolFlags.Module) !== 0)
      return checker.getExportsOfModule(target).forEach(one => read(one, name, value));
    const declaration = target.valueDeclaration;
    if (!declaration) return;
    const type = checker.getTypeOfSymbolAtLocation(target, declaration);
    const found: Found = {
      program,
      leaf,
      module: prefix,
      name,
      symbol: target,
      type,
      declaration,
      value: isHolder(value) ? value : {},
    };
    if (type.getProperty("steps")) operations.push(readOperation(found));
    else if (leaf.layer === "facts" && (type.getProperty("command") ?? type.getProperty("derive")))
      facts.push(readFact(found));
  };
  for (const exported of symbol ? checker.getExportsOfModule(symbol) : []) read(exported, leaf.name, values);
  return { module: { name: leaf.name, summary: moduleText(program, leaf.file) }, operations, facts, problems };
}

/** The arguments that every operation takes beside its own. */
export function readGlobals(program: Program): readonly ArgumentReference[] {
  const { ts, checker } = program;
  const file = program.file(GLOBALS_FILE);
  const declared = file?.statements.find(one => ts.isInterfaceDeclaration(one) && one.name.text === "GlobalArguments");
  return declared ? argumentsOf(program, checker.getTypeAtLocation(declared), new Map()) : [];
}

interface Found {
  readonly program: Program;
  readonly leaf: LeafModule;
  readonly module: string;
  readonly name: string;
  readonly symbol: ts.Symbol;
  readonly type: ts.Type;
  readonly declaration: ts.Declaration;
  /** The definition as it runs. */
  readonly value: Readonly<Record<string, unknown>>;
}

const isHolder = (value: unknown): value is Readonly<Record<string, unknown>> =>
  (typeof value === "object" || typeof value === "function") && value !== null;

function readOperation(found: Found): Omit<OperationReference, "testedOn"> {
  const { program, value, type } = found;
  const { positional, idempotent, deprecated } = value;
  const steps = type.getProperty("steps");
  return {
    ...entry(found, steps, 1, defaultsOf(program, initializerOf(found))),
    positional: Array.isArray(positional) ? positional.map(String) : [],
    idempotent: typeof idempotent === "string" ? idempotent : true,
    ...(typeof deprecated === "string" ? { deprecated } : {}),
  };
}

function readFact(found: Found): FactReference {
  const { program, type, value } = found;
  const derive = type.getProperty("derive");
  const result = returnType(program, derive ?? type.getProperty("parse"));
  const fields = result ? fieldsOf(program, result, valueType(program, result), 0) : [];
  return {
    ...entry(found, derive ?? type.getProperty("command"), derive ? 1 : 0, new Map()),
    resultText: result ? resultText(program, result, fields.length > 0) : "unknown",
    ...(fields.length > 0 ? { resultFields: fields } : {}),
    ...(typeof value["requires"] === "string" ? { requires: value["requires"] } : {}),
  };
}

function entry(
  { program, leaf, module, name, symbol }: Found,
  method: ts.Symbol | undefined,
  parameter: number,
  defaults: ReadonlyMap<string, readonly string[]>,
) {
  const [summary = "", ...text] = paragraphs(documentation(program, symbol));
  const types = method ? parameterTypes(program, method, parameter) : [];
  const rest = types
    .flatMap(type => program.checker.getIndexInfosOfType(type))
    .map(info => valueType(program, info.type));
  const deprecated = tags(program, symbol, "deprecated")[0];
  return {
    name,
    module,
    summary,
    ...(text.length > 0 ? { text: text.join("\n\n") } : {}),
    arguments: mergeArguments(types.map(type => argumentsOf(program, type, defaults))),
    ...(rest.length > 0 ? { rest: unionOf(rest) } : {}),
    ...(deprecated === undefined ? {} : { deprecated }),
    examples: tags(program, symbol, "example").map(text => text.replace(/^```\w*\n|\n?```\s*$/g, "").trim()),
    source: leaf.path,
  };
}

/** The types of a parameter; several if it is a union. */
function parameterTypes({ checker }: Program, method: ts.Symbol, index: number): readonly ts.Type[] {
  const [signature] = checker.getTypeOfSymbol(method).getCallSignatures();
  const parameter = signature?.parameters[index];
  if (!parameter) return [];
  const found = checker.getNonNullableType(checker.getTypeOfSymbol(parameter));
  // `steps` gets answers where a call may give conditions.
  const type = (found.aliasSymbol?.name === "Decided" && found.aliasTypeArguments?.[0]) || found;
  return type.isUnion() ? type.types : [type];
}

function returnType({ checker }: Program, method: ts.Symbol | undefined): ts.Type | undefined {
  return method && checker.getTypeOfSymbol(method).getCallSignatures()[0]?.getReturnType();
}

function argumentsOf(
  program: Program,
  type: ts.Type,
  defaults: ReadonlyMap<string, readonly string[]>,
): readonly ArgumentReference[] {
  return program.checker
    .getPropertiesOfType(type)
    .map(property => argument(program, property, defaults.get(property.name) ?? [], 0));
}

/** Objects are described down to this depth. */
const DEEPEST_FIELDS = 2;

function argument(
  program: Program,
  property: ts.Symbol,
  initials: readonly string[],
  depth: number,
): ArgumentReference {
  const { checker } = program;
  const declared = checker.getTypeOfSymbol(property);
  const type = valueType(program, declared, typeNodeOf(program, property));
  const text = documentation(program, property);
  const required = isRequired(program, property);
  const initial = required ? undefined : chosenDefault(initials, text);
  const fields = depth < DEEPEST_FIELDS ? fieldsOf(program, declared, type, depth) : [];
  return {
    name: property.name,
    text,
    required,
    type,
    typeText: typeText(type),
    ...(initial === undefined ? {} : { default: initial }),
    ...(fields.length > 0 ? { fields } : {}),
  };
}

/** The default that the code applies; where it applies several, or none as such, what the text says. */
function chosenDefault(initials: readonly string[], text: string): string | undefined {
  const said = saidDefault(text);
  return initials.find(initial => said !== undefined && sameDefault(initial, said)) ?? initials[0] ?? said;
}

/** The value that a text calls the default: "Default true.", "default: `*`". */
export const saidDefault = (text: string): string | undefined =>
  /\bdefault:? (?:is )?(`[^`]+`|true|false|-?\d+(?:\.\d+)?)(?=[.,;:)]|$)/i.exec(text)?.[1]?.replaceAll("`", "");

/** Whether source text and what a text says are the same value. */
export const sameDefault = (source: string, said: string): boolean =>
  source.replace(/^(["'])(.*)\1$/, "$2") === said.replace(/^(["'])(.*)\1$/, "$2");

/** The properties of the objects in a type: in a list, a map, one of several. */
function fieldsOf(program: Program, type: ts.Type, described: ValueType, depth: number): readonly ArgumentReference[] {
  if (!JSON.stringify(described).includes('"fields"')) return [];
  const { checker, ts } = program;
  const parts = type.isUnion() ? type.types : [type];
  const groups = parts.flatMap((part): (readonly ArgumentReference[])[] => {
    if ((part.flags & ts.TypeFlags.Object) === 0) return [];
    if (checker.isArrayType(part) || checker.isTupleType(part)) {
      return checker
        .getTypeArguments(part as ts.TypeReference)
        .map(item => fieldsOf(program, item, valueType(program, item), depth));
    }
    const index = checker.getIndexInfosOfType(part)[0];
    if (index && checker.getPropertiesOfType(part).length === 0)
      return [fieldsOf(program, index.type, valueType(program, index.type), depth)];
    const one = valueType(program, part);
    return typeof one === "object" && "fields" in one
      ? [checker.getPropertiesOfType(part).map(property => argument(program, property, [], depth + 1))]
      : [];
  });
  return mergeArguments(groups.filter(group => group.length > 0));
}

/** The arguments of a union of objects: required if all parts require them. */
function mergeArguments(groups: readonly (readonly ArgumentReference[])[]): readonly ArgumentReference[] {
  if (groups.length <= 1) return groups[0] ?? [];
  const names = [...new Set(groups.flatMap(group => group.map(({ name }) => name)))];
  return names.flatMap(name => {
    const all = groups.flatMap(group => group.find(one => one.name === name) ?? []);
    const [first] = all;
    if (!first) return [];
    const type = unionOf(all.map(one => one.type));
    const text = all.find(one => one.text !== "")?.text ?? "";
    return [
      {
        ...first,
        text,
        required: all.length === groups.length && all.every(one => one.required),
        type,
        typeText: typeText(type),
      },
    ];
  });
}

/** A result's type; objects whose fields are told apart are called so. */
function resultText({ ts, checker }: Program, type: ts.Type, toldApart: boolean): string {
  const described = valueType({ ts, checker }, type);
  const absent = type.isUnion() && type.types.some(part => (part.flags & ts.TypeFlags.Undefined) !== 0);
  return `${toldApart ? briefType(described) : typeText(described)}${absent ? " | undefined" : ""}`;
}

function initializerOf({ program: { ts }, declaration }: Found): ts.Expression | undefined {
  if (ts.isVariableDeclaration(declaration) || ts.isPropertyAssignment(declaration)) return declaration.initializer;
  return undefined;
}

function documentation({ ts, checker }: Program, symbol: ts.Symbol): string {
  return ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim();
}

const paragraphs = (text: string): readonly string[] =>
  text
    .split(/\n\s*\n/)
    .map(one => one.trim())
    .filter(one => one !== "");

const tags = ({ ts, checker }: Program, symbol: ts.Symbol, name: string): readonly string[] =>
  symbol
    .getJsDocTags(checker)
    .filter(tag => tag.name === name)
    .map(tag => ts.displayPartsToString(tag.text));

/** The comment that ends in `@module`. */
function moduleText({ ts }: Program, file: ts.SourceFile): string {
  const comments = ts.getLeadingCommentRanges(file.text, 0) ?? [];
  const written = comments
    .map(({ pos, end }) => file.text.slice(pos, end))
    .find(text => text.startsWith("/**") && text.includes("@module"));
  return (written ?? "")
    .replace(/^\/\*\*|\*\/$/g, "")
    .replace(/^\s*\* ?/gm, "")
    .replace("@module", "")
    .trim();
}
