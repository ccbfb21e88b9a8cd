/** Turning a top-level deploy script into a function that can be called once per host. Pure. @module */
import { type ESTree, isParseError, parseModule } from "meriyah";
import { placesIn, type Transpiled } from "./transpile.ts";

/** A deploy file as a module whose default export evaluates it. */
export interface Wrapped extends Transpiled {
  /** The file exports something by default: it was left as it is. */
  readonly hasDefault: boolean;
  /** What it exports, where exporting is all that it does: `main`, `* from "./other"`. */
  readonly onlyExports: readonly string[];
  /** It makes deploys, operations or facts: then exporting may well be what it is for, unless it is to be run. */
  readonly hasDefinitions: boolean;
}

/**
 * Put the imports first, and make the rest the body of an async function; what is exported is not.
 * A file with a default export is left alone. Throws what no module may say, with its place in the file.
 */
export function wrapDeploy(transpiled: Transpiled): Wrapped {
  const { path, code, mappings } = transpiled;
  const { body } = parsed(transpiled);
  if (body.some(isDefault)) return { path, code, mappings, hasDefault: true, onlyExports: [], hasDefinitions: false };
  const makers = makersOf(body);
  const imports: string[] = [];
  let rest = code;
  for (const statement of body) {
    const { start, end } = rangeOf(statement);
    if (isImport(statement)) imports.push(code.slice(start, end));
    else if (statement.type !== "ExportNamedDeclaration") continue;
    rest = blank(rest, start, statement.type === "ExportNamedDeclaration" ? startOf(statement.declaration, end) : end);
  }
  // The first line tells the engine that nothing is left to transpile.
  const [pragma = "", ...lines] = rest.split("\n");
  const head = [...imports, "export default async () => {"].join("\n");
  return {
    path,
    code: [pragma, head, ...lines, "};"].join("\n"),
    mappings: ";".repeat(head.split("\n").length) + mappings,
    hasDefault: false,
    onlyExports: body.every(statement => isIdle(statement, makers)) ? body.flatMap(exportsOf) : [],
    hasDefinitions: body.some(statement => definesIn(statement, makers)),
  };
}

function parsed(transpiled: Transpiled): ESTree.Program {
  try {
    return parseModule(transpiled.code, { next: true, ranges: true, validateRegex: false });
  } catch (error) {
    if (!isParseError(error)) throw error;
    const { line, column } = error.loc.start;
    // What is loaded has one more line at the beginning.
    const file = transpiled.path;
    const position = placesIn(transpiled)({ file, line: line + 1, column: column + 1 }) ?? { file, line: 1, column: 1 };
    throw { message: error.description, position };
  }
}

const isDefault = (statement: ESTree.Node): boolean =>
  statement.type === "ExportDefaultDeclaration" ||
  (statement.type === "ExportNamedDeclaration" &&
    statement.specifiers.some(({ exported }) => nameOf(exported) === "default"));

const nameOf = (name: ESTree.Identifier | ESTree.Literal): string =>
  name.type === "Identifier" ? name.name : String(name.value);

/** The file's own names of what makes deploys, operations and facts. */
const makersOf = (body: readonly ESTree.Node[]): ReadonlySet<string> =>
  new Set(
    body.flatMap(statement =>
      statement.type === "ImportDeclaration" && statement.source.value === "tsinfra"
        ? statement.specifiers.flatMap(specifier =>
            specifier.type === "ImportSpecifier" && MAKERS.has(nameOf(specifier.imported))
              ? [specifier.local.name]
              : [],
          )
        : [],
    ),
  );
const MAKERS = new Set(["deploy", "operation", "fact", "derivedFact"]);

const isDefinition = (value: ESTree.Node | null, makers: ReadonlySet<string>): boolean =>
  value?.type === "CallExpression" && value.callee.type === "Identifier" && makers.has(value.callee.name);

const definesIn = (statement: ESTree.Node, makers: ReadonlySet<string>): boolean =>
  statement.type === "VariableDeclaration"
    ? statement.declarations.some(({ init }) => isDefinition(init, makers))
    : statement.type === "ExportNamedDeclaration" &&
      statement.declaration !== null &&
      definesIn(statement.declaration, makers);

/** A statement that does nothing when it runs, but to make functions, classes, plain values, and what others may call. */
function isIdle(statement: ESTree.Node, makers: ReadonlySet<string>): boolean {
  if (statement.type === "VariableDeclaration")
    return statement.declarations.every(
      ({ init }) => !init || PLAIN_VALUES.has(init.type) || isDefinition(init, makers),
    );
  if (statement.type === "ExportNamedDeclaration")
    return !statement.declaration || isIdle(statement.declaration, makers);
  return IDLE.has(statement.type);
}
const PLAIN_VALUES = new Set([
  "ArrowFunctionExpression",
  "FunctionExpression",
  "ClassExpression",
  "Literal",
  "Identifier",
]);
const IDLE = new Set([
  "ImportDeclaration",
  "ExportAllDeclaration",
  "FunctionDeclaration",
  "ClassDeclaration",
  "EmptyStatement",
]);

/** The names that a statement exports. */
function exportsOf(statement: ESTree.Node): readonly string[] {
  if (statement.type === "ExportAllDeclaration") return [`* from ${JSON.stringify(statement.source.value)}`];
  return statement.type === "ExportNamedDeclaration"
    ? statement.specifiers.map(({ exported }) => nameOf(exported))
    : [];
}

const isImport = (statement: ESTree.Node): boolean =>
  statement.type === "ImportDeclaration" ||
  statement.type === "ExportAllDeclaration" ||
  (statement.type === "ExportNamedDeclaration" && statement.source !== null);

const rangeOf = ({ start = 0, end = 0 }: ESTree.Node): { readonly start: number; readonly end: number } => ({
  start,
  end,
});

/** Where what is exported begins; `otherwise` for a list of names. */
const startOf = (node: ESTree.Node | null | undefined, otherwise: number): number => node?.start ?? otherwise;

/** Replace a range by blanks, keeping the line breaks. */
const blank = (source: string, start: number, end: number): string =>
  source.slice(0, start) + source.slice(start, end).replace(/[^\n]/g, " ") + source.slice(end);
