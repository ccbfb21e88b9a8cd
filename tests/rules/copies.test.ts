import { expect, test } from "bun:test";
import { sources } from "./sources.ts";

const BLOCK = 6;

test("no two modules hold the same block of six lines: what they share is a family", () => {
  const seen = new Map<string, string>();
  const copies = new Set<string>();
  for (const { path, tree } of sources("src")) {
    const lines = telling(tree.text);
    for (let start = 0; start + BLOCK <= lines.length; start++) {
      const block = lines.slice(start, start + BLOCK);
      const text = block.map(line => line.text).join("\n");
      const earlier = seen.get(text);
      if (earlier && !earlier.startsWith(`${path}:`)) copies.add(`${path}:${block[0]?.number} as in ${earlier}: ${block[0]?.text}`);
      else seen.set(text, `${path}:${block[0]?.number}`);
    }
  }
  expect([...copies]).toEqual([]);
});

/** The lines that say something: neither blank, nor an import, a comment, a member of a type, nor brackets alone. */
function telling(text: string): { readonly text: string; readonly number: number }[] {
  return text
    .split("\n")
    .map((line, index) => ({ text: line.trim(), number: index + 1 }))
    .filter(line => /\w/.test(line.text) && !/^(import|export \*|readonly |\/\/|\/\*|\*)/.test(line.text));
}
