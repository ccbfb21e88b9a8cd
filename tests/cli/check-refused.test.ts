import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { InventoryError } from "../../src/core/errors.ts";
import { readInventoryFile } from "../../src/inventory/file.ts";
import { check, checksFiles, directory, tsinfra } from "../support/checking.ts";

// From source, the types of all operations may have to be read first.
setDefaultTimeout(120_000);
checksFiles();

describe("a file that cannot be run as a deploy is refused by check as by a run, with the same sentence", () => {
  const SHELL = 'import { server } from "tsinfra/operations";\n';
  const cases: Readonly<Record<string, string>> = {
    "a class": "export default class Foo {}\n",
    "a generator": "\nexport default function* () {\n  yield 1;\n}\n",
    "a promise": "async function main() {}\nexport default main();\n",
    "a number": "export default 5;\n",
    "a text": "const text = 'x';\nexport { text as default };\n",
    "a list": "export default [];\n",
    "an object": "export default { a: 1 };\n",
    "named functions": "export async function main() {}\nexport const port = 80;\n",
    "all of another": 'export * from "./helper";\n',
    "an operation by default": `${SHELL}export default server.shell({ commands: ["true"] });\n`,
    "an awaited operation by default": `${SHELL}export default await server.shell({ commands: ["true"] });\n`,
    "an operation beside a function": `${SHELL}server.shell({ commands: ["true"] });\nexport default () => {};\n`,
    "an operation of a module": 'import "./calls";\n',
    "an operation of a module, by its own name": 'import "./named";\n',
    "an operation of a module, by another name": 'import "./renamed";\n',
    "an operation in CommonJS": `${SHELL}server.shell({ commands: ["true"] });\nmodule.exports = { a: 1 };\n`,
    "an operation in TypeScript's CommonJS": `${SHELL}server.shell({ commands: ["true"] });\nexport = { a: 1 };\n`,
    "an operation beside a function in CommonJS": `${SHELL}server.shell({ commands: ["true"] });\nmodule.exports = () => {};\n`,
    "an object in CommonJS": "// Nothing.\nmodule.exports = { a: 1 };\n",
    "the host beside a function":
      'import { host } from "tsinfra";\nconst { name } = host;\nexport default () => name;\n',
    "a host of a module": 'import "./host";\n',
    "an operation of another module's": 'import { server } from "tsinfra";\nconsole.assert(!!server);\n',
  };
  const modules = {
    "helper.ts": "export default () => {};\n",
    "calls.ts": `${SHELL}if (process.argv.length < 0) server.shell({ commands: [] });\nserver.shell({ commands: ["true"] });\n`,
    "named.ts":
      'import { shell } from "tsinfra/operations/server";\nexport const handle = shell({ commands: ["true"] });\n',
    "renamed.ts": 'import * as it from "tsinfra/operations/server";\nit.shell({ commands: ["true"] });\n',
    "host.ts": 'import { host } from "tsinfra";\nexport const name = host.name;\n',
  };
  for (const [name, text] of Object.entries(cases))
    test(name, async () => {
      const cwd = await directory({ ...modules, "deploy.ts": text, "other.ts": text });
      const { err } = await tsinfra(cwd, "@local", "deploy.ts", "-y");
      const [, message = "", at = ""] =
        /^Error: (?:Cannot load \S+: SyntaxError: |Cannot load \S+: )?(.*?)\n {2}at (.*)$/m.exec(err)!;
      const [, hint = ""] = /^Hint: (.*)$/m.exec(err)!;
      const found = await check(cwd, "deploy.ts");
      expect(found).toHaveLength(1);
      // The compiler has its own words for what is not exported.
      if (!message.startsWith("Export named")) expect(found[0]).toContain(`${at} ${message} (`);
      expect(found[0]).toStartWith(`${at} `);
      expect(found[0]).toEndWith(`(${hint})`);
      if (/operation.*CommonJS/.test(name)) expect(hint).toStartWith("`module.exports` makes it a CommonJS module");
      // An empty list is an inventory.
      if (!/ of a | of another|a list/.test(name)) expect(await check(cwd, "other.ts")).not.toEqual([]);
    });

  test("but not what another imports, what is an inventory, or what has a function", async () => {
    const cwd = await directory({
      ...modules,
      "main.ts": `${SHELL}import { port } from "./lib";\nexport default async function main() {\n  server.shell({ commands: [String(port)] });\n}\n`,
      "lib.ts": `${SHELL}export const port = 80;\nexport const go = () => server.shell({ commands: ["true"] });\n`,
      "values.ts": 'import { local } from "tsinfra";\nawait local.include("./inner.ts");\n',
      "inner.ts": `${SHELL}server.shell({ commands: ["true"] });\n`,
      "prod.ts": 'export default { web: ["web-1"], db: { hosts: ["db-1"] } };\n',
      "staging.ts": 'import { more } from "./more";\nexport const web = more;\n',
      "more.ts": 'export const more = ["a"];\n',
      "common.ts": `${SHELL}module.exports = () => server.shell({ commands: ["true"] });\n`,
      "names.ts": `${SHELL}server.shell({ commands: ["true"] });\nexports.port = 80;\n`,
      "wrapped.ts": "const main = async () => {};\nexport { main as default };\n",
      "imported.ts": 'export { default } from "./main";\n',
    });
    for (const files of [
      ["main.ts", "lib.ts"],
      ["values.ts"],
      ["prod.ts"],
      ["staging.ts"],
      ["common.ts"],
      ["names.ts"],
      ["wrapped.ts"],
      ["imported.ts"],
    ])
      expect({ files, found: await check(cwd, ...files) }).toEqual({ files, found: [] });
  });
});

