/** How a promise can be waited for where it stands. @module */
import type { Probe } from "./probes.ts";
import { listCallOf } from "./places.ts";
import {
  bare,
  type Branch,
  callOf,
  type FunctionNode,
  keyOf,
  memberName,
  type Node,
  ownerOf,
  spanOf,
} from "./syntax.ts";

/** `await` and where it goes, or what there is in its place where nothing can wait. */
export function awaitHint(probe: Probe): string {
  const code = shortened(probe);
  // `await` takes the first operand of these, not the whole.
  const isLoose = code !== ELSE && LOOSE.has(probe.node.type) && !probe.node.extra?.["parenthesized"];
  return waiting(probe, isLoose ? `Write \`await (${code})\`` : `Put \`await\` before ${quoted(code)}`);
}
const LOOSE: ReadonlySet<string> = new Set([
  "ConditionalExpression",
  "LogicalExpression",
  "AssignmentExpression",
  "SequenceExpression",
  "TSAsExpression",
  "TSSatisfiesExpression",
]);

/** The same for a list of promises. */
export const allHint = (probe: Probe): string => waiting(probe, `Write \`await Promise.all(${shortened(probe)})\``);

/** What to do about a condition that would have to wait. */
export const CONDITION_HINT =
  "A condition is asked at once and cannot wait: ask in `ts.call`, and declare the operation there";

/** What to do where the current host is looked for among those of the inventory. */
export const SAME_HOST =
  "`host` stands for whichever host is current and is none of the inventory's own objects: compare names, `other.name === host.name`";

/** What to do about a list's function that would have to wait. */
export const listHint = (list: string, name: string): string =>
  name.endsWith("ort")
    ? "Wait first: `await Promise.all(…)` of what is compared, and sort that"
    : `Wait first: \`const answers = await Promise.all(${list}.map(async … => …))\`, and \`${list}.${name}((_, index) => answers[index])\``;

/** Only an async function can wait, and not every function may be one. */
export function waiting(probe: Probe, hint: string): string {
  const owner = ownerOf(probe.within);
  if (!owner || (owner.node as FunctionNode).async) return hint;
  const list = owner.parent && listCallOf(owner.parent.node);
  if (list?.callback === owner.node) return listHint(nameOf(probe, list.list), list.name);
  if (isCondition(owner)) return CONDITION_HINT;
  if (isOfFact(owner))
    return "A fact waits for nothing: take what it needs as an argument, or derive it from another one";
  return `${hint}, and \`async\` before the function around it`;
}

/** Asked when an operation's turn comes: `_if: () => …`, `restarted: () => …`, `host.when(() => …, …)`. */
export function isCondition({ node, parent }: Branch): boolean {
  const call = parent && callOf(parent.node);
  if (call) return memberName(call.callee) === "when" && call.given[0] === node;
  const holder = parent?.node.type === "ArrayExpression" ? parent.parent : parent;
  return CONDITIONS.has(keyOf(node) ?? (holder && keyOf(holder.node)) ?? "");
}
/** Arguments that may be conditions. */
export const CONDITIONS: ReadonlySet<string> = new Set([
  "_if",
  "_retryUntil",
  "restarted",
  "reloaded",
  "reload",
  "daemonReload",
]);

function isOfFact({ node, parent }: Branch): boolean {
  const key = keyOf(node) ?? (parent && keyOf(parent.node));
  if (!["command", "parse", "derive", "requires", "still"].includes(key ?? "")) return false;
  for (let at = parent; at; at = at.parent) {
    const callee = callOf(at.node)?.callee;
    if (callee?.type === "Identifier") return callee.name === "fact" || callee.name === "derivedFact";
  }
  return false;
}

/** The text of an expression if it is short, else `…`. */
export function nameOf(probe: Probe, node: Node): string {
  const text = textOf(probe, node);
  return isShort(text) ? text : ELSE;
}

/** The user's own words if they are few. */
export function shortened(probe: Probe): string {
  const text = textOf(probe, probe.node);
  if (isShort(text)) return text;
  const node = bare(probe.node);
  const callee = callOf(node)?.callee;
  // With the parentheses around it, without which a function is no callee.
  const close = callee?.extra?.["parenthesized"] ? ")" : "";
  const name = callee && `${probe.source.text.slice(spanOf(node)[0], spanOf(callee)[1])}${close}`;
  return name !== undefined && isShort(name) ? `${name}(…)` : ELSE;
}

export const quoted = (code: string): string => (code === ELSE ? "it" : `\`${code}\``);
const ELSE = "…";

const textOf = ({ source }: Probe, node: Node): string => source.text.slice(...spanOf(node));
const isShort = (text: string): boolean => text.length <= 40 && !text.includes("\n");
