import { describe, expect, test } from "bun:test";
import { Secret, sh, upload } from "../../src/core/command.ts";
import { FactError } from "../../src/core/errors.ts";
import { fact } from "../../src/core/fact.ts";
import type { OperationDefinition } from "../../src/core/operation.ts";
import { withArguments } from "../../src/core/steps.ts";
import { parseFactCase, runFactCase } from "./fact-case.ts";
import { caseFile } from "./files.ts";
import type { NamedFact } from "./host.ts";
import { parseOperationCase, runOperationCase } from "./operation-case.ts";
import { decode, encode, type Json, type JsonObject, layout } from "./values.ts";

const Color = fact<{ readonly of: string }, string>({
  name: "test.Color",
  command: ({ of }) => sh`color ${of}`,
  parse([color = ""]) {
    if (color === "?") throw new SyntaxError("Not a color: ?");
    if (color === "!") throw new TypeError("undefined is not an object");
    if (color === "x") throw new FactError("No color");
    return color;
  },
  empty: "none",
});

const paint: OperationDefinition<object> = {
  name: "test.paint",
  async *steps(host, args) {
    const { things, color } = args as { things: readonly string[]; color: string };
    for (const of of things) {
      if ((await host.getFact(Color, { of })) === color) host.noop(`${of} is ${color}`);
      else yield sh`paint ${of} ${color}`;
    }
  },
};

const run = (input: JsonObject): Promise<JsonObject> => runOperationCase(paint, input, () => {});
const args = { things: ["door"], color: "red" };
const given = { fact: "test.Color", args: { of: "door" } };

describe("a case of an operation", () => {
  test("is run on a host that knows its facts", async () => {
    expect(await run({ args, facts: [{ ...given, empty: true }] })).toEqual({ commands: ["paint door red"] });
    expect(await run({ args, facts: [{ ...given, answer: "red" }] })).toEqual({ commands: [], noop: "door is red" });
  });

  test("may say that an answer changes when commands were made", async () => {
    const twice = { things: ["door", "door"], color: "red" };
    const facts = [
      { ...given, empty: true },
      { ...given, answer: "red", after: 1 },
    ];
    expect(await run({ args: twice, facts })).toEqual({ commands: ["paint door red"], noop: "door is red" });
  });

  test("that does not give what is asked fails, and names it", () => {
    expect(run({ args })).rejects.toThrow('The case does not give these facts: test.Color {"of":"door"}');
    const other = { ...given, args: { of: "wall" }, answer: "red" };
    expect(run({ args, facts: [other] })).rejects.toThrow('test.Color {"of":"door"}');
  });

  test("that gives what is not asked fails, and names it", () => {
    const facts: Json = [
      { ...given, answer: "red" },
      { fact: "test.Size", empty: true },
    ];
    expect(run({ args, facts })).rejects.toThrow("Facts that are given and never asked: test.Size {}");
    expect(run({ args, facts: [{ ...given, answer: "red" }], replies: ["x"] })).rejects.toThrow("nobody waited for");
  });

  test("cannot state a crash", () => {
    expect(run({ args: { color: "red" } })).rejects.toThrow("test.paint crashes: TypeError");
  });

  test.each<[JsonObject, string]>([
    [{ commands: [], noop: "x", fact: [] }, '$ has an unknown key "fact"; there are note, args'],
    [{ commands: [], noop: "x", facts: [{ fact: "a", arg: {}, empty: true }] }, '$.facts[0] has an unknown key "arg"'],
    [{ commands: [], noop: "x", facts: [{ fact: "a" }] }, '$.facts[0] must have either "answer" or "empty"'],
    [{ commands: [], noop: "x", host: { nam: "a" } }, '$.host has an unknown key "nam"'],
    [{ commands: [], noop: "x", local: { a: { content: "a", size: 3 } } }, '$.local["a"] has an unknown key "size"'],
    [{ commands: [{ upload: "a", dest: "/a" }] }, '$.commands[0] has an unknown key "dest"'],
    [{ commands: [{ uplaod: "a" }] }, "$.commands[0] must be a text or have one of the keys command, upload"],
    [{ error: { text: "a" } }, '$.error has no "message"'],
    [{ commands: "a" }, '$.commands must be a list, found "a"'],
    [{ args: {} }, '$ must have "commands" or "error"'],
    [{ commands: [] }, '$ has no commands, and must say in "noop" why there are none'],
  ])("that is not one is refused: %j", (json, message) => {
    expect(() => parseOperationCase(json)).toThrow(message);
  });
});

