/** Files that are included and not there. @module */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { absentDeploy } from "../../deploy/index.ts";
import { type Finding, findingOf } from "./finding.ts";
import type { Source } from "./sources.ts";
import { type Branch, callOf, isFunction, memberName, type Node, placeIn, spanOf } from "./syntax.ts";

/** Each that nothing in the file speaks of elsewhere: it may be made, or asked for, before it is included. */
export function absentIncludeFindings(source: Source): readonly Finding[] {
  const { file, text, absent } = source;
  return absent.flatMap(({ call, path, wanted }) => {
    const callee = callOf(call.node)?.callee;
    if (callee?.type !== "MemberExpression" || !isOurs(callee.object, source)) return [];
    const isSpokenOf = text.split(basename(path)).length > 2;
    // A run may start in another directory than the check.
    const isElsewhere = !/^\.\.?\//.test(path) && isAbove(dirname(file), path);
    if (existsSync(wanted) || isSpokenOf || isElsewhere || isAttempt(call) || (isConditional(call) && ASKS.test(text)))
      return [];
    const at = { file, ...placeIn(text, spanOf(callee.property)[0]) };
    return [findingOf(absentDeploy(path, wanted), at)];
  });
}

/** It is there from the directory, or from one around it. */
const isAbove = (directory: string, path: string): boolean =>
  existsSync(join(directory, path)) || (dirname(directory) !== directory && isAbove(dirname(directory), path));

const ASKS = /exist|stat|access|readdir|glob/i;

/** `local`, as it is imported from tsinfra. */
const isOurs = (object: Node, { branches }: Source): boolean =>
  object.type === "Identifier" &&
  branches.some(
    ({ node, parent }) =>
      node.type === "ImportSpecifier" &&
      node.local.name === object.name &&
      node.imported.type === "Identifier" &&
      node.imported.name === "local" &&
      parent?.node.type === "ImportDeclaration" &&
      parent.node.source.value === "tsinfra",
  );

/** That it fails is expected. */
function isAttempt({ node, parent }: Branch): boolean {
  if (!parent || isFunction(parent.node)) return false;
  if (parent.node.type === "TryStatement" && parent.node.block === node) return true;
  const isCaught = "object" in parent.node && /^(?:catch|then)$/.test(memberName(parent.node) ?? "");
  return isCaught || isAttempt(parent);
}

const isConditional = ({ parent }: Branch): boolean =>
  parent !== undefined &&
  (/^(?:IfStatement|ConditionalExpression|LogicalExpression|SwitchCase)$/.test(parent.node.type) ||
    isConditional(parent));
