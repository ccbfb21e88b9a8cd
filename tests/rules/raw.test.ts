import { expect, setDefaultTimeout, test } from "bun:test";
import ts from "typescript";
import { place, sources, walk } from "./sources.ts";

setDefaultTimeout(60_000);

/** How many times text goes into a command unquoted. Each is a constant of ours; this number only goes down. */
const RAW_CALLS = 8;

test("unquoted text in commands does not become more", () => {
  const calls: string[] = [];
  for (const { tree, path } of sources("src")) {
    if (path === "src/core/command.ts") continue;
    walk(tree, node => {
      const isRaw =
        (ts.isCallExpression(node) && node.expression.getText() === "raw") ||
        (ts.isNewExpression(node) && node.expression.getText() === "Raw");
      if (isRaw) calls.push(place(node));
    });
  }
  expect(calls.length, `Calls of raw():\n${calls.join("\n")}`).toBeLessThanOrEqual(RAW_CALLS);
});

test("commands are built by sh`…`, not by making a Shell of text", () => {
  const made: string[] = [];
  for (const { tree, path } of sources("src"))
    if (path !== "src/core/command.ts")
      walk(
        tree,
        node => void (ts.isNewExpression(node) && node.expression.getText() === "Shell" && made.push(place(node))),
      );
  expect(made).toEqual([]);
});
