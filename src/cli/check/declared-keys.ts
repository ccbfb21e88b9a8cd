/** Keys of host data that a project declares. @module */
import { nameOfKey } from "./literals.ts";
import type { Source } from "./sources.ts";
import type { Node } from "./syntax.ts";

/** The members of `interface HostData`, wherever it stands, and of what it extends. */
export function declaredKeys(sources: readonly Source[]): ReadonlySet<string> {
  const types = Map.groupBy(sources.flatMap(typesIn), ({ name }) => name);
  const keys = new Set<string>();
  const waiting = ["HostData"];
  const seen = new Set<string>();
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    for (const { members, bases } of types.get(name) ?? []) {
      for (const key of members) keys.add(key);
      waiting.push(...bases);
    }
  }
  return keys;
}

/** A type with members, by its name. */
interface NamedType {
  readonly name: string;
  readonly members: readonly string[];
  /** The types of which it has the members too. */
  readonly bases: readonly string[];
}

const typesIn = ({ branches }: Source): readonly NamedType[] =>
  branches.flatMap(({ node }) =>
    node.type === "Program" || node.type === "TSModuleBlock"
      ? (node.body as readonly Node[]).flatMap(statement => namedType(statement) ?? [])
      : [],
  );

function namedType(statement: Node): NamedType | undefined {
  const declared = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
  if (declared?.type === "TSInterfaceDeclaration")
    return {
      name: declared.id.name,
      members: declared.body.body.flatMap(keysOf),
      bases: (declared.extends ?? []).flatMap(nameOfBase),
    };
  if (declared?.type !== "TSTypeAliasDeclaration") return undefined;
  const { typeAnnotation: type } = declared;
  const parts = type.type === "TSIntersectionType" ? type.types : [type];
  return {
    name: declared.id.name,
    members: parts.flatMap(part => (part.type === "TSTypeLiteral" ? part.members.flatMap(keysOf) : [])),
    bases: parts.flatMap(nameOfBase),
  };
}

const keysOf = (member: Node): readonly string[] =>
  member.type === "TSPropertySignature" || member.type === "TSMethodSignature"
    ? [nameOfKey(member.key)].filter(key => key !== undefined)
    : [];

/** The name of what is extended, or of what a type is. */
function nameOfBase(node: Node): readonly string[] {
  const name =
    node.type === "TSInterfaceHeritage" ? node.expression : node.type === "TSTypeReference" ? node.typeName : undefined;
  return name?.type === "Identifier" ? [name.name] : [];
}
