import { expect, test } from "bun:test";
import { linesOf } from "../../src/core/lines.ts";

test.each([
  ["", []],
  ["\n", [""]],
  ["a", ["a"]],
  ["a\n", ["a"]],
  ["a\r\n\r\nb\r\n", ["a", "", "b"]],
  ["a\n\n", ["a", ""]],
  ["a\rb\r", ["a\rb\r"]],
])("%j", (text, lines) => {
  expect(linesOf(text)).toEqual(lines);
});

test("a million lines, and one line of forty megabytes", () => {
  expect(linesOf("x\n".repeat(1_000_000))).toHaveLength(1_000_000);
  expect(linesOf("x".repeat(40_000_000))).toHaveLength(1);
});
