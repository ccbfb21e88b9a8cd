/** What becomes of values: dropped, named and forgotten, or read too early. @module */
import { membersOf, type Module, written } from "./literals.ts";
import {
  bare,
  type Branch,
  callOf,
  isFunction,
  memberName,
  type Node,
  ownerOf,
  keyOf,
  outwards,
  spanOf,
} from "./syntax.ts";

/** The values that nobody takes: of a statement, before a comma, and what a run waits for whatever `void` says. */
export function droppedIn(node: Node): readonly Node[] {
  switch (node.type) {
    case "ExpressionStatement":
      return dropped(node.expression);
    case "SequenceExpression":
      return node.expressions.slice(0, -1).flatMap(dropped);
    case "ForStatement":
      return [node.init, node.update].flatMap(part =>
        part && part.type !== "VariableDeclaration" ? dropped(part) : [],
      );
    case "UnaryExpression":
      return node.operator === "void" && isAnswer(bare(node.argument)) ? [bare(node.argument)] : [];
    default:
      return [];
  }
}

/** A call whose answer no deploy may leave behind. */
function isAnswer(node: Node): boolean {
  const callee = callOf(node)?.callee;
  const name = callee && memberName(callee);
  if (!callee || !("object" in callee) || name === undefined) return false;
  const object = callee.object as Node;
  return (
    name === "getFact" || (object.type === "Identifier" && object.name === "local" && /^(?:shell|include)$/.test(name))
  );
}

/** What is made by an expression whose value nobody takes. */
function dropped(expression: Node): readonly Node[] {
  const node = bare(expression);
  switch (node.type) {
    case "LogicalExpression":
      return dropped(node.right);
    case "ConditionalExpression":
      return [...dropped(node.consequent), ...dropped(node.alternate)];
    case "SequenceExpression":
      return node.expressions.flatMap(dropped);
    case "AwaitExpression":
      return [node];
    case "CallExpression":
    case "OptionalCallExpression":
      return isHandled(node) ? [] : [node];
    case "Identifier":
    case "MemberExpression":
    case "OptionalMemberExpression":
    case "NewExpression":
    case "ArrayExpression":
    case "ImportExpression":
    case "TaggedTemplateExpression":
      return [node];
    default:
      return [];
  }
}

/** Which function asks about such a value, by how it is written: what a function of the user's own gives may be meant to be dropped. */
export function droppedQuestion(value: Node, within: Branch | undefined, module: Module): string {
  if (value.type === "Identifier") return "__tsinfraName";
  if (value.type === "NewExpression") return "__tsinfraMade";
  const call = callOf(value);
  if (!call && isWrittenFunction(value, module)) return "__tsinfraName";
  if (!call) return "object" in value ? "__tsinfraMember" : "__tsinfraCommand";
  const isMade = call.callee.type === "Identifier" && COMMANDS.has(call.callee.name);
  return isMade || isGenerator(ownerOf(within)?.node) ? "__tsinfraCommand" : "__tsinfraPromise";
}
/** A member that is written down as a function: of others the types do not tell whether asking for them does something. */
function isWrittenFunction(value: Node, module: Module): boolean {
  const member =
    "object" in value && membersOf(value.object as Node, module)?.findLast(({ key }) => key === memberName(value));
  if (!member) return false;
  const found = written(member.value, module);
  return isFunction(found) && !(found.type === "ObjectMethod" && found.kind !== "method");
}
const COMMANDS: ReadonlySet<string> = new Set(["upload", "download", "rsync", "withArguments"]);

/** Its steps are asked for one by one. */
export const isGenerator = (owner: Node | undefined): boolean =>
  owner !== undefined && isFunction(owner) && owner.generator === true;

/** An export, or `using`, for which it is enough that the variable is there. */
export const isTakenElsewhere = (declaration: Branch | undefined): boolean =>
  declaration?.parent?.node.type === "ExportNamedDeclaration" ||
  (declaration?.node.type === "VariableDeclaration" && /using/.test(declaration.node.kind));

/** `p.catch(f)`, `p.then(f, g)`, and either with `finally` behind. */
function isHandled(node: Node): boolean {
  const call = callOf(node);
  if (!call || !("object" in call.callee)) return false;
  const name = memberName(call.callee);
  if (name === "finally") return isHandled(call.callee.object as Node);
  return (name === "catch" && call.given.length > 0) || (name === "then" && call.given.length > 1);
}

