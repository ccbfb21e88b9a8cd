/** What is printed before it is an operation's turn: bounded, in order, and told when it comes. */
import { expect, test } from "bun:test";
import type { OutputStream } from "../../src/core/connector.ts";
import { KEPT_OUTPUT } from "../../src/core/output.ts";
import { HeldOutput } from "../../src/engine/operation/held-output.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** All that is told, one text for chunks of the same stream in a row. */
function listening() {
  const told: [OutputStream, string][] = [];
  return {
    told,
    listener: (stream: OutputStream, chunk: Uint8Array): void => {
      const last = told.at(-1);
      const text = Buffer.from(chunk).toString();
      if (last?.[0] === stream) last[1] += text;
      else told.push([stream, text]);
    },
  };
}

test("both streams are told in the order in which they came, and what comes later at once", () => {
  const output = new HeldOutput();
  const { told, listener } = listening();
  const reused = Buffer.from("one\n");
  void output.push("stdout", reused);
  reused.fill("x");
  void output.push("stderr", bytes("two\n"));
  void output.push("stdout", bytes("three\n"));
  expect(told).toEqual([]);
  output.open(listener);
  void output.push("stderr", bytes("four\n"));
  expect(told).toEqual([
    ["stdout", "one\n"],
    ["stderr", "two\n"],
    ["stdout", "three\n"],
    ["stderr", "four\n"],
  ]);
  expect(output.isCut).toBeFalse();
});

test("of a stream that prints much the end is held, from a whole line on, and all of the other", () => {
  const output = new HeldOutput();
  const { told, listener } = listening();
  void output.push("stderr", bytes("an error\n"));
  const line = `${"x".repeat(99)}\n`;
  // In pieces that end anywhere.
  const piece = bytes(line.repeat(1000).slice(50) + line.slice(0, 50));
  for (let length = 0; length < 3 * KEPT_OUTPUT; length += piece.length) void output.push("stdout", piece);
  void output.push("stdout", bytes("the end\n"));
  expect(output.isCut).toBeTrue();
  output.open(listener);
  const stdout = told.filter(([stream]) => stream === "stdout").map(([, text]) => text);
  expect(told[0]).toEqual(["stderr", "an error\n"]);
  expect(stdout[0]!.length).toBeLessThanOrEqual(KEPT_OUTPUT);
  expect(stdout[0]!.length).toBeGreaterThan(KEPT_OUTPUT - 2 * piece.length);
  expect(stdout[0]!.startsWith(line)).toBeTrue();
  expect(stdout[0]!.endsWith("the end\n")).toBeTrue();
});

test("a single chunk that is longer than what is held, and very many short ones, are bounded as well", () => {
  const long = new HeldOutput();
  void long.push("stdout", new Uint8Array(2 * KEPT_OUTPUT).fill(65));
  void long.push("stdout", bytes("\nthe end\n"));
  const { told, listener } = listening();
  long.open(listener);
  expect(told).toEqual([["stdout", "the end\n"]]);
  expect(long.isCut).toBeTrue();

  const short = new HeldOutput();
  for (let count = 0; count < 200_000; count++) void short.push("stderr", bytes("\n"));
  let chunks = 0;
  short.open(() => void chunks++);
  expect(chunks).toBeLessThan(KEPT_OUTPUT / 60);
  expect(short.isCut).toBeTrue();
});
