/** The words of the commands that operations are made of, as places in the sources. @module */
import { dirname, join, normalize } from "node:path";
import ts from "typescript";
import { type Source, sources, walk } from "../rules/sources.ts";

/** One word of a command template. */
export interface Word {
  /** Relative to the repository. */
  readonly file: string;
  /** From the beginning of the file. */
  readonly offset: number;
  readonly line: number;
  readonly text: string;
}

/** A declaration at the top of a file. */
interface Declaration {
  readonly file: string;
  readonly name: string;
  readonly node: ts.Node;
  /** The operations that it names. */
  readonly names: readonly string[];
}

/** What a name stands for in the file of a declaration. */
type Find = (from: Declaration, name: string) => readonly Declaration[];

const FACTS = "src/facts";
/** Facts and operations of a module share how its program is called. */
const FOLDERS = ["src/operations", FACTS];

/** Words of the commands of each operation: of its own templates and those of what it calls, not of other operations that it is made of unless it has none else. */
export function wordsByOperation(names: Iterable<string>): ReadonlyMap<string, readonly Word[]> {
  const known = new Set(names);
  const files = new Map(FOLDERS.flatMap(sources).map(source => [source.path, declarations(source, known)]));
  const all = [...files.values()].flatMap(each => [...each.values()]);
  const find: Find = (from, name) => {
    const own = files.get(from.file)?.get(name);
    if (own) return [own];
    const imported = importedFrom(from.node.getSourceFile(), name);
    if (!imported) return [];
    const target = files.get(imported.file);
    if (imported.name === "*") return target ? [...target.values()] : [];
    const found = target?.get(imported.name);
    return found ? [found] : [];
  };
  const definitions = new Map([...known].map(name => [name, all.filter(one => defines(one, name, all))]));
  const operations = new Set([...definitions.values()].flat());
  const words = (start: readonly Declaration[]): readonly Word[] => {
    const own = closure(start, find, other => !operations.has(other)).flatMap(one => wordsIn(one, find));
    return own.length > 0 ? own : closure(start, find, () => true).flatMap(one => wordsIn(one, find));
  };
  return new Map([...definitions].map(([name, start]) => [name, words(start)]));
}

/** Whether an operation is defined here: its name is, or it is an export of its module that a family makes. */
function defines(one: Declaration, name: string, all: readonly Declaration[]): boolean {
  if (all.some(other => other.names.includes(name))) return one.names.includes(name);
  const [module = "", ...rest] = name.split(".");
  const path = `${FOLDERS[0]}/${module.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`;
  return one.name === rest.at(-1) && (one.file === `${path}.ts` || one.file.startsWith(`${path}/`));
}

/** What is reached from some declarations by the names in them. */
function closure(
  start: readonly Declaration[],
  find: Find,
  follows: (other: Declaration) => boolean,
): readonly Declaration[] {
  const reached = new Set(start);
  for (const one of reached) {
    walk(one.node, node => {
      if (ts.isIdentifier(node)) for (const other of find(one, node.text)) if (follows(other)) reached.add(other);
    });
  }
  return [...reached];
}

function declarations({ path, tree }: Source, known: ReadonlySet<string>): ReadonlyMap<string, Declaration> {
  const found = new Map<string, Declaration>();
  const add = (name: ts.Node | undefined, node: ts.Node): void => {
    // What a fact asks is no command of an operation; facts have a capital.
    if (name && ts.isIdentifier(name) && !(path.startsWith(FACTS) && /^[A-Z]/.test(name.text)))
      found.set(name.text, { file: path, name: name.text, node, names: namesIn(node, known) });
  };
  for (const statement of tree.statements) {
    if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) add(statement.name, statement);
    if (ts.isVariableStatement(statement)) for (const one of statement.declarationList.declarations) add(one.name, one);
  }
  return found;
}

/** Names of operations that stand in a declaration as texts. */
function namesIn(node: ts.Node, known: ReadonlySet<string>): readonly string[] {
  const names: string[] = [];
  walk(node, inner => {
    if (ts.isStringLiteralLike(inner) && known.has(inner.text)) names.push(inner.text);
  });
  return names;
}

function importedFrom(tree: ts.SourceFile, name: string): { readonly file: string; readonly name: string } | undefined {
  for (const statement of tree.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const file = normalize(join(dirname(tree.fileName), statement.moduleSpecifier.text));
    const bindings = statement.importClause?.namedBindings;
    if (bindings && ts.isNamespaceImport(bindings) && bindings.name.text === name) return { file, name: "*" };
    if (!bindings || !ts.isNamedImports(bindings)) continue;
    const found = bindings.elements.find(element => element.name.text === name);
    if (found) return { file, name: (found.propertyName ?? found.name).text };
  }
  return undefined;
}

