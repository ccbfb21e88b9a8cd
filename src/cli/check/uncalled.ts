/** Functions that stand where their answers are meant, and what is to be written there. @module */
import type { Probe } from "./probes.ts";
import type { Fault } from "./questions.ts";
import { inserted } from "./insertions.ts";
import { listCallOf } from "./places.ts";
import {
  bare,
  type Branch,
  callOf,
  type FunctionNode,
  isFunction,
  keyOf,
  memberName,
  type Node,
  outwards,
  ownerOf,
  spanOf,
} from "./syntax.ts";
import { isInCall, QUESTIONS } from "./usage.ts";
import { CONDITIONS, isCondition, nameOf, quoted, shortened, waiting } from "./waiting.ts";

/**
 * Nobody can mean the function itself. It may be meant where somebody looks whether it is there: before it is called, and,
 * of what was handed in, before it is used at all.
 */
export function isMeantToBeCalled(probe: Probe, fault: Fault): boolean {
  const { node, source, told } = probe;
  const list = probe.standing === "answer" ? nameOfList(probe) : undefined;
  if (list?.endsWith("ort")) return false;
  // What a list holds, or what a function that it is given by name returns.
  if (told) return fault !== "function" && !(list === "filter" && isBoolean(told));
  const declared = declaredAs(probe);
  if (fault === "function" && !(declared && isFunction(declared))) return false;
  const written = source.branches.filter(({ node: other }) => other !== node && textOf(probe, other) === textOf(probe));
  if (isQuestion(node) || declared || isPlainCall(node)) {
    const [, end] = spanOf(statementOf(probe.within) ?? source.program);
    return !written.some(
      ({ node: other, parent }) => isCallee(other, parent) && isBetween(other, spanOf(node)[1], end),
    );
  }
  // Its type is what somebody says of it.
  if (callOf(node) || (probe.within?.node.type === "LogicalExpression" && probe.within.node.operator === "||"))
    return false;
  if (node.type === "Identifier" && list === "filter") return false;
  const [from, to] = spanOf(whereUsed(probe) ?? source.program);
  return !written.some(({ node: other }) => isBetween(other, from, to) && !isHandedIn(probe, other));
}

/** Where what somebody looked for would be used; `undefined` for the whole file. */
function whereUsed(probe: Probe): Node | undefined {
  const { node, source, within } = probe;
  const isOfClass = source.branches.some(
    ({ node: part }) => part.type === "ThisExpression" && isBetween(part, ...spanOf(node)),
  );
  if (isOfClass) return undefined;
  const owner = ownerOf(within);
  // What a list's function asks of an item, the next one may use: `list.filter(one => one.test).map(one => one.test)`.
  const isOfItem = node.type !== "Identifier" && nameOfList(probe) !== undefined;
  return isOfItem ? statementOf(owner?.parent) : owner?.node;
}

/** What to write in its place. */
export function answerHint(probe: Probe, fault: Fault): string {
  const { told } = probe;
  if (told) {
    const name = nameOfList(probe) ?? "some";
    return `Call each: \`${name}(one => ${isBoolean(told) ? "one" : `${nameOf(probe, told)}(one)`}())\``;
  }
  const code = shortened(probe);
  if (fault === "promising") return waiting(probe, `Call it: \`await ${code}()\``);
  if (!isOurs(probe) || isLate(probe)) {
    const call = `${code}(${fault === "function" ? "…" : ""})`;
    return `Call it: ${quoted(code) === "it" ? "`…()`" : `\`${call}\``}`;
  }
  const whole = wholeOf(probe);
  const key = whole.parent && keyOf(whole.parent.node);
  const isGiven = CONDITIONS.has(key ?? "");
  const isWhen = whole.parent !== undefined && memberName(callOf(whole.parent.node)?.callee ?? whole.node) === "when";
  const start = isWhen ? "" : `${isGiven ? key : "_if"}: `;
  const written = conditionFor(probe, whole.node, start.startsWith("_if"));
  return `Before operations have run nobody can answer: write \`${start}${written}\`${isGiven || isWhen ? "" : ", or call it in `ts.call`"}`;
}

