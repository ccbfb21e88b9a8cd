/** Regular expressions that cannot be: the engine tells the statement that one stands in, or less. @module */
import { type ESTree, parseModule } from "meriyah";

/** Where in a module's text the literal begins of which the engine says this. Lines and columns count from 1. */
export function regexpPlace(
  text: string,
  message: string,
): { readonly line: number; readonly column: number } | undefined {
  const said = /Invalid (?:regular expression|flags).*/.exec(message)?.[0];
  if (said === undefined) return undefined;
  try {
    const program = parseModule(text, { next: true, loc: true, validateRegex: false });
    const start = literals(program).find(({ regex }) => complaint(regex.pattern, regex.flags) === said)?.loc?.start;
    return start && { line: start.line, column: start.column + 1 };
  } catch {
    // The engine may know more of the language than the parser: what it tells stays as it is.
    return undefined;
  }
}

function literals(node: ESTree.Node): readonly ESTree.RegExpLiteral[] {
  if (node.type === "Literal" && "regex" in node) return [node];
  return Object.values(node)
    .flat()
    .flatMap(child => (isNode(child) ? literals(child) : []));
}

const isNode = (value: unknown): value is ESTree.Node => typeof value === "object" && value !== null && "type" in value;

function complaint(pattern: string, flags: string): string | undefined {
  try {
    void new RegExp(pattern, flags);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : undefined;
  }
}
