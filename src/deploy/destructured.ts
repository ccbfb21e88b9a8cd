/** Where something was taken apart that is nothing: the engine often tells what ran before, or what would have run next. @module */
import { type ESTree, parseModule } from "meriyah";
import type { CallSite } from "../core/errors.ts";
import { errorText, writtenAt } from "../core/thrown.ts";
import { preparedModules, servedText } from "./user-modules.ts";

/** The same places, the first of them corrected where only one pattern can be meant. */
export function atItsPattern(error: Error, sites: readonly CallSite[]): readonly CallSite[] {
  const [, name] =
    /^TypeError: Cannot destructure property '(.+?)' from null or undefined/.exec(errorText(error)) ?? [];
  if (name === undefined) return sites;
  const [told, ...callers] = sites;
  const beside = told ? patternsIn(told.file, name) : [];
  // The file that it stands in may be missing among the places.
  if (beside.length === 0)
    return [...(onlyOf([...preparedModules()].flatMap(file => patternsIn(file, name))) ?? []), ...sites];
  const isTold = ({ from, to }: Pattern): boolean =>
    told !== undefined && from.line <= told.line && told.line <= to.line;
  const only = beside.some(isTold) ? undefined : onlyOf(beside);
  return only ? [...only, ...callers] : sites;
}

const onlyOf = (patterns: readonly Pattern[]): readonly CallSite[] | undefined =>
  patterns.length === 1 ? patterns.map(({ at }) => at) : undefined;

/** What takes an object apart, and what it is a part of: a declaration, an assignment, the parameters of a function. */
interface Pattern {
  readonly at: CallSite;
  readonly from: CallSite;
  readonly to: CallSite;
}

/** Those of a file that begin with this name. */
function patternsIn(file: string, name: string): readonly Pattern[] {
  const text = servedText(file);
  if (text === undefined) return [];
  const found: Pattern[] = [];
  const place = ({ line, column }: ESTree.Position): CallSite | undefined =>
    writtenAt({ file, line, column: column + 1 });
  const visit = (node: ESTree.Node, around: ESTree.Node): void => {
    if (node.type === "ObjectPattern" && nameOf(node.properties[0]) === name && node.loc && around.loc) {
      const [at, from, to] = [place(node.loc.start), place(around.loc.start), place(endOf(around))];
      if (at) found.push({ at, from: from ?? at, to: to ?? at });
    }
    const inner = PARTS.has(node.type) ? around : node;
    for (const child of Object.values(node).flat()) if (isNode(child)) visit(child, inner);
  };
  try {
    const program = parseModule(text, { next: true, loc: true, validateRegex: false });
    visit(program, program);
  } catch {
    // The engine may know more of the language than the parser: what it tells stays as it is.
  }
  return found;
}

/** Patterns lie in each other, and a loop declares what it takes apart. */
const PARTS: ReadonlySet<string> = new Set([
  "ObjectPattern",
  "ArrayPattern",
  "AssignmentPattern",
  "Property",
  "RestElement",
  "VariableDeclarator",
]);

/** What is in the body of a function or a loop is no part of its head. */
function endOf({ loc, ...node }: ESTree.Node): ESTree.Position {
  const { body } = node as { readonly body?: unknown };
  return (isNode(body) ? body.loc?.start : loc?.end) ?? { line: 1, column: 0 };
}

function nameOf(property: ESTree.Node | undefined): string | undefined {
  if (property?.type !== "Property") return undefined;
  const { key } = property;
  if (key.type === "Identifier") return key.name;
  return key.type === "Literal" ? String(key.value) : undefined;
}

const isNode = (value: unknown): value is ESTree.Node =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
