import { describe, expect, test } from "bun:test";
import { Secret, sh } from "../../src/core/command.ts";
import { OperationTypeError } from "../../src/core/errors.ts";
import type { Operation } from "../../src/core/operation.ts";
import { inScope, type Scope } from "../../src/core/scope.ts";
import * as operations from "../../src/operations/index.ts";
import { argumentCheck, loadArgumentCheck, loadReference, type Signatures } from "../../src/reference/index.ts";
import { type FactCase, parseFactCase } from "../cases/fact-case.ts";
import { type CaseFile, caseFiles, readCase } from "../cases/files.ts";
import { type OperationCase, parseOperationCase } from "../cases/operation-case.ts";
import { decode } from "../cases/values.ts";

/** From source the compiler makes the reference anew when a source has changed. */
const ONCE = 120_000;
const SIGNATURES: Signatures = {
  operations: {
    "demo.put": {
      fields: {
        dest: "string",
        mode: { any: [{ is: [true] }, "string"] },
        content: { any: ["string", "bytes", "secret"] },
        packages: { any: ["string", { list: "string" }] },
        retries: "number",
        state: { is: ["started", "stopped"] },
        present: "boolean",
        headers: { map: { any: ["string", "secret"] } },
        mounts: { list: { fields: { source: "string", readOnly: "boolean" }, required: ["source"] } },
        branch: { tuple: ["string", "string"] },
        body: "function",
        when: "date",
        command: { any: ["string", "shell"] },
        free: "unknown",
        password: { any: ["string", "secret"] },
      },
      required: ["dest"],
    },
    "demo.set": { fields: {}, rest: "string" },
    "demo.update": { fields: {} },
  },
  facts: { "demo.File": { fields: { path: "string" }, required: ["path"] } },
  globals: {},
  aliases: { "old.put": "demo.put" },
};
const check = argumentCheck(SIGNATURES);

/** The message and the hint of what is thrown. */
function refusal(args: object, name = "demo.put"): string {
  try {
    check(name, args);
  } catch (error) {
    if (error instanceof OperationTypeError)
      return error.hint === undefined ? error.message : `${error.message} (${error.hint})`;
    throw error;
  }
  return "";
}

test("arguments that are as their types say pass", () => {
  const right: object[] = [
    { dest: "/x", mode: true, present: false, retries: 0, state: "started" },
    {
      dest: "",
      mode: "644",
      content: new Uint8Array(2),
      packages: ["vim"],
      body: () => {},
      when: new Date(0),
      command: sh`ls`,
    },
    {
      dest: "/x",
      content: new Secret("s"),
      packages: [],
      headers: { "X-Any Thing": new Secret("s"), other: "o" },
      free: null,
    },
    { dest: "/x", mounts: [{ source: "/a" }, { source: "/b", readOnly: true }], branch: ["origin", "main"] },
  ];
  for (const args of right) expect(refusal(args)).toBe("");
});

test("what is undefined is not there", () => {
  expect(refusal({ dest: "/x", mode: undefined, mounts: [{ source: "/a", readOnly: undefined }] })).toBe("");
  expect(refusal({ dest: undefined })).toBe('Missing argument "dest" of demo.put: a string');
});

describe("a wrong argument is told with", () => {
  const cases: readonly (readonly [what: string, args: object, message: string])[] = [
    [
      "the nearest name",
      { dest: "/x", pakages: "vim" },
      'Unknown argument "pakages" of demo.put (Did you mean "packages"?)',
    ],
    [
      "what it must be and what was found",
      { dest: 5 },
      'Argument "dest" of demo.put must be a string, found the number 5',
    ],
    [
      "all the types it may have",
      { dest: "/x", packages: { a: 1 } },
      'Argument "packages" of demo.put must be a string or a list of strings, found the object {"a":1}',
    ],
    [
      "the place in a list",
      { dest: "/x", packages: ["vim", 7] },
      'Argument "packages[1]" of demo.put must be a string, found the number 7',
    ],
    [
      "the place in a map",
      { dest: "/x", headers: { "a-b": 7 } },
      'Argument "headers["a-b"]" of demo.put must be a string or a secret, found a number',
    ],
    [
      "what is missing inside",
      { dest: "/x", mounts: [{ source: "/a" }, {}] },
      'Argument "mounts[1]" of demo.put needs "source"',
    ],
    [
      "what is unknown inside",
      { dest: "/x", mounts: [{ source: "/a", readonly: true }] },
      'Argument "mounts[0]" of demo.put has no "readonly" (Did you mean "readOnly"?)',
    ],
    [
      "the nearest value",
      { dest: "/x", state: "startd" },
      'Argument "state" of demo.put must be "started" or "stopped", found "startd" (Did you mean "started"?)',
    ],
    [
      "a text that is no truth value",
      { dest: "/x", present: "yes" },
      'Argument "present" of demo.put must be true or false, found "yes"',
    ],
    [
      "how many there must be",
      { dest: "/x", branch: ["origin"] },
      'Argument "branch" of demo.put must be a list of 2 strings, found the list ["origin"]',
    ],
    ["null, which is not undefined", { dest: null }, 'Argument "dest" of demo.put must be a string, found null'],
    [
      "a number that is none",
      { dest: "/x", retries: Number.NaN },
      'Argument "retries" of demo.put must be a number, found the number NaN',
    ],
    [
      "a forgotten await",
      { dest: Promise.resolve("/x") },
      'Argument "dest" of demo.put must be a string, found a promise (Write await before it)',
    ],
  ];
  test.each(cases)("%s", (_, args, message) => expect(refusal(args)).toBe(message));
});

