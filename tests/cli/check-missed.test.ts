/** What a run refuses, or does otherwise than is meant, and that the types allow. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { check, checksFiles, directory, tsinfra } from "../support/checking.ts";
import { type Snippet, wrongly } from "../support/snippets.ts";

setDefaultTimeout(120_000);
checksFiles();

const SHELL = 'import { server } from "tsinfra/operations";\nserver.shell({ commands: ["true"] });\n';

describe("a default import from a module of ours, as by a run", () => {
  test.each([
    ['import tsinfra from "tsinfra";\nconsole.log(tsinfra);', "1:8"],
    ['import tsinfra, { host } from "tsinfra";\nconsole.log(tsinfra, () => host.name);', "1:8"],
    ['import apt from "tsinfra/operations/apt";\nconsole.log(apt);', "1:8"],
    ['import { default as facts } from "tsinfra/facts";\nconsole.log(facts);', "1:10"],
  ])("%s", async (code, place) => {
    const cwd = await directory({ "deploy.ts": `import "./lib.ts";\n${SHELL}`, "lib.ts": `${code}\n` });
    const [found = "", ...others] = await check(cwd, "deploy.ts");
    const { err } = await tsinfra(cwd, "@local", "deploy.ts");
    const message = /The module '\S+' has no default export/.exec(err)?.[0] ?? "";
    const hint = /^Hint: (.*)$/m.exec(err)?.[1] ?? "";
    expect([found, others]).toEqual([`lib.ts:${place} ${message} (${hint})`, []]);
  });

  test("but not of types, of what has one, and of modules that there are not", async () => {
    const cwd = await directory({
      "deploy.ts": `import rule from "tsinfra/operations/ufw";\nimport lib from "./lib.ts";\nimport * as tsinfra from "tsinfra";\nimport fs from "node:fs";\n${SHELL}console.log(lib, fs, tsinfra.host, rule);\n`,
      "lib.ts": "export default 1;\n",
      "other.ts": 'import x from "tsinfra/nope";\nconsole.log(x);\n',
      "again.ts": 'export { default } from "tsinfra/operations";\n',
    });
    expect(await check(cwd, "again.ts")).toContainEqual(
      expect.stringContaining("again.ts:1:10 The module 'tsinfra/operations' has no default export"),
    );
    expect(await check(cwd, "deploy.ts")).toEqual([]);
    const found = await check(cwd, "other.ts");
    expect(found.filter(line => line.includes("has no default export"))).toEqual([]);
  });
});

const MESSAGES = { early: /^`(?:stdout|stderrLines|isCut)` is not known before the operation has run$/ } as const;
const WRONG: readonly Snippet<keyof typeof MESSAGES>[] = [
  ["const { «stdout } = server.shell({ commands: ['a'] });\nconsole.log(stdout);", "early"],
  [
    "const { didChange, «stdout: out = '' } = await server.shell({ commands: ['a'] });\nconsole.log(out, didChange);",
    "early",
  ],
  ["const op = server.shell({ commands: ['a'] });\nconst { «stderrLines } = op;\nconsole.log(stderrLines);", "early"],
  ["let stdout: string;\n({ «stdout } = server.shell({ commands: ['a'] }));\nconsole.log(stdout);", "early"],
  [
    "ts.call({ function: async () => { const { «isCut } = server.shell({ commands: ['a'] }); console.log(isCut); } });",
    "early",
  ],
];
const RIGHT: readonly Snippet<never>[] = [
  ["const { didChange } = server.shell({ commands: ['a'] });\nserver.shell({ commands: ['b'], _if: didChange });"],
  [
    "ts.call({ function: async () => { const { stdout } = await server.shell({ commands: ['a'] }); console.log(stdout); } });",
  ],
  [
    "ts.call({ function: async () => { const op = server.shell({ commands: ['a'] }); await op; const { stdout } = op; console.log(stdout); } });",
  ],
  ["const { stdout, stderr } = { stdout: 'a', stderr: 'b' };\nconsole.log(stdout, stderr);"],
  ["const { stdout } = Bun.spawnSync(['true']);\nconsole.log(stdout.length);"],
  [
    "async function run() { const { stdout } = await server.shell({ commands: ['a'] }); console.log(stdout); }\nts.call({ function: run });",
  ],
];
test("what is taken out of an operation that has not run", async () => {
  expect(await wrongly([...WRONG, ...RIGHT], MESSAGES)).toEqual([]);
});

describe("a config that a run refuses, with the same sentence", () => {
  test.each([
    ["export default [];"],
    ['export default "x";'],
    ['export const inventory = "@local";\nexport const sudoo = 1;'],
    ['export const inventory = "@local";\nexport function helper() {}'],
    ["export const retry = -1;"],
    ['export default () => ({ inventory: "@local", nope: process.env.X });'],
    ['import { host } from "tsinfra";\nexport default { inventory: "@local", data: { x: host.name } };'],
  ])("%s", async config => {
    const cwd = await directory({ "infra.config.ts": `${config}\n`, "deploy.ts": SHELL });
    const { err } = await tsinfra(cwd, "deploy.ts", "-y");
    const message = /^Error: (.*)$/m.exec(err)?.[1] ?? "none";
    for (const files of [[], ["infra.config.ts"]]) {
      const found = await check(cwd, ...files);
      expect(found.map(line => line.replace(/ \(.*/, ""))).toEqual([
        expect.stringMatching(/^infra\.config\.ts:\d+:\d+ /),
      ]);
      expect(found[0]).toContain(` ${message}`);
    }
  });

  test("but not named exports that are settings, what is computed, and nothing", async () => {
    for (const config of [
      'export const inventory = "@local";\nexport const data = { a: 1 };\nexport const $env = { staging: { data: {} } };',
      'export default Promise.resolve({ inventory: "@local" });',
      'export default async () => ({ inventory: "@local" });',
      "export default Object({});",
      "export {};",
    ]) {
      const cwd = await directory({ "infra.config.ts": `${config}\n`, "deploy.ts": SHELL });
      expect({ config, found: await check(cwd) }).toEqual({ config, found: [] });
    }
  });

  test("its named exports name the inventory", async () => {
    const cwd = await directory({
      "infra.config.ts": 'export const inventory = "hosts.ts";\n',
      "hosts.ts": 'export const web = ["@nope/a"];\n',
    });
    expect(await check(cwd)).toEqual([expect.stringContaining("hosts.ts:1:21 ")]);
  });
});