/** Where each name is written. Names are not told apart by scope: what is written anywhere may be meant. */
export function namesIn(branches: readonly Branch[]): ReadonlyMap<string, readonly Branch[]> {
  return Map.groupBy(
    branches.filter(({ node }) => node.type === "Identifier"),
    ({ node }) => (node.type === "Identifier" ? node.name : ""),
  );
}

/** A variable that is given to nobody: only its members are read. */
export interface Kept {
  /** Its first value. */
  readonly value: Node;
  /** In the order in which they are written. */
  readonly reads: readonly Branch[];
}

/** The variable that is declared here, if nobody but its own declaration and its members knows of it. */
export function keptIn({ node, parent }: Branch, names: ReadonlyMap<string, readonly Branch[]>): Kept | undefined {
  if (node.type !== "VariableDeclarator" || !node.init || node.id.type !== "Identifier" || isTakenElsewhere(parent))
    return undefined;
  const { id, init: value } = node;
  const reads = (names.get(id.name) ?? []).flatMap(({ node: found, parent: around }) => {
    if (found === id) return [];
    return around && "object" in around.node && around.node.object === found ? [around] : [undefined];
  });
  return reads.every(read => read !== undefined && !WAITING.has(memberName(read.node) ?? "then"))
    ? { value, reads: reads.filter(read => read !== undefined) }
    : undefined;
}
const WAITING: ReadonlySet<string> = new Set(["then", "catch", "finally"]);

/** What is known of an operation once it has run: its output, and the answer of a question that is asked here. */
export function isResult({ node, parent }: Branch): boolean {
  const name = memberName(node) ?? "";
  if (OUTPUTS.has(name)) return true;
  return QUESTIONS.has(name) && parent !== undefined && callOf(parent.node)?.callee === node;
}
const OUTPUTS: ReadonlySet<string> = new Set([
  "stdout",
  "stderr",
  "stdoutLines",
  "stderrLines",
  "isCut",
  "retryAttempts",
]);
/** What a handle is asked. */
export const QUESTIONS: ReadonlySet<string> = new Set(["didChange", "didNotChange", "didSucceed", "didError"]);

/** An operation that is taken apart for what is known once it has run. */
export function takenResult({ node }: Branch): { readonly value: Node; readonly result: Node } | undefined {
  const [pattern, value] =
    node.type === "VariableDeclarator"
      ? [node.id, node.init]
      : node.type === "AssignmentExpression"
        ? [node.left, node.right]
        : [];
  if (pattern?.type !== "ObjectPattern" || !value) return undefined;
  const result = pattern.properties.find(property => OUTPUTS.has(keyOf(property) ?? ""));
  return result && { value, result };
}

/** True at the top of a file, where nothing has run yet, and in what `host.when` and `host.withArguments` ask at once. */
export function isPreparing(branch: Branch): boolean {
  const owner = ownerOf(branch.parent);
  if (!owner) return true;
  const call = owner.parent && callOf(owner.parent.node);
  const name = call && memberName(call.callee);
  return (name === "when" || name === "withArguments") && call?.given[1] === owner.node && isPreparing(owner);
}

/** The first result that a function given to `ts.call` reads of an operation that it did not wait for. */
export function unawaited(
  { value, reads }: Kept,
  declaration: Branch,
  branches: readonly Branch[],
): Branch | undefined {
  const owner = ownerOf(declaration);
  if (!owner || !isInCall(declaration)) return undefined;
  const read = reads.find(one => isResult(one) && ownerOf(one)?.node === owner.node);
  // Whatever is waited for in between waits for the operation as well.
  const isAwaited = branches.some(
    ({ node }) =>
      node.type === "AwaitExpression" &&
      !!read &&
      spanOf(node)[1] > spanOf(value)[0] &&
      spanOf(node)[0] <= spanOf(read.node)[0],
  );
  return isAwaited ? undefined : read;
}

/** It stands in a function that is given to `ts.call`. */
export function isInCall(branch: Branch): boolean {
  const owner = ownerOf(branch);
  return owner !== undefined && isCalled(owner);
}

function isCalled({ node, parent }: Branch): boolean {
  const property = keyOf(node) === undefined ? parent : { node, parent };
  if (!property || keyOf(property.node) !== "function") return false;
  const around = property.parent?.parent && callOf(property.parent.parent.node)?.callee;
  return around !== undefined && memberName(around) === "call";
}
