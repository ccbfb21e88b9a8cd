/** What to do about a mistake in types that a promise or the current host is part of. @module */
import type { Mistake } from "./compiler.ts";
import type { Source } from "./sources.ts";
import { bare, type Branch, callOf, type FunctionNode, isFunction, outwards, spanOf } from "./syntax.ts";
import { CONDITION_HINT, SAME_HOST } from "./waiting.ts";

/** A hint, where there is one. `await` helps only where a value is wanted and the place is one that can wait. */
export function typeHint(mistake: Mistake, sources: readonly Source[]): string | undefined {
  const [first = ""] = mistake.message.split("\n");
  if (/'CurrentHost'/.test(first) && /'InventoryHost'/.test(first)) return hostHint(mistake);
  const [, found, wanted] = /ype '(.*?)' is not assignable to (?:parameter of )?type '(.*)'\.?$/.exec(first) ?? [];
  if (found === undefined || wanted === undefined)
    return /'Promise</.test(first) && !/await/.test(first) ? AWAIT : undefined;
  if (takesQuestion(wanted)) {
    if (/=> (?:.* \| )?(?:Condition|\(*\(\) => boolean\)*)$/.test(found)) return INNER;
    if (/^(?:Operation|Deploy|AsyncDeploy)(?:Handle|Result)\b|^IncludeResult$/.test(found)) return "Pass its didChange";
  }
  if (wanted === "Changeable" && /^(?:Condition|\(\) => boolean)$/.test(found))
    return "Pass the handle itself, not its didChange";
  if (/^\(.*\) => unknown$/.test(found) && isCondition(wanted)) return UNKNOWN;
  if (/=> Promise<[^=]*$/.test(found)) return isFunctionType(wanted) ? atOnce(wanted) : undefined;
  if (!found.startsWith("Promise<") || wanted.startsWith("Promise<")) return undefined;
  const source = sources.find(({ file }) => file === mistake.at.file);
  const branch = source && branchAt(source, mistake);
  if (isFunctionType(wanted)) return functionHint(source, branch, wanted);
  return branch && answering(branch) ? atOnce(wanted) : AWAIT;
}
const AWAIT = "Put `await` before it";
const INNER = "Give the inner function itself as the condition, or call it";
const UNKNOWN =
  'A condition gives true or false: compare (`=== true`), or say what stands where there is nothing (`host.data.get("key", false)`)';

/** What is assigned may be either: only what is compared or looked for never is. */
const hostHint = ({ code }: Mistake): string =>
  code === "TS2322" ? "Declare it as `Host`: it is either the current host or one of the inventory's" : SAME_HOST;

const isCondition = (type: string): boolean => /\bCondition\b/.test(type);

const takesQuestion = (type: string): boolean => isCondition(type) || type === "() => boolean";

/** Of one that takes other values as well, waiting for one of those is right. */
const isFunctionType = (type: string): boolean =>
  isCondition(type) || /^(?:\((?!\().*\) => .*|\(\((?!\().*\) => .*\) \| undefined)$/.test(type);

const atOnce = (wanted: string): string =>
  isCondition(wanted) || wanted === "boolean"
    ? CONDITION_HINT
    : "This function is asked at once: it cannot be async. Wait for what it needs before it";

function functionHint(source: Source | undefined, branch: Branch | undefined, wanted: string): string {
  const value = branch && bare(branch.node.type === "ObjectProperty" ? branch.node.value : branch.node);
  const call = value && callOf(value);
  if (source && call?.given.length === 0 && call.callee.type === "Identifier" && !isCondition(wanted))
    return `Pass the function and do not call it: \`${source.text.slice(...spanOf(call.callee))}\``;
  return isCondition(wanted)
    ? "A condition is a function that is asked at once: wait for the value before it, and write `() => …`"
    : "Pass a function: `() => …`";
}

/** The outermost expression that begins at the place; of a member, the member. */
function branchAt({ text, branches }: Source, { at }: Mistake): Branch | undefined {
  const above = text.split("\n").slice(0, at.line - 1);
  const offset = above.reduce((sum, line) => sum + line.length + 1, at.column - 1);
  return branches.find(
    ({ node }) => spanOf(node)[0] === offset && node.type !== "ExpressionStatement" && node.type !== "Program",
  );
}

/** The function given to something whose answer a place is, if it is one. */
function answering(branch: Branch): FunctionNode | undefined {
  const owner = outwards(branch.parent).find(isFunction);
  if (!owner) return undefined;
  return branch.node.type === "ReturnStatement" || owner.body === branch.node ? owner : undefined;
}