test("a name that another of our modules exports is told with that module, types too", async () => {
  const cwd = await directory({
    "deploy.ts":
      'import { apt, type Steps } from "tsinfra";\nimport { host, type Host } from "tsinfra/operations";\nimport { DebPackages, type Sysctl } from "tsinfra/facts/apt";\nimport { nothing } from "tsinfra/facts";\nexport type Mine = [typeof apt, Steps, typeof host, Host, typeof DebPackages, Sysctl, typeof nothing];\nexport default () => {};\n',
  });
  const hints = (await check(cwd, "deploy.ts")).map(
    found =>
      /'([\w$]+)'\.? (?:Did|\(TS).*?(?: \((Write .*)\))?$/
        .exec(found)
        ?.slice(1)
        .map(part => part ?? "") ?? [],
  );
  expect(hints).toEqual([
    ["apt", 'Write import { apt } from "tsinfra/operations"; it is also in "tsinfra/facts"'],
    ["host", 'Write import { host } from "tsinfra"'],
    ["Host", 'Write import { Host } from "tsinfra"'],
    ["DebPackages", 'Write import { DebPackages } from "tsinfra/facts/deb"'],
    ["Sysctl", 'Write import { Sysctl } from "tsinfra/facts/server"'],
    ["nothing", ""],
  ]);
});

describe("an inventory that a run refuses is refused by check", () => {
  test("with the same sentence", async () => {
    const cases: Readonly<Record<string, string>> = {
      "a class": "export class Web {}\n",
      "a class by default": "export default class {}\n",
      "a generator by default": 'export default function* () {\n  yield "a";\n}\n',
      "a number by default": "export default 5;\n",
      "a promise by default": 'const load = async () => ["a"];\nexport default load();\n',
      "a promise of a group": 'export const web = Promise.resolve(["a"]);\n',
      "a promise of what is made of another":
        'async function load() {\n  return "a";\n}\nexport const web = load().then(name => [name]);\n',
      "promises of hosts": 'const load = async () => "a";\nexport const web = [load()];\n',
      "a promise of hosts": 'export const web = { hosts: (async () => ["a"])() };\n',
      "promises that a function gives": "export default async () => ({ web: import('./b') });\n",
      "nothing between two commas": 'export const web = ["a",, "b"];\n',
      "nothing between two commas by default": 'export default { web: { hosts: ["a",, "b"] } };\n',
      "a set": 'export const web = new Set(["a"]);\n',
      "a host without brackets": 'export const web = "@local";\n',
      "hosts without brackets": 'export const web = "a.example,b.example";\n',
    };
    for (const [name, text] of Object.entries(cases)) {
      const cwd = await directory({ "inventory.ts": text, "b.ts": "export {};\n" });
      const [refused] = await Promise.allSettled([readInventoryFile({ file: join(cwd, "inventory.ts") }, undefined)]);
      expect({ name, status: refused.status }).toEqual({ name, status: "rejected" });
      const { message, hint } = (refused as PromiseRejectedResult).reason as InventoryError;
      expect({ name, found: (await check(cwd, "inventory.ts")).join("\n") }).toEqual({
        name,
        found: expect.stringContaining(`${message}${hint === undefined ? "" : ` (${hint})`}`),
      });
    }
    const named = {
      "by default": 'export default { web: ["@local"], db: "x" };\n',
      "of plain names": 'export default { web: ["a", "b"], db: 5 };\n',
      "a list": 'export default ["@local", 5];\n',
      "with data": 'export default { web: { hosts: ["a"] }, db: { host: ["b"] } };\n',
      CommonJS: 'module.exports = { web: ["@local"], db: "x" };\n',
    };
    for (const [name, text] of Object.entries(named)) {
      const cwd = await directory({ "mine.js": text });
      const [refused] = await Promise.allSettled([readInventoryFile({ file: join(cwd, "mine.js") }, undefined)]);
      const { message, hint } = (refused as PromiseRejectedResult).reason as InventoryError;
      expect({ name, found: await check(cwd, "mine.js") }).toEqual({
        name,
        found: [
          expect.stringMatching(
            new RegExp(`^mine.js:1:\\d+ ${RegExp.escape(`${message} (${hint})`.replace(" (undefined)", ""))}$`),
          ),
        ],
      });
    }
    const cwd = await directory({ "mine.ts": 'export const web = "@local";\nexport const db = ["@local"];\n' });
    expect(await check(cwd, "mine.ts")).toEqual([
      'mine.ts:1:14 Group "web" must be a list of hosts or { hosts, data }, found "@local" (Put brackets around hosts: ["@local"])',
    ]);
  });
});