/** A condition that means what an expression seems to. `isList` tells that a list is one as well. */
function conditionFor(probe: Probe, whole: Node, isList: boolean): string {
  const meant = plainly(whole);
  const text = textOf(probe, meant);
  if (meant === probe.node || isQuestion(meant)) return text.length > LONGEST ? shortened(probe) : text;
  const parts = operands(meant);
  const objects = parts.flatMap(part =>
    memberName(part) === "didChange" && "object" in part ? textOf(probe, part.object as Node) : [],
  );
  const condition =
    isList && isJoined(meant, "&&") && parts.every(isQuestion)
      ? `[${parts.map(part => textOf(probe, part)).join(", ")}]`
      : isJoined(meant, "||") && objects.length === parts.length
        ? `anyChanged(${objects.join(", ")})`
        : (listCondition(probe, meant) ?? `() => ${called(probe, meant)}`);
  return condition.length > LONGEST || condition.includes("\n") ? `() => … ${shortened(probe)}() …` : condition;
}
const LONGEST = 80;

/** `list.some(one => one.didChange)` */
function listCondition(probe: Probe, node: Node): string | undefined {
  const { name, list, callback } = listCallOf(node) ?? {};
  const taker = name === "some" ? "anyChanged" : name === "every" ? "allChanged" : undefined;
  if (!taker || !list || !callback || !isFunction(callback) || callback.body !== probe.node) return undefined;
  const [one] = callback.params;
  const isOfItem =
    memberName(probe.node) === "didChange" &&
    "object" in probe.node &&
    one?.type === "Identifier" &&
    textOf(probe, probe.node.object as Node) === one.name;
  return isOfItem ? `${taker}(${textOf(probe, list)})` : undefined;
}

/** The expression with each question in it called. */
function called(probe: Probe, whole: Node): string {
  const [from, to] = spanOf(whole);
  const questions = probe.source.branches.filter(
    ({ node, parent }) =>
      isBetween(node, from, to) &&
      (node === probe.node || isQuestion(node)) &&
      !isCallee(node, parent) &&
      !isKey(node, parent),
  );
  return inserted(
    textOf(probe, whole),
    questions.map(({ node }) => ({ offset: spanOf(node)[1] - from, text: "()", isEnd: true })),
  );
}

/** The outermost expression of which its truth is a part. */
function wholeOf(probe: Probe): Branch {
  let at: Branch = probe.source.branches.find(({ node }) => node === probe.node) ?? {
    node: probe.node,
    parent: probe.within,
  };
  for (let next = at.parent; next; next = next.parent) {
    const { node, parent } = next;
    const isTruth =
      node.type === "LogicalExpression" ||
      (node.type === "UnaryExpression" && node.operator === "!") ||
      (node.type === "ConditionalExpression" && CONDITIONS.has((parent && keyOf(parent.node)) ?? "")) ||
      isBooleanCall(node) ||
      bare(node) !== node;
    // An answer of a list's function stands for that of the list.
    const ofList = parent && listCallOf(parent.node)?.callback === node;
    if (isTruth) at = next;
    else if (ofList && isFunction(node) && node.body === at.node) {
      at = parent;
      next = parent;
    } else break;
  }
  return at;
}

/** Without what makes true or false of a value. */
function plainly(expression: Node): Node {
  const node = bare(expression);
  if (node.type === "UnaryExpression" && node.operator === "!") {
    const inner = bare(node.argument);
    return inner.type === "UnaryExpression" && inner.operator === "!" ? plainly(inner.argument) : node;
  }
  const [given] = isBooleanCall(node) ? (callOf(node)?.given ?? []) : [];
  return given ? plainly(given) : node;
}

