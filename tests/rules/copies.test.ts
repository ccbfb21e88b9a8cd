import { expect, test } from "bun:test";
import ts from "typescript";
import { sources } from "./sources.ts";

const BLOCK = 6;

test("no two modules hold the same block of six lines: what they share is a family", () => {
  const seen = new Map<string, string>();
  const copies = new Set<string>();
  for (const { path, tree } of sources("src")) {
    const lines = telling(withoutImports(tree));
    for (let start = 0; start + BLOCK <= lines.length; start++) {
      const block = lines.slice(start, start + BLOCK);
      const text = block.map(line => line.text).join("\n");
      const earlier = seen.get(text);
      if (earlier && !earlier.startsWith(`${path}:`))
        copies.add(`${path}:${block[0]?.number} as in ${earlier}: ${block[0]?.text}`);
      else seen.set(text, `${path}:${block[0]?.number}`);
    }
  }
  expect([...copies]).toEqual([]);
});

/** The text of a module with its imports blanked, line for line. */
function withoutImports(tree: ts.SourceFile): string {
  let { text } = tree;
  for (const statement of tree.statements.filter(ts.isImportDeclaration)) {
    const [from, to] = [statement.getStart(), statement.getEnd()];
    text = text.slice(0, from) + text.slice(from, to).replace(/./g, " ") + text.slice(to);
  }
  return text;
}

/** The lines that say something: neither blank, nor a comment, a member of a type, a bare name in a list, nor brackets alone. */
function telling(text: string): { readonly text: string; readonly number: number }[] {
  return text
    .split("\n")
    .map((line, index) => ({ text: line.trim(), number: index + 1 }))
    .filter(line => /\w/.test(line.text) && !/^(\w+,$|export \*|readonly |\/\/|\/\*|\*)/.test(line.text));
}
