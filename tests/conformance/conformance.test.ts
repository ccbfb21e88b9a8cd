import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret, sh, upload } from "../../src/core/command.ts";
import type { OperationCase } from "./cases.ts";
import { checkOperation } from "./check.ts";
import { commandsDiffer, encodeCommand, valuesDiffer } from "./compare.ts";
import { caseHost, MissingFactError } from "./host.ts";
import { sameTokens, shellTokens } from "./tokens.ts";
import { argumentName, callArguments, plainMessage } from "./translate.ts";
import { File } from "../../src/facts/files/index.ts";
import { Hostname } from "../../src/facts/server/index.ts";

const RUNNER = join(import.meta.dir, "run.ts");

const operationCase = (given: Partial<OperationCase>): OperationCase => ({
  id: "apk.packages/test",
  kind: "operation",
  module: "apk",
  name: "packages",
  x_bound: { named: {} },
  x_tags: [],
  x_facts: [],
  x_observed: {},
  ...given,
});

test("two ways of quoting a command are the same words, and an expansion is never a literal", () => {
  expect(sameTokens(`echo "a b" c`, `echo 'a b'   c`)).toBe(true);
  expect(sameTokens(`-o Dpkg::Options::="--force-confdef"`, "-o Dpkg::Options::=--force-confdef")).toBe(true);
  expect(sameTokens(`echo "$HOME"`, `echo '$HOME'`)).toBe(false);
  expect(sameTokens("echo $HOME", `echo "$HOME"`)).toBe(false);
  expect(sameTokens("a && b", "a & & b")).toBe(false);
  expect(shellTokens("cd x&&ls>y")).toEqual(["w:cd", "w:x", "o:&&", "w:ls", "o:>", "w:y"]);
});

test("an upload with attributes counts as the upload and what gives the attributes", () => {
  expect(encodeCommand(upload({ content: "text" }, "/etc/x", { user: "ada", group: "staff", mode: "0640" }))).toEqual([
    ["upload", "text", "/etc/x"],
    "chown ada:staff /etc/x",
    "chmod 640 /etc/x",
  ]);
});

test("a command that masks more than the case is no difference, one that masks less is", () => {
  const masked = encodeCommand(sh`login ${new Secret("pw")}`);
  expect(commandsDiffer(["login pw"], masked)).toBeUndefined();
  expect(commandsDiffer([{ raw: "login pw", masked: "login ***" }], ["login pw"])).toBeDefined();
});

test("values compare whatever the spelling of keys, and nothing equals absent", () => {
  expect(valuesDiffer({ newly_installed: 1, atime: null }, { newlyInstalled: 1 })).toBeUndefined();
  expect(valuesDiffer("2020-07-15T09:16:23", new Date("2020-07-15T09:16:23Z"))).toBeUndefined();
  expect(valuesDiffer({ a: 1 }, { a: 1, b: 2 })).toContain("$.b");
});

test("a host of a case answers the case's facts and no others", async () => {
  const host = caseHost(
    operationCase({
      x_facts: [
        { fact: "files.File", key: "path=/x", args: { path: "/x" }, tsArgs: { path: "/x" }, value: { mode: 644 } },
      ],
    }),
  );
  expect(await host.getFact(File, { path: "/x" })).toMatchObject({ type: "file", mode: "0644" });
  expect(host.getFact(File, { path: "/y" })).rejects.toThrow(MissingFactError);
  expect(host.getFact(Hostname)).rejects.toThrow(MissingFactError);
});

test("what an operation does and a case does not expect is a difference that shows both", async () => {
  const operation = {
    name: "apk.packages",
    async *steps() {
      yield sh`apk add curl`;
    },
  };
  expect(await checkOperation(operationCase({ commands: ["apk add curl"] }), operation)).toBeUndefined();
  expect(await checkOperation(operationCase({ commands: ["apk del curl"] }), operation)).toBe(
    "  - apk del curl\n  + apk add curl",
  );
  expect(
    await checkOperation(operationCase({ exception: { name: "OperationError", message: "No" } }), operation),
  ).toContain("throws");
  expect(await checkOperation(operationCase({ commands: [] }), { name: "x", async *steps() {} })).toContain("noop");
});

test("arguments get their natural names, modes become text, and what is data keeps its keys", () => {
  expect(argumentName("baseurl")).toBe("baseUrl");
  const args = callArguments(
    "files.put",
    { named: { mode: 644, baseurl: "u", headers: { x_y: "1" }, none: null, when: "datetime:2020-01-01T00:00:00" } },
    { truthyStrings: false },
  );
  expect(args).toEqual({ mode: "644", baseUrl: "u", headers: { x_y: "1" }, when: "2020-01-01T00:00:00" });
});

test("messages compare without what only grammar and the spelling of names change", () => {
  expect(plainMessage("`keyId` must be provided with `keyServer`")).toBe(
    plainMessage("`keyid` must be provided with `keyserver`"),
  );
  expect(plainMessage("Opkg cannot")).toBe(plainMessage("opkg cannot."));
  expect(plainMessage("Opkg cannot")).not.toBe(plainMessage("opkg can"));
});

test("a case of an operation that does not exist is said to be not built, and fails", async () => {
  const directory = mkdtempSync(join(tmpdir(), "conformance-"));
  try {
    const [file, report] = [join(directory, "cases.jsonl"), join(directory, "report.json")];
    writeFileSync(file, `${JSON.stringify(operationCase({ module: "nowhere", id: "nowhere.packages/test" }))}\n`);
    const ran = Bun.spawnSync([process.execPath, RUNNER, file, "--report", report]);
    expect(ran.exitCode).toBe(1);
    expect(ran.stdout.toString()).toEndWith("0 passed, 1 failed\n");
    expect(JSON.parse(readFileSync(report, "utf8"))).toMatchObject({
      passed: 0,
      failed: 1,
      cases: [{ id: "nowhere.packages/test", status: "not built" }],
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
