import { expect, test } from "bun:test";
import { linesFrom, linesOf } from "../../src/core/lines.ts";

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

async function linesOfPieces(pieces: readonly (Uint8Array | string)[]): Promise<string[]> {
  const come = async function* () {
    yield* pieces;
  };
  return Array.fromAsync(linesFrom(come()));
}

test("a text in pieces gives the same lines, wherever it is cut", async () => {
  for (const text of ["", "\n", "a", "a\n", "a\r\n\r\nb\r\n", "a\n\n", "a\rb\n", "größe\n日本語\r\n😀"]) {
    const bytes = new TextEncoder().encode(text);
    for (let cut = 0; cut <= bytes.length; cut++)
      expect(await linesOfPieces([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual([...linesOf(text)]);
    expect(await linesOfPieces([...text])).toEqual([...linesOf(text)]);
  }
  expect(await linesOfPieces([new Uint8Array([0x61, 0xe2, 0x82])])).toEqual(["a\ufffd"]);
});

test("one line of forty megabytes in small pieces", async () => {
  expect(await linesOfPieces(Array.from({ length: 10_000 }, () => "x".repeat(4_000)))).toHaveLength(1);
});
