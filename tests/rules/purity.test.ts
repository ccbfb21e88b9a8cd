import { expect, test } from "bun:test";
import ts from "typescript";
import { place, sources, walk } from "./sources.ts";

const leaves = ["src/core", "src/facts", "src/operations"].flatMap(sources);

/** What would make an answer depend on the control machine's clock, disk, processes, network or luck. */
const AMBIENT = new Set([
  ...["console", "process", "Bun", "Deno", "require", "globalThis", "fetch", "performance", "crypto", "navigator"],
  ...["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "XMLHttpRequest", "WebSocket", "Worker"],
]);
const AMBIENT_MEMBERS = new Set(["Math.random", "Date.now", "Temporal.Now"]);

test("importing a leaf does nothing: only imports, exports, constants, types, functions and classes", () => {
  const wrong: ts.Node[] = [];
  for (const { tree } of leaves) {
    for (const statement of tree.statements) {
      const isConstant =
        ts.isVariableStatement(statement) && (statement.declarationList.flags & ts.NodeFlags.Const) !== 0;
      const isDeclaration =
        ts.isImportDeclaration(statement) ||
        ts.isExportDeclaration(statement) ||
        ts.isFunctionDeclaration(statement) ||
        ts.isClassDeclaration(statement) ||
        ts.isInterfaceDeclaration(statement) ||
        ts.isTypeAliasDeclaration(statement);
      if (!isConstant && !isDeclaration) wrong.push(statement);
    }
  }
  expect(wrong.map(place)).toEqual([]);
});

test("leaves use nothing ambient", () => {
  const wrong: string[] = [];
  for (const { tree } of leaves) {
    const own = declaredNames(tree);
    walk(tree, node => {
      if (ts.isPropertyAccessExpression(node) && AMBIENT_MEMBERS.has(node.getText().replace(/^globalThis\./, "")))
        wrong.push(place(node));
      if (ts.isIdentifier(node) && AMBIENT.has(node.text) && !own.has(node.text) && isUse(node))
        wrong.push(place(node.parent));
    });
  }
  expect(wrong).toEqual([]);
});

test("leaves make no date out of the control machine's clock", () => {
  const wrong: string[] = [];
  for (const { tree } of leaves)
    walk(tree, node => {
      if (
        ts.isNewExpression(node) &&
        /^(globalThis\.)?Date$/.test(node.expression.getText()) &&
        (node.arguments?.length ?? 0) === 0
      )
        wrong.push(place(node));
      if (ts.isCallExpression(node) && node.expression.getText() === "Date") wrong.push(place(node));
    });
  expect(wrong).toEqual([]);
});

test("facts wait for nothing", () => {
  const wrong: string[] = [];
  for (const { tree } of sources("src/facts"))
    walk(
      tree,
      node =>
        void ((ts.isAwaitExpression(node) || node.kind === ts.SyntaxKind.AsyncKeyword) && wrong.push(place(node))),
    );
  expect(wrong).toEqual([]);
});

test("operations wait for nothing but the host", () => {
  const wrong: string[] = [];
  for (const { tree } of sources("src/operations")) {
    const askers = functionsThatAsk(tree);
    walk(tree, node => {
      if (ts.isAwaitExpression(node) && !waitsForHost(node.expression, askers)) wrong.push(place(node));
      if (ts.isForOfStatement(node) && node.awaitModifier && !waitsForHost(node.expression, askers))
        wrong.push(place(node));
    });
  }
  expect(wrong).toEqual([]);
});

/** `host.x()`, several such at once, or a function of ours that is given the host and is bound by the same rule. */
function waitsForHost(expression: ts.Expression, askers: ReadonlySet<string>): boolean {
  if (ts.isParenthesizedExpression(expression)) return waitsForHost(expression.expression, askers);
  if (ts.isConditionalExpression(expression))
    return [expression.whenTrue, expression.whenFalse].every(one => !containsCall(one) || waitsForHost(one, askers));
  if (ts.isBinaryExpression(expression))
    return [expression.left, expression.right].every(one => !containsCall(one) || waitsForHost(one, askers));
  if (!ts.isCallExpression(expression)) return false;
  if (/^Promise\.all(Settled)?$/.test(expression.expression.getText())) return mentionsHost(expression);
  const called = expression.expression.getText();
  return (
    /^host\b/.test(called) || askers.has(called) || expression.arguments.some(argument => argument.getText() === "host")
  );
}

/** Functions inside an operation that put a question to the operation's host. */
function functionsThatAsk(tree: ts.SourceFile): ReadonlySet<string> {
  const names = new Set<string>();
  walk(tree, node => {
    const isFunction = ts.isVariableDeclaration(node) && node.initializer && ts.isArrowFunction(node.initializer);
    if ((isFunction || ts.isFunctionDeclaration(node)) && node.name && mentionsHost(node))
      names.add(node.name.getText());
  });
  return names;
}

const containsCall = (node: ts.Node): boolean => some(node, ts.isCallExpression);
const mentionsHost = (node: ts.Node): boolean => some(node, one => ts.isIdentifier(one) && one.text === "host");

function some(node: ts.Node, is: (node: ts.Node) => boolean): boolean {
  let found = false;
  walk(node, one => void (found ||= is(one)));
  return found;
}

function declaredNames(tree: ts.SourceFile): ReadonlySet<string> {
  const names = new Set<string>();
  walk(tree, node => {
    const isBinding =
      ts.isParameter(node) ||
      ts.isVariableDeclaration(node) ||
      ts.isBindingElement(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isImportSpecifier(node);
    if (isBinding && node.name && ts.isIdentifier(node.name)) names.add(node.name.text);
  });
  return names;
}

/** True unless the identifier is only the name of a member, a key or a type. */
function isUse(node: ts.Identifier): boolean {
  const { parent } = node;
  // `globalThis.Date` is how a module with a fact called Date reaches the built-in one.
  if (ts.isPropertyAccessExpression(parent))
    return parent.expression === node && parent.getText() !== "globalThis.Date";
  if (
    ts.isTypeReferenceNode(parent) ||
    ts.isExportSpecifier(parent) ||
    ts.isLiteralTypeNode(parent) ||
    ts.isQualifiedName(parent)
  )
    return false;
  return !("name" in parent && parent.name === node) || ts.isShorthandPropertyAssignment(parent);
}
