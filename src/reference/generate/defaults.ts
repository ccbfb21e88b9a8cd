/** Defaults of arguments, read from the code that applies them. @module */
import type ts from "typescript";
import type { Compiler } from "./types.ts";

/** Functions are followed this far when the arguments are handed on. */
const DEEPEST = 5;

/**
 * What `steps` takes an argument to be when it is not given: source texts by argument, first the one that is applied first.
 * Found in destructuring (`{ present = true }`, of the parameter or of a constant), in `args.retries ?? 3`,
 * and in the functions that the arguments, or what is left of them, are handed on to.
 */
export function defaultsOf(
  compiler: Compiler,
  definition: ts.Expression | undefined,
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const steps = definition && stepsOf(compiler, definition);
  const parameter = steps?.parameters[1];
  if (steps && parameter)
    readFunction(compiler, steps, parameter, { found, hidden: new Set(), visited: new Set(), depth: 0 });
  return found;
}

type Callable = ts.FunctionLikeDeclaration;

/** `steps` of what an expression makes: a definition, or a call of a function that returns one. */
function stepsOf(compiler: Compiler, expression: ts.Expression, depth = 0): Callable | undefined {
  const { ts } = compiler;
  const plain = bare(compiler, expression);
  if (depth > DEEPEST) return undefined;
  if (ts.isObjectLiteralExpression(plain)) {
    for (const property of plain.properties) {
      if (ts.isMethodDeclaration(property) && property.name.getText() === "steps") return property;
      if (ts.isPropertyAssignment(property) && property.name.getText() === "steps")
        return callableOf(compiler, property.initializer);
      if (ts.isShorthandPropertyAssignment(property) && property.name.text === "steps")
        return callableOf(compiler, property.name);
    }
    return undefined;
  }
  if (ts.isIdentifier(plain)) {
    const declaration = declarationOf(compiler, plain);
    return declaration && ts.isVariableDeclaration(declaration) && declaration.initializer
      ? stepsOf(compiler, declaration.initializer, depth + 1)
      : undefined;
  }
  if (!ts.isCallExpression(plain)) return undefined;
  for (const argument of plain.arguments) {
    const steps = ts.isObjectLiteralExpression(argument) ? stepsOf(compiler, argument, depth + 1) : undefined;
    if (steps) return steps;
  }
  const maker = callableOf(compiler, plain.expression);
  const body = maker && "body" in maker ? maker.body : undefined;
  if (!body) return undefined;
  if (!ts.isBlock(body)) return stepsOf(compiler, body, depth + 1);
  for (const statement of body.statements) {
    if (ts.isReturnStatement(statement) && statement.expression)
      return stepsOf(compiler, statement.expression, depth + 1);
  }
  return undefined;
}

interface Reading {
  readonly found: Map<string, string[]>;
  /** Arguments that were given another value on the way. */
  readonly hidden: ReadonlySet<string>;
  readonly visited: Set<ts.Node>;
  readonly depth: number;
}

function readFunction(
  compiler: Compiler,
  callable: Callable,
  parameter: ts.ParameterDeclaration,
  reading: Reading,
): void {
  const { ts } = compiler;
  if (reading.depth > DEEPEST || reading.visited.has(parameter) || !("body" in callable) || !callable.body) return;
  reading.visited.add(parameter);
  const names = bind(compiler, parameter.name, reading);
  const visit = (node: ts.Node): void => {
    // const { present = true } = args;
    if (
      ts.isVariableDeclaration(node) &&
      node.initializer &&
      ts.isIdentifier(node.initializer) &&
      names.whole.has(node.initializer.text) &&
      ts.isObjectBindingPattern(node.name)
    ) {
      const more = bind(compiler, node.name, {
        ...reading,
        hidden: new Set([...reading.hidden, ...(names.whole.get(node.initializer.text) ?? [])]),
      });
      for (const [name, argument] of more.single) names.single.set(name, argument);
      for (const [name, without] of more.whole) names.whole.set(name, without);
    }
    if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken) {
      const argument = argumentOf(compiler, node.left, names);
      if (argument !== undefined) note(compiler, reading, argument, node.right);
    }
    if (ts.isCallExpression(node)) followCall(compiler, node, names, reading);
    ts.forEachChild(node, visit);
  };
  visit(callable.body);
}

/** Names in the code: which stand for one argument, and which for all of them but some. */
interface Names {
  readonly single: Map<string, string>;
  readonly whole: Map<string, readonly string[]>;
}

function bind(compiler: Compiler, name: ts.BindingName, reading: Reading): Names {
  const { ts } = compiler;
  const names: Names = { single: new Map(), whole: new Map() };
  if (ts.isIdentifier(name)) names.whole.set(name.text, []);
  if (!ts.isObjectBindingPattern(name)) return names;
  const taken: string[] = [];
  for (const element of name.elements) {
    if (element.dotDotDotToken) {
      if (ts.isIdentifier(element.name)) names.whole.set(element.name.text, taken);
      continue;
    }
    const argument = (element.propertyName ?? element.name).getText();
    taken.push(argument);
    if (ts.isIdentifier(element.name)) names.single.set(element.name.text, argument);
    if (element.initializer) note(compiler, reading, argument, element.initializer);
  }
  return names;
}

