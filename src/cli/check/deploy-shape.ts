/** What keeps a deploy file, or what it imports, from being run at all, found without running it. @module */
import { currentScope, inSteps, noHost } from "../../core/scope.ts";
import { hintBesideDefault, refuseNoDeploy } from "../../deploy/index.ts";
import { type Finding, findingOf } from "./finding.ts";
import { COMPUTED, moduleOf } from "./literals.ts";
import type { Source } from "./sources.ts";
import { standIn } from "./stand-ins.ts";
import {
  type Branch,
  branchesOf,
  callOf,
  isFunction,
  keyOf,
  memberName,
  type Node,
  outwards,
  ownerOf,
  placeIn,
  spanOf,
} from "./syntax.ts";

/** A file that somebody runs, and that is no deploy. */
export async function deployFindings({ file, text, program }: Source): Promise<readonly Finding[]> {
  const module = moduleOf(program);
  const standard = module.exports.find(({ name }) => name === "default");
  const value = standard && standIn(standard.value, module);
  try {
    await refuseNoDeploy({ path: file, source: text }, standard && value !== COMPUTED ? { value } : undefined);
    return [];
  } catch (error) {
    // What cannot be read the compiler tells.
    return error instanceof AggregateError || !(error instanceof Error) || error.name === "BuildMessage"
      ? []
      : [findingOf(error, { file, line: 1, column: 1 })];
  }
}

/** What speaks of the current host where a module is loaded, and no host is current. A `deploy` has a default function; what is `early` is read before there are hosts. */
export function hostlessFindings(
  { file, text, branches }: Source,
  kind: "deploy" | "module" | "early",
): readonly Finding[] {
  const names = hostNames(branches);
  if (names.size === 0) return [];
  return branches.flatMap(branch => {
    const used = usedHost(branch, names);
    if (!used || !runsWhenLoaded(branch)) return [];
    const at = { file, ...placeIn(text, spanOf(used.at)[0]) };
    const error = noHost(used.what);
    if (kind === "deploy") error.hint = hintBesideDefault(at, text);
    if (kind === "early") error.hint = EARLY;
    return [findingOf(error, at)];
  });
}

/** An operation that is called in the steps of one of the user's own, by the function of the steps itself. */
export function stepsFindings({ file, text, branches }: Source): readonly Finding[] {
  const names = hostNames(branches);
  if (names.size === 0) return [];
  // The steps may have a name of ours for what they are given.
  const bound = new Set(branches.flatMap(({ node }) => boundBy(node)));
  const known = new Map([...names].filter(([name]) => !bound.has(name)));
  return branches.flatMap(branch => {
    const used = usedHost(branch, known);
    const name = used?.what.startsWith("The operation ") === true ? operationOfSteps(ownerOf(branch)) : undefined;
    if (!used || name === undefined) return [];
    const at = { file, ...placeIn(text, spanOf(used.at)[0]) };
    try {
      inSteps(name, () => currentScope(used.what));
      return [];
    } catch (error) {
      return [findingOf(error, at)];
    }
  });
}

/** The name of the operation whose steps a function is: `operation({ name: "…", async *steps() { … } })`. */
function operationOfSteps(owner: Branch | undefined): string | undefined {
  if (!owner || !isFunction(owner.node) || !owner.node.generator) return undefined;
  const member = owner.node.type === "ObjectMethod" ? owner : owner.parent;
  const definition = member?.parent;
  const call = definition?.parent && callOf(definition.parent.node);
  if (!member || keyOf(member.node) !== "steps" || definition?.node.type !== "ObjectExpression") return undefined;
  if (call?.callee.type !== "Identifier" || call.callee.name !== "operation") return undefined;
  const name = definition.node.properties.find(property => keyOf(property) === "name");
  return name?.type === "ObjectProperty" && name.value.type === "StringLiteral" ? name.value.value : undefined;
}

/** Names that a function or a variable brings. */
function boundBy(node: Node): readonly string[] {
  const patterns = isFunction(node) ? node.params : node.type === "VariableDeclarator" ? [node.id] : [];
  return patterns.flatMap(pattern =>
    branchesOf(pattern).flatMap(({ node: part }) => (part.type === "Identifier" ? [part.name] : [])),
  );
}

const EARLY = "The config, inventories and group data are read before there are hosts: ask for it in the deploy file";

/** True for a deploy that is not evaluated for each host as a whole. */
export const hasDefault = ({ program }: Source): boolean =>
  moduleOf(program).exports.some(({ name }) => name === "default");

/** What is imported of us, by its name in the file: a module of operations, an operation, or something of the current host's. */
type HostNames = ReadonlyMap<string, { readonly kind: "module" | "operation" | "ambient"; readonly name: string }>;

function hostNames(branches: readonly Branch[]): HostNames {
  const names = new Map<string, { readonly kind: "module" | "operation" | "ambient"; readonly name: string }>();
  for (const { node } of branches) {
    if (node.type !== "ImportDeclaration" || node.importKind === "type") continue;
    const [, operations, inner] = /^tsinfra(\/operations(?:\/(\w+))?)?$/.exec(node.source.value) ?? [];
    if (node.source.value !== "tsinfra" && operations === undefined) continue;
    for (const specifier of node.specifiers) {
      const local = specifier.local.name;
      if (specifier.type === "ImportNamespaceSpecifier" && inner !== undefined)
        names.set(local, { kind: "module", name: inner });
      if (specifier.type !== "ImportSpecifier") continue;
      const name = specifier.imported.type === "Identifier" ? specifier.imported.name : specifier.imported.value;
      if (inner !== undefined) names.set(local, { kind: "operation", name: `${inner}.${name}` });
      else if (operations !== undefined) names.set(local, { kind: "module", name });
      else if (AMBIENT.has(name)) names.set(local, { kind: "ambient", name });
    }
  }
  return names;
}
const AMBIENT = new Set(["host", "inventory", "config", "state", "logger", "local"]);

/** A call of an operation, or a member of what is the current host's. */
function usedHost({ node }: Branch, names: HostNames): { readonly what: string; readonly at: Node } | undefined {
  if (node.type === "VariableDeclarator" && node.id.type === "ObjectPattern" && node.init?.type === "Identifier") {
    const taken = names.get(node.init.name);
    return taken?.kind === "ambient" ? { what: `"${taken.name}"`, at: node.init } : undefined;
  }
  const callee = callOf(node)?.callee;
  const member = callee ?? node;
  if (callee?.type === "Identifier") {
    const found = names.get(callee.name);
    return found?.kind === "operation" ? { what: `The operation ${found.name}`, at: callee } : undefined;
  }
  if (member.type !== "MemberExpression" || member.object.type !== "Identifier") return undefined;
  const found = names.get(member.object.name);
  if (found?.kind === "ambient") return callee ? undefined : { what: `"${found.name}"`, at: member.object };
  return callee && found?.kind === "module"
    ? { what: `The operation ${found.name}.${memberName(member) ?? ""}`, at: member.property }
    : undefined;
}

/** Nothing around it keeps it from being run when the module is loaded. */
const runsWhenLoaded = (branch: Branch): boolean =>
  [...outwards(branch.parent)].every(node => !isFunction(node) && !MAY_NOT_RUN.test(node.type));
const MAY_NOT_RUN = /^(?:If|Conditional|Logical|Try|Switch|For|While|Class|ObjectMethod|TSModule|Labeled)/;
