import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sh, upload } from "../../src/core/command.ts";
import { derivedFact, fact, type NoArguments } from "../../src/core/fact.ts";
import { operation } from "../../src/core/operation.ts";
import { apply, applyTwice, askFact } from "./apply.ts";

const Content = fact<{ path: string }, string>({
  name: "test.Content",
  command: ({ path }) => sh`cat ${path} 2>/dev/null || true`,
  parse: lines => lines.join("\n"),
  empty: "",
});
const Length = derivedFact<{ path: string }, number, string>({
  name: "test.Length",
  from: Content,
  derive: text => text.length,
});
const Tool = fact<NoArguments, string>({
  name: "test.Tool",
  requires: "no-such-tool-here",
  command: () => sh`no-such-tool-here`,
  parse: () => "there",
  empty: "absent",
});

const write = operation<{ path: string; text: string }>({
  name: "test.write",
  async *steps(host, { path, text }) {
    if ((await host.getFact(Content, { path })) === text) return host.noop(`${path} is as wanted`);
    yield upload({ content: text }, path, { mode: "640" });
    if ((await host.getFact(Length, { path })) !== text.length) yield sh`false`;
  },
});

test("an operation changes once, and a fact asked after a command sees what it did", async () => {
  const dir = mkdtempSync(join(tmpdir(), "apply-"));
  try {
    const path = join(dir, "it's a $file");
    const first = await applyTwice(write, { path, text: "hello" });
    expect(first.commands).toEqual([`upload content to ${path}`]);
    expect(readFileSync(path, "utf8")).toBe("hello");
    expect(statSync(path).mode & 0o7777).toBe(0o640);
    expect((await apply(write, { path, text: "hello" })).noops).toEqual([`${path} is as wanted`]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("a command that fails throws with its stderr", async () => {
  const failing = operation<Record<never, never>>({
    name: "test.failing",
    async *steps() {
      yield sh`echo reason >&2; exit 3`;
    },
  });
  expect(apply(failing, {})).rejects.toThrow(/exit code 3.*: echo reason >&2; exit 3\nreason/);
});

test("an operation that always changes fails applyTwice", async () => {
  const always = operation<Record<never, never>>({
    name: "test.always",
    async *steps() {
      yield sh`true`;
    },
  });
  expect(applyTwice(always, {})).rejects.toThrow("test.always is not idempotent");
});

test("a fact without its tool is empty", async () => {
  expect(await askFact(Tool, {})).toBe("absent");
});