test("a mode given as a number is told to be an octal string, and which one", () => {
  const hint = (mode: number): string => refusal({ dest: "/x", mode });
  expect(hint(644)).toBe(
    'Argument "mode" of demo.put must be an octal string such as "644", found the number 644 (Write "644")',
  );
  expect(hint(0o644)).toContain('(Write "644")');
  expect(hint(0o4755)).toContain('(Write "4755")');
  expect(hint(400)).toContain('(Write "400")');
  expect(hint(-1)).toEndWith("found the number -1");
});

test("what may be a secret is never shown, and neither are secrets inside of something else", () => {
  expect(refusal({ dest: "/x", password: 12345678 })).toBe(
    'Argument "password" of demo.put must be a string or a secret, found a number',
  );
  expect(refusal({ dest: new Secret("hunter2") })).toBe('Argument "dest" of demo.put must be a string, found a secret');
  expect(refusal({ dest: { token: new Secret("hunter2") } })).toBe(
    'Argument "dest" of demo.put must be a string, found the object {"token":"***"}',
  );
});

test("long values are cut, and control characters stay out of the message", () => {
  expect(refusal({ dest: "/x", present: "a".repeat(100) })).toEndWith(`found "${"a".repeat(60)}…"`);
  expect(refusal({ dest: "/x", present: "\x1b[31m\n" })).toEndWith('found "\\u001b[31m\\n"');
  const loop: unknown[] = [];
  loop.push(loop);
  expect(refusal({ dest: loop })).toEndWith("found a list");
});

test("operations and facts that are not ours take what they like", () => {
  expect(refusal({ anything: 1 }, "mine.own")).toBe("");
  expect(refusal({ anything: 1 }, "toString")).toBe("");
  expect(refusal({ key: "value" }, "demo.set")).toBe("");
  expect(refusal({ key: 1 }, "demo.set")).toContain("must be a string");
});

test("an old name is checked as the new one, and a fact as an operation", () => {
  expect(refusal({ dst: "/x" }, "old.put")).toContain('Unknown argument "dst" of old.put');
  expect(refusal({}, "demo.File")).toBe('Missing argument "path" of demo.File: a string');
  expect(refusal({ cacheTime: 1 }, "demo.update")).toBe(
    'Unknown argument "cacheTime" of demo.update (It takes global arguments only, such as _sudo)',
  );
  expect(refusal([1], "demo.update")).toBe("The arguments of demo.update must be an object, found the list [1]");
});

test(
  "every example passes",
  async () => {
    const [checkAll, reference] = await Promise.all([loadArgumentCheck(), loadReference()]);
    let checked = 0;
    const call = ({ name }: Operation<object>, given: object) => {
      checkAll(
        name,
        Object.fromEntries(Object.entries(given).filter(([key]) => key !== "name" && !key.startsWith("_"))),
      );
      checked++;
      return { didChange: () => true };
    };
    const scope = { call, host: { name: "example", data: {}, getFact: async () => ({}) } } as unknown as Scope;
    const names = Object.keys(operations);
    const transpiler = new Bun.Transpiler({ loader: "ts", target: "bun" });
    const failed: string[] = [];
    for (const { name, examples } of reference.operations) {
      for (const example of examples.filter(text => !/^\s*import /m.test(text))) {
        const body = transpiler
          .transformSync(`export async function example() {\n${example}\n}`)
          .replace("export ", "");
        const run = new Function(...names, "Secret", "sh", `${body}\nreturn example();`) as (
          ...values: unknown[]
        ) => Promise<void>;
        await inScope(scope, () => run(...Object.values(operations), Secret, sh)).catch(error => {
          if (error instanceof OperationTypeError) failed.push(`${name}: ${error.message}`);
        });
      }
    }
    expect(failed).toEqual([]);
    expect(checked).toBeGreaterThan(reference.operations.length / 2);
  },
  ONCE,
);

test(
  "the arguments of every case pass, but for those that are about wrong ones",
  async () => {
    const checkAll = await loadArgumentCheck();
    const judge = (file: CaseFile, { args = {}, error }: FactCase | OperationCase): readonly string[] => {
      try {
        checkAll(file.name, decode(args) as object);
        return [];
      } catch (thrown) {
        if (!(thrown instanceof OperationTypeError)) throw thrown;
        return error?.["code"] === thrown.code ? [] : [`${file.path}: ${thrown.message}`];
      }
    };
    const cases = [
      ...caseFiles("operations").map(file => judge(file, parseOperationCase(readCase(file)))),
      ...caseFiles("facts").map(file => judge(file, parseFactCase(readCase(file)))),
    ];
    expect(cases.flat()).toEqual([]);
    expect(cases.length).toBeGreaterThan(0);
  },
  ONCE,
);
