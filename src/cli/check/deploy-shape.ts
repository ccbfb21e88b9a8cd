/** What keeps a deploy file, or what it imports, from being run at all, found without running it. @module */
import { noHost } from "../../core/scope.ts";
import { hintBesideDefault, refuseNoDeploy } from "../../deploy/index.ts";
import { type Finding, findingOf } from "./finding.ts";
import { COMPUTED, moduleOf } from "./literals.ts";
import type { Source } from "./sources.ts";
import { standIn } from "./stand-ins.ts";
import { type Branch, callOf, isFunction, memberName, type Node, outwards, placeIn, spanOf } from "./syntax.ts";

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