describe("an inventory that a run refuses, with the same sentence", () => {
  test.each([
    ["inv.ts", "export default [];"],
    ["inv.ts", "export const web = [];"],
    ["hosts.ts", "export const web = [];"],
    ["hosts.ts", "export const web = { hosts: [], data: { port: 1 } };"],
    ["a.ts", "export default [];"],
    ["a.ts", "export const web = { hosts: [] };"],
  ])("%s: %s", async (name, text) => {
    const cwd = await directory({ [name]: `import type {} from "tsinfra";\n${text}\n` });
    const { err } = await tsinfra(cwd, name, "exec", "--", "true");
    expect(await check(cwd, name)).toEqual([`${name}:1:1 ${/^Error: (.*)$/m.exec(err)?.[1]}`]);
  });

  test("but not one that is filled, or what another imports", async () => {
    const cwd = await directory({
      "hosts.ts": 'import { more } from "./inv.ts";\nexport const web = more;\nweb.push("a");\n',
      "inv.ts": "export const more: string[] = [];\n",
      "roles.ts": `import type { Host } from "tsinfra";\nexport const seen: Host[] = [];\nexport const note = (host: Host): void => void seen.push(host);\n`,
      "deploy.ts": `import { host } from "tsinfra";\nimport { note } from "./roles.ts";\nnote(host);\n`,
    });
    expect(await check(cwd, "hosts.ts", "inv.ts")).toEqual([]);
    expect(await check(cwd)).toEqual([]);
  });
});

test("the current host where there is none: inventories, group data", async () => {
  const use =
    'import { host } from "tsinfra";\nexport const port = host.data.get("port", 80);\nexport const late = () => host.name;\n';
  const cwd = await directory({
    "infra.config.ts": 'export default { inventory: "hosts.ts" };\n',
    "hosts.ts": `${use}export const web = ["a"];\n`.replaceAll("export const port", "export const _port"),
    "group_data/web.ts": use.replace(/export const late.*\n/, ""),
    "deploy.ts": SHELL,
  });
  const message =
    '"host" is used where there is no current host (The config, inventories and group data are read before there are hosts: ask for it in the deploy file)';
  expect(await check(cwd)).toEqual([`group_data/web.ts:2:21 ${message}`, `hosts.ts:2:22 ${message}`]);
  // Group data beside an inventory is read with it.
  expect(await check(cwd, "hosts.ts")).toEqual([`group_data/web.ts:2:21 ${message}`, `hosts.ts:2:22 ${message}`]);
  await Bun.write(`${cwd}/prod.ts`, `${use}export const web = ["@local"];\n`);
  expect(await check(cwd, "prod.ts")).toContain(`prod.ts:2:21 ${message}`);
});