/** Words of the command templates in a declaration: of their text, of what stands in their holes as text, and of lists of words for what makes a command of them. */
function wordsIn(declaration: Declaration, find: Find): readonly Word[] {
  const { file, node } = declaration;
  const tree = node.getSourceFile();
  const found = new Map<number, Word>();
  const add = (text: Text): void => {
    const start = text.getStart() + 1;
    const end = text.getEnd() - (ts.isTemplateHead(text) || ts.isTemplateMiddle(text) ? 2 : 1);
    for (const { 0: word, index } of tree.text.slice(start, end).matchAll(/\S*[A-Za-z]\S*/g)) {
      const offset = start + index;
      const line = tree.getLineAndCharacterOfPosition(offset).line + 1;
      found.set(offset, { file, offset, line, text: word });
    }
  };
  const locals = new Map<string, ts.Expression>();
  walk(node, inner => {
    if (ts.isVariableDeclaration(inner) && inner !== node && inner.initializer && ts.isIdentifier(inner.name))
      locals.set(inner.name.text, inner.initializer);
  });
  const makers = (name: string): readonly Declaration[] =>
    find(declaration, name).filter(one => holdsTemplate(one.node));
  walk(node, inner => {
    if (isCommand(inner)) {
      piecesOf(inner.template).forEach(add);
      if (ts.isTemplateExpression(inner.template))
        for (const { expression } of inner.template.templateSpans) textsOf(expression, locals).forEach(add);
    } else if (
      ts.isCallExpression(inner) &&
      ts.isIdentifier(inner.expression) &&
      makers(inner.expression.text).length > 0
    ) {
      for (const argument of inner.arguments)
        if (ts.isArrayLiteralExpression(argument) || ts.isIdentifier(argument)) textsOf(argument, locals).forEach(add);
    } else if (
      ts.isYieldExpression(inner) &&
      !inner.asteriskToken &&
      inner.expression &&
      ts.isCallExpression(inner.expression)
    ) {
      const { expression: callee, arguments: args } = inner.expression;
      // What it does with its arguments is known of functions that are declared elsewhere.
      if (ts.isIdentifier(callee) && find(declaration, callee.text).length === 0)
        for (const argument of args) textsOf(argument, locals).forEach(add);
    }
  });
  return [...found.values()];
}

const isCommand = (node: ts.Node): node is ts.TaggedTemplateExpression =>
  ts.isTaggedTemplateExpression(node) && node.tag.getText() === "sh";

function holdsTemplate(node: ts.Node): boolean {
  let holds = false;
  walk(node, inner => void (holds ||= isCommand(inner)));
  return holds;
}

type Text = ts.StringLiteral | ts.NoSubstitutionTemplateLiteral | ts.TemplateHead | ts.TemplateMiddle | ts.TemplateTail;

const piecesOf = (template: ts.TemplateLiteral): readonly Text[] =>
  ts.isTemplateExpression(template)
    ? [template.head, ...template.templateSpans.map(({ literal }) => literal)]
    : [template];

/** Texts that an expression can become, or holds in a list. */
function textsOf(expression: ts.Expression, locals: ReadonlyMap<string, ts.Expression>): readonly Text[] {
  const inside = (inner: ts.Expression): readonly Text[] => textsOf(inner, locals);
  if (ts.isStringLiteral(expression)) return [expression];
  if (ts.isTemplateLiteral(expression)) return piecesOf(expression);
  if (ts.isArrayLiteralExpression(expression)) return expression.elements.flatMap(inside);
  if (ts.isParenthesizedExpression(expression) || ts.isSpreadElement(expression)) return inside(expression.expression);
  if (ts.isConditionalExpression(expression)) return [expression.whenTrue, expression.whenFalse].flatMap(inside);
  if (ts.isBinaryExpression(expression) && OR_ELSE.has(expression.operatorToken.kind)) return inside(expression.right);
  // `words.filter(…)`
  if (ts.isCallExpression(expression) && ts.isPropertyAccessExpression(expression.expression))
    return inside(expression.expression.expression);
  const local = ts.isIdentifier(expression) ? locals.get(expression.text) : undefined;
  return local && ts.isIdentifier(expression) && !namesItself(local, expression.text) ? inside(local) : [];
}

function namesItself(node: ts.Node, name: string): boolean {
  let names = false;
  walk(node, inner => void (names ||= ts.isIdentifier(inner) && inner.text === name));
  return names;
}

const OR_ELSE: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
]);

/** The word with one letter more: no command knows it. */
export const changed = (word: string): string => word.replace(/[A-Za-z]+/, letters => `${letters}x`);
