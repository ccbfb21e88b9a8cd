import { expect, test } from "bun:test";
import ts from "typescript";
import { place, sources, walk } from "./sources.ts";

/** What people read: our own errors, and the built-in ones. A class that a module keeps to itself may carry half a sentence. */
const ERRORS = new Set(["Error", "SyntaxError", "TypeError", "RangeError", "AggregateError"]);
for (const { tree } of sources("src/core"))
  walk(
    tree,
    node =>
      void (ts.isClassDeclaration(node) && node.name && /Error$/.test(node.name.text) && ERRORS.add(node.name.text)),
  );

const CONTRACTION = /\b(\w+n't|(?:I|you|we|they|it|he|she|that|there|what|who|where|here)'(?:s|re|ve|ll|m|d))\b/i;

test("error messages begin with a capital, end without a full stop and contract nothing", () => {
  const wrong: string[] = [];
  for (const { tree } of sources("src"))
    walk(tree, node => {
      if (!ts.isNewExpression(node) || !ERRORS.has(node.expression.getText())) return;
      // What a message begins with may be the name of a function or of an argument, as the user wrote it.
      for (const { start, end, whole } of texts(node.arguments?.[0])) {
        if (start !== undefined && !/^([^a-z\s]|[a-z]\w*[.(])/.test(start) && !isArgument(start, node))
          wrong.push(`no capital: ${place(node)}`);
        if (end !== undefined && /[^.]\.$|^\.$|[!\s]$/.test(end)) wrong.push(`ends in "${end.at(-1)}": ${place(node)}`);
        if (CONTRACTION.test(whole)) wrong.push(`contraction: ${place(node)}`);
      }
    });
  expect(wrong).toEqual([]);
});

test("every error class has a code of its own", () => {
  const codes: string[] = [];
  for (const { tree } of sources("src"))
    walk(tree, node => {
      if (
        !ts.isPropertyDeclaration(node) ||
        node.name.getText() !== "code" ||
        !node.initializer ||
        !ts.isStringLiteral(node.initializer)
      )
        return;
      if (node.initializer.text.startsWith("E_")) codes.push(node.initializer.text);
    });
  expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
  expect(codes.filter(code => !/^E(_[A-Z]+)+$/.test(code))).toEqual([]);
});

/** True if a message begins with the name of an argument of the operation that it is about. */
function isArgument(start: string, node: ts.Node): boolean {
  const name = /^([a-z]\w*) /.exec(start)?.[1];
  let declared = false;
  if (node.getSourceFile().fileName.startsWith("src/operations/"))
    walk(
      node.getSourceFile(),
      one =>
        void (declared ||= (ts.isPropertySignature(one) || ts.isBindingElement(one)) && one.name.getText() === name),
    );
  return declared;
}

interface Text {
  /** Known text at the beginning; absent when a value stands there. */
  readonly start: string | undefined;
  readonly end: string | undefined;
  readonly whole: string;
}

/** What a message can be, as far as it is written in the code. */
function texts(node: ts.Expression | undefined): Text[] {
  if (!node) return [];
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node))
    return [{ start: node.text, end: node.text, whole: node.text }];
  if (ts.isTemplateExpression(node)) {
    const tail = node.templateSpans.at(-1)?.literal.text ?? "";
    return [
      {
        start: node.head.text || undefined,
        end: tail || undefined,
        whole: [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join(" "),
      },
    ];
  }
  if (ts.isConditionalExpression(node)) return [...texts(node.whenTrue), ...texts(node.whenFalse)];
  if (ts.isParenthesizedExpression(node)) return texts(node.expression);
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const [first] = texts(node.left);
    const [last] = texts(node.right);
    return [{ start: first?.start, end: last?.end, whole: `${first?.whole ?? ""}${last?.whole ?? ""}` }];
  }
  return [];
}