const isBooleanCall = (node: Node): boolean => {
  const callee = callOf(node)?.callee;
  return callee !== undefined && isBoolean(callee);
};
const isBoolean = (node: Node): boolean => node.type === "Identifier" && node.name === "Boolean";

const isJoined = (node: Node, operator: "&&" | "||"): boolean =>
  node.type !== "LogicalExpression" ||
  (node.operator === operator && isJoined(bare(node.left), operator) && isJoined(bare(node.right), operator));
const operands = (node: Node): readonly Node[] =>
  node.type === "LogicalExpression" ? [...operands(bare(node.left)), ...operands(bare(node.right))] : [node];

/** A handle's question, and what asks several. */
function isQuestion(node: Node): boolean {
  if (node.type === "Identifier") return QUESTIONS.has(node.name);
  const callee = callOf(node)?.callee;
  return callee?.type === "Identifier"
    ? callee.name === "anyChanged" || callee.name === "allChanged"
    : QUESTIONS.has(memberName(node) ?? "");
}

/** It is known once operations have run. */
function isOurs(probe: Probe): boolean {
  const declared = declaredAs(probe);
  return isQuestion(probe.node) || (declared !== undefined && isQuestion(declared));
}

/** It is asked when operations run: in a condition, or in a function given to `ts.call`. */
function isLate({ within }: Probe): boolean {
  for (let owner = ownerOf(within); owner; owner = ownerOf(owner.parent))
    if (isCondition(owner) || isInCall(owner)) return true;
  return false;
}

/** The value of a name's declaration in the file: a function, or what gives one. Not of one that is handed in. */
function declaredAs(probe: Probe): Node | undefined {
  const { node, source } = probe;
  if (node.type !== "Identifier") return undefined;
  const { name } = node;
  if (source.branches.some(({ node: other }) => isNamed(other, name) && isHandedIn(probe, other))) return undefined;
  for (const { node: other, parent } of source.branches) {
    if (other.type === "FunctionDeclaration" && other.id?.name === name) return other;
    if (other.type !== "VariableDeclarator" || !isNamed(other.id, name)) continue;
    const isConstant = parent?.node.type === "VariableDeclaration" && parent.node.kind === "const";
    const { init } = other;
    if (isConstant && init && (isFunction(init) || isQuestion(init) || isPlainCall(init))) return init;
  }
  return undefined;
}

const isNamed = (node: Node, name: string): boolean => node.type === "Identifier" && node.name === name;

/** It stands among the parameters of a function around the place. */
const isHandedIn = ({ within }: Probe, node: Node): boolean =>
  outwards(within).some(
    owner => isFunction(owner) && (owner as FunctionNode).params.some(one => isBetween(node, ...spanOf(one))),
  );

/** A call that is not told which type it gives. */
const isPlainCall = (node: Node): boolean =>
  callOf(node) !== undefined && !("typeArguments" in node && node.typeArguments);

/** The function of a list whose function answers here. */
function nameOfList({ within, told }: Probe): string | undefined {
  if (told) return within && listCallOf(within.node)?.name;
  const owner = ownerOf(within);
  const call = owner?.parent && listCallOf(owner.parent.node);
  return call?.callback === owner?.node ? call?.name : undefined;
}

const statementOf = (within: Branch | undefined): Node | undefined =>
  outwards(within).find(({ type }) => /(?:Statement|Declaration)$/.test(type));

const isCallee = (node: Node, parent: Branch | undefined): boolean =>
  parent !== undefined && callOf(parent.node)?.callee === node;

/** The name behind the dot, and that of a member that is written down. */
const isKey = (node: Node, parent: Branch | undefined): boolean =>
  parent !== undefined &&
  (("property" in parent.node && parent.node.property === node) || ("key" in parent.node && parent.node.key === node));

const isBetween = (node: Node, from: number, to: number): boolean => spanOf(node)[0] >= from && spanOf(node)[1] <= to;

const textOf = ({ source, node }: Probe, other: Node = node): string => source.text.slice(...spanOf(other));