/** The argument that `args.retries` or the name of one stands for. */
function argumentOf({ ts }: Compiler, node: ts.Expression, names: Names): string | undefined {
  if (ts.isIdentifier(node)) return names.single.get(node.text);
  if (!ts.isPropertyAccessExpression(node) || !ts.isIdentifier(node.expression)) return undefined;
  const without = names.whole.get(node.expression.text);
  return without && !without.includes(node.name.text) ? node.name.text : undefined;
}

/** Go on in the function that gets all arguments: `check(args)`, `put.steps(host, { ...args, content })`. */
function followCall(compiler: Compiler, call: ts.CallExpression, names: Names, reading: Reading): void {
  const { ts } = compiler;
  call.arguments.forEach((given, index) => {
    const handed = handedOn(compiler, given, names);
    const callable = handed && callableOf(compiler, call.expression);
    const parameter = callable?.parameters[index];
    if (callable && parameter)
      readFunction(compiler, callable, parameter, {
        ...reading,
        hidden: new Set([...reading.hidden, ...handed]),
        depth: reading.depth + 1,
      });
  });

  function handedOn(
    { checker: _ }: Compiler,
    node: ts.Expression,
    { whole, single }: Names,
  ): readonly string[] | undefined {
    if (ts.isIdentifier(node)) return whole.get(node.text);
    if (!ts.isObjectLiteralExpression(node)) return undefined;
    const spread = node.properties.find(
      property =>
        ts.isSpreadAssignment(property) && ts.isIdentifier(property.expression) && whole.has(property.expression.text),
    );
    if (!spread || !ts.isSpreadAssignment(spread)) return undefined;
    const without = whole.get(spread.expression.getText()) ?? [];
    // An argument that is passed on under its own name is still the same argument.
    const same = (property: ts.ObjectLiteralElementLike): boolean =>
      ts.isShorthandPropertyAssignment(property) && single.get(property.name.text) === property.name.text;
    const replaced = node.properties.flatMap(property =>
      property.name && !same(property) ? [property.name.getText()] : [],
    );
    const kept = node.properties.filter(same).map(property => property.name?.getText());
    return [...without.filter(name => !kept.includes(name)), ...replaced];
  }
}

function callableOf(compiler: Compiler, expression: ts.Expression): Callable | undefined {
  const { ts } = compiler;
  const plain = bare(compiler, expression);
  if (ts.isArrowFunction(plain) || ts.isFunctionExpression(plain)) return plain;
  if (ts.isPropertyAccessExpression(plain) && plain.name.text === "steps") return stepsOf(compiler, plain.expression);
  const declaration = declarationOf(compiler, plain);
  if (!declaration) return undefined;
  if (ts.isFunctionDeclaration(declaration) || ts.isMethodDeclaration(declaration)) return declaration;
  return ts.isVariableDeclaration(declaration) && declaration.initializer
    ? callableOf(compiler, declaration.initializer)
    : undefined;
}

function declarationOf({ ts, checker }: Compiler, expression: ts.Expression): ts.Declaration | undefined {
  let symbol = checker.getSymbolAtLocation(expression);
  if (symbol && (symbol.flags & ts.SymbolFlags.Alias) !== 0) symbol = checker.getAliasedSymbol(symbol);
  return symbol?.valueDeclaration;
}

function note(compiler: Compiler, { found, hidden }: Reading, argument: string, initializer: ts.Expression): void {
  const text = constant(compiler, initializer);
  // Something empty in place of what is absent is no default, but spares the code a question.
  if (text !== undefined && !['""', "[]", "{}"].includes(text) && !hidden.has(argument))
    found.set(argument, [...(found.get(argument) ?? []), text]);
}

/** Source text of a value that is always the same; `undefined` for one that is computed. */
function constant(compiler: Compiler, expression: ts.Expression, depth = 0): string | undefined {
  const { ts } = compiler;
  const plain = bare(compiler, expression);
  if (ts.isIdentifier(plain)) {
    if (plain.text === "undefined") return undefined;
    const declaration = declarationOf(compiler, plain);
    const isConstant =
      declaration &&
      ts.isVariableDeclaration(declaration) &&
      (ts.getCombinedNodeFlags(declaration) & ts.NodeFlags.Const) !== 0 &&
      ts.isVariableStatement(declaration.parent.parent);
    return isConstant && declaration.initializer && depth < DEEPEST
      ? constant(compiler, declaration.initializer, depth + 1)
      : undefined;
  }
  if (ts.isPrefixUnaryExpression(plain))
    return constant(compiler, plain.operand) === undefined ? undefined : plain.getText();
  if (ts.isArrayLiteralExpression(plain))
    return plain.elements.every(item => constant(compiler, item) !== undefined) ? plain.getText() : undefined;
  if (ts.isObjectLiteralExpression(plain)) return plain.properties.length === 0 ? "{}" : undefined;
  const literal =
    ts.isStringLiteralLike(plain) ||
    ts.isNumericLiteral(plain) ||
    plain.kind === ts.SyntaxKind.TrueKeyword ||
    plain.kind === ts.SyntaxKind.FalseKeyword;
  return literal ? plain.getText() : undefined;
}

/** An expression without parentheses and assertions around it. */
function bare(compiler: Compiler, expression: ts.Expression): ts.Expression {
  const { ts } = compiler;
  const wrapped =
    ts.isParenthesizedExpression(expression) ||
    ts.isAsExpression(expression) ||
    ts.isSatisfiesExpression(expression) ||
    ts.isNonNullExpression(expression);
  return wrapped ? bare(compiler, expression.expression) : expression;
}
