import { expect, test } from "bun:test";
import { sh } from "../../src/core/command.ts";
import { OperationValueError } from "../../src/core/errors.ts";
import { packages as npmPackages } from "../../src/operations/npm.ts";
import { ensurePackages, extraWords, type PackageManager, type Want } from "../../src/operations/shared/packages.ts";
import { compareVersions, parseRequirement } from "../../src/operations/shared/python-packages.ts";
import { shellTokens } from "../conformance/tokens.ts";
import { caseHost } from "../conformance/host.ts";
import type { GivenFact } from "../conformance/cases.ts";

const MANAGER: PackageManager = { install: sh`pm add`, remove: sh`pm del`, upgrade: sh`pm up`, pin: "=" };

const host = (facts: readonly GivenFact[] = []) =>
  caseHost({
    id: "x",
    kind: "operation",
    module: "x",
    name: "x",
    x_bound: { named: {} },
    x_tags: [],
    x_facts: facts,
    x_observed: {},
  });

async function run(
  installed: Record<string, string[]>,
  want: Want,
  manager = MANAGER,
): Promise<{ commands: string[]; noops: readonly string[] }> {
  const on = host();
  const commands: string[] = [];
  for await (const command of ensurePackages(on, installed, want, manager))
    if (command.kind === "shell") commands.push(command.wire());
  return { commands, noops: on.noops };
}

test("packages that are missing are installed together, those that are there are named with their versions", async () => {
  expect(await run({ vim: ["9.0", "9.1"] }, { packages: ["vim", "curl", "git=2.1"] })).toEqual({
    commands: ["pm add curl git=2.1"],
    noops: ["package vim is installed (9.0,9.1)"],
  });
});

test("a pinned version is wanted exactly", async () => {
  expect((await run({ git: ["2.0"] }, { packages: "git=2.1" })).commands).toEqual(["pm add git=2.1"]);
  expect((await run({ git: ["2.1"] }, { packages: "git=2.1" })).commands).toEqual([]);
  expect((await run({ git: ["2.1"] }, { packages: "git=2.0", present: false })).commands).toEqual([]);
});

test("latest upgrades what is there without a version, in a command of its own", async () => {
  expect(await run({ vim: ["9"], git: ["2.1"] }, { packages: ["vim", "git=2.1", "curl"], latest: true })).toEqual({
    commands: ["pm add curl", "pm up vim"],
    noops: [],
  });
});

test("no packages are nothing to do, and names of Object.prototype are no packages", async () => {
  expect(await run({}, {})).toEqual({ commands: [], noops: [] });
  expect(await run({}, { packages: [] })).toEqual({ commands: [], noops: [] });
  expect((await run({}, { packages: ["constructor"] })).commands).toEqual(["pm add constructor"]);
});

test("a group is there when all its members are, and is removed while any is", async () => {
  const groups: PackageManager = { ...MANAGER, expand: async () => [{ name: "a" }, { name: "b" }] };
  expect((await run({ a: ["1"] }, { packages: "group" }, groups)).commands).toEqual(["pm add group"]);
  expect((await run({ a: ["1"] }, { packages: "group", present: false }, groups)).commands).toEqual(["pm del group"]);
  expect(await run({ a: ["1"], b: ["1"] }, { packages: "group" }, groups)).toEqual({
    commands: [],
    noops: ["package group is installed"],
  });
});

test("hostile names become one word or an error, never code or an option", async () => {
  for (const name of ["a b", "$(touch x)", "`id`", "a'b", 'a"b', "a\nb", "a;b", "~", "*", "a=$HOME"]) {
    const { commands } = await run({}, { packages: [name] });
    expect(shellTokens(commands[0] ?? "")).toEqual(["w:pm", "w:add", `w:${name}`]);
  }
  for (const name of ["-y", "--force", "", " "])
    expect(run({}, { packages: [name] })).rejects.toThrow(OperationValueError);
});

test("the name of a scoped package may begin with what joins it to its version", async () => {
  const on = host([{ fact: "npm.NpmPackages", key: null, args: {}, tsArgs: {}, value: { "@types/node": ["22.1.0"] } }]);
  for await (const _ of npmPackages.steps(on, { packages: ["@types/node@22.1.0", "@types/node"] }))
    throw new Error("nothing is to do");
  expect(on.noops).toEqual(["package @types/node is installed (22.1.0)", "package @types/node is installed (22.1.0)"]);
});

test("options given as text are split as a shell would, as a list they stay as they are", () => {
  expect(extraWords(`--a "b c" -o 'd e'`)).toEqual(["--a", "b c", "-o", "d e"]);
  expect(extraWords(["--a", "b c"])).toEqual(["--a", "b c"]);
  expect(extraWords(undefined)).toEqual([]);
  expect(() => extraWords(`--a "b`)).toThrow(OperationValueError);
});

test("versions of Python packages are ordered as PEP 440 orders them", () => {
  const ordered = [
    "1.0.dev1",
    "1.0a1.dev1",
    "1.0a1",
    "1.0b2",
    "1.0rc1",
    "1.0",
    "1.0.post1",
    "1.0.1",
    "1.10",
    "2",
    "1!0.5",
  ];
  for (let index = 1; index < ordered.length; index++)
    expect(compareVersions(ordered[index - 1] ?? "", ordered[index] ?? "")).toBe(-1);
  expect(compareVersions("1.0", "1.0.0")).toBe(0);
  expect(compareVersions("1.0", "nonsense")).toBeUndefined();
});

test("Python requirements say which versions will do", () => {
  const accepts = (text: string, version: string) => parseRequirement(text)?.accepts?.(version);
  expect(accepts("flask>=3,<4", "3.1")).toBe(true);
  expect(accepts("flask>=3,<4", "4.0")).toBe(false);
  expect(accepts("flask~=3.1.2", "3.1.9")).toBe(true);
  expect(accepts("flask~=3.1.2", "3.2")).toBe(false);
  expect(accepts("flask==3.*", "3.9")).toBe(true);
  expect(accepts("flask!=3.*", "3.9")).toBe(false);
  expect(accepts("another>1", "1")).toBe(false);
  expect(parseRequirement("Uvicorn [standard] >= 0.30 ; python_version > '3.8'")).toMatchObject({
    name: "uvicorn",
    word: "uvicorn[standard]>=0.30; python_version > '3.8'",
  });
  expect(parseRequirement("copier @ git@github.com:copier-org/copier.git@v9.9.0")).toMatchObject({
    name: "copier",
    word: "git@github.com:copier-org/copier.git@v9.9.0",
  });
  expect(parseRequirement("Zope.Interface")).toMatchObject({ key: "zope-interface" });
  expect(parseRequirement("what is this")).toBeUndefined();
});