/** What a host and the control machine of a case say. */
const look: OperationDefinition<object> = {
  name: "test.look",
  async *steps(host) {
    const { local } = host;
    host.warn((await local.list(local.resolve("site"))).map(({ path, type }) => `${path} ${type}`).join(", "));
    host.warn(`${(await local.stat("/deploy/site/link"))?.size} bytes, mode ${(await local.stat("/etc/key"))?.mode}`);
    host.warn(await local.render(local.resolve("site/page"), { name: "Ada" }));
    host.showDiff("/a", undefined, await local.readText("/etc/key"));
    yield upload({ content: await local.read("/etc/key") }, await host.tempFile("one"), { mode: "0600" });
    yield upload({ path: local.resolve("x", { fromDeploy: false }) }, await host.tempFile("one", "/srv"));
    yield withArguments(sh`cp ${await host.tempFile()} /a.${host.timestamp()}`, { _stdin: new Secret("pw") });
    yield {
      kind: "function",
      name: "wait",
      async run(control) {
        const before = control.now();
        while ((await control.run(sh`state`, { _timeout: 5 })).stdout !== "up") await control.sleep(2);
        control.log(`${control.now() - before} ms`);
        throw new Error("No more");
      },
    };
  },
};

test("files of the control machine, functions and errors of theirs are a case's own", async () => {
  const local = {
    "site/page": "Hello {{ name }}",
    "site/link": { linkTarget: "page" },
    "/etc/key": { content: { $bytes: "key" }, mode: "0600" },
  };
  expect(await runOperationCase(look, { local, diff: true, replies: ["down", "up"] }, () => {})).toEqual({
    commands: [
      { upload: { $bytes: "key" }, to: "/tmp/temp-1", mode: "0600" },
      { uploadFile: "/work/x", to: "/srv/temp-1" },
      { command: "cp /tmp/temp-2 /a.2601010000", with: { _stdin: { $secret: "pw" } } },
      { call: "wait", does: ['run state {"_timeout":5}', "sleep 2", 'run state {"_timeout":5}', "log 2000 ms"] },
    ],
    warnings: ["/deploy/site/link link, /deploy/site/page file", "16 bytes, mode 0600", "Hello Ada"],
    diffs: [{ path: "/a", after: "key" }],
    error: { message: "No more" },
  });
  expect((await runOperationCase(look, {}, () => {}))["error"]).toEqual({
    code: "E_LOCAL_FILE",
    message: 'Cannot read "/deploy/site/page": there is no such file',
  });
});

describe("a case of a fact", () => {
  const ask = (input: JsonObject): JsonObject => runFactCase(Color as unknown as NamedFact, input, () => {});

  test("tells the command, and what comes of what it prints", () => {
    expect(ask({ args: { of: "a door" }, prints: ["red"] })).toEqual({ command: "color 'a door'", answer: "red" });
    expect(ask({ args: { of: "door" }, prints: [] })).toEqual({ command: "color door", answer: "none" });
    const unreadable = { command: "color door", error: { message: "Not a color: ?" } };
    expect(ask({ args: { of: "door" }, prints: ["?"] })).toEqual(unreadable);
    expect(ask({ args: { of: "door" }, prints: ["x"] })["error"]).toEqual({ code: "E_FACT", message: "No color" });
  });

  test("cannot state a crash", () => {
    expect(() => ask({ args: { of: "door" }, prints: ["!"] })).toThrow("test.Color crashes: TypeError");
  });

  test("that is not one is refused", () => {
    expect(() => parseFactCase({ print: [] })).toThrow('$ has an unknown key "print"');
    expect(() => parseFactCase({ prints: "a" })).toThrow('$.prints must be a list, found "a"');
    expect(() => ask({ args: { of: "door" }, kind: "FreeBSD" })).toThrow("asks every kind of host the same");
  });
});

test("what JSON cannot hold has a spelling", () => {
  const spelled: JsonObject = {
    secret: { $secret: "pw" },
    pattern: { $regexp: "/a+/i" },
    bytes: { $bytes: "a\u00ff" },
    local: { $date: "2026-01-31T09:16:23+01:00" },
    date: { $date: "2026-01-31T08:16:23.000Z" },
    set: { $set: ["a", "b"] },
    map: { $map: [["a", 1]] },
    function: { $function: "named" },
    error: { $error: "No" },
    shell: { $shell: "echo $HOME" },
    list: [{ $undefined: true }],
  };
  expect(encode(decode(spelled))).toEqual(spelled);
  expect((decode(spelled) as { secret: Secret }).secret.reveal()).toBe("pw");
  expect(() => decode({ $secrte: "pw" })).toThrow("is no value; there are $secret");
  expect(encode({ there: 1, not: undefined })).toEqual({ there: 1 });
  expect(() => encode(new (class Odd {})())).toThrow("No case can hold a Odd");
});

test("a file of a case is called by what it is of and what it is about", () => {
  expect(caseFile("fixtures/operations/freebsd.pkg.install/a-version.json")).toMatchObject({
    name: "freebsd.pkg.install",
    situation: "a-version",
  });
  expect(() => caseFile("fixtures/operations/apt.packages/Some case.json")).toThrow("is no case");
});

test("a case is laid out in lines where it does not fit into one", () => {
  expect(layout({ args: { packages: ["vim"] }, commands: [] })).toBe(
    '{ "args": { "packages": ["vim"] }, "commands": [] }',
  );
  expect(layout({ a: ["x".repeat(60), "y".repeat(60)] })).toBe(
    `{\n  "a": [\n    "${"x".repeat(60)}",\n    "${"y".repeat(60)}"\n  ]\n}`,
  );
});
