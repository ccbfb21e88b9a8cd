/** Inventories that a config names, and that a run refuses. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { check, checksFiles, directory, tsinfra } from "../support/checking.ts";

// From source, the types of all operations may have to be read first.
setDefaultTimeout(120_000);
checksFiles();

const CONFIG = 'export default { inventory: "hosts.ts" };\n';

describe("an inventory that a config names is refused by check as by a run, with the same sentence", () => {
  const cases: Readonly<Record<string, readonly [place: string, text: string]>> = {
    "an empty group": ["", "export const web = [];\n"],
    "empty groups": ["", "export const web: string[] = [];\nexport const db = { hosts: [], data: { port: 1 } };\n"],
    "an empty list": ["", "export default [];\n"],
    "no groups": ["", "export default {};\n"],
    "a group without hosts": ["", "export default { web: {} };\n"],
    "a function of none": ["", "export default () => ({ web: [] });\n"],
    "an async function of none": ["", "export default async function hosts() {\n  return [];\n}\n"],
    "a constant of none": ["", "const web = [] as string[];\nexport { web };\n"],
    "a connector that there is not": ["hosts.ts:1:21 ", 'export const web = ["@nope/x"];\n'],
    "a connector with a port": ["hosts.ts:1:21 ", 'export const web = ["@local:22"];\n'],
    "a connector in a chain": ["hosts.ts:1:21 ", 'export const web = ["@ssh/a/@nope/x"];\n'],
  };
  for (const [name, [place, text]] of Object.entries(cases))
    test(name, async () => {
      const cwd = await directory({ "infra.config.ts": CONFIG, "hosts.ts": text, "deploy.ts": "console.log(1);\n" });
      const { err } = await tsinfra(cwd, "deploy.ts", "-y");
      const [, message = ""] = /^Error: (.*)$/m.exec(err)!;
      const [found, ...others] = await check(cwd);
      expect(found).toStartWith(`${place === "" ? "hosts.ts:1:1 " : place}${message}`);
      expect(others).toEqual([]);
    });

  test("a document without hosts", async () => {
    for (const [name, text] of Object.entries({
      "hosts.yaml": "web: []\n",
      "hosts.json": '{ "web": { "hosts": [] } }',
    })) {
      const cwd = await directory({ "infra.config.json": JSON.stringify({ inventory: name }), [name]: text });
      expect(await check(cwd)).toEqual([`${name}:1:1 Inventory ${cwd}/${name} has no hosts`]);
    }
  });
});

test("a port is one, in an inventory as in a run", async () => {
  for (const [port, wanted] of [
    ["99999", "99999, but must be a port from 1 to 65535"],
    ["0", "0, but must be a port from 1 to 65535"],
    ["22.5", "22.5, but must be a port from 1 to 65535"],
    ['"70000"', '"70000", but must be a port from 1 to 65535'],
    ['"ssh"', '"ssh", but must be a number'],
    ["65535", undefined],
    ['"22"', undefined],
  ] as const) {
    const cwd = await directory({ "hosts.ts": `export const web = [["127.0.0.1", { sshPort: ${port} }]];\n` });
    expect(await check(cwd, "hosts.ts")).toEqual(
      wanted === undefined
        ? []
        : [
            expect.stringMatching(
              new RegExp(`^hosts.ts:1:\\d+ The host data sshPort of host "127.0.0.1" is ${wanted}$`),
            ),
          ],
    );
    if (port !== "99999") continue;
    const { err } = await tsinfra(cwd, "hosts.ts", "-y", "exec", "--", "true");
    expect(err).toContain(`The host data sshPort of 127.0.0.1 is ${wanted}`);
  }
});

test("what may have hosts, or connectors of its own, is left alone", async () => {
  const inventories = [
    'export const web: string[] = [];\nexport const db = ["@local"];\n',
    'export const web: string[] = [];\nweb.push("@local");\n',
    'export const web: string[] = [];\nfor (const name of ["a"]) web[0] = name;\n',
    'export const web: string[] = [];\nexport const more = [...web, ...(process.env["A"] ?? "").split(",")];\n',
    'export const web: string[] = [];\nexport * from "./others.ts";\n',
    'export default (): string[] => {\n  if (process.env["A"]) return ["a"];\n  return [];\n};\n',
    'import { names } from "./others.ts";\nexport const web: string[] = [];\nexport const db = names;\n',
    'import { names } from "./others.ts";\nexport default { web: [], ...names };\n',
    "export default { web: [] as string[], get db() { return ['a']; } };\n",
    "export default { web: [] as string[], ['d' + 'b']: ['a'] };\n",
  ];
  for (const text of inventories) {
    const cwd = await directory({
      "infra.config.ts": CONFIG,
      "hosts.ts": text,
      "others.ts": 'export const names: string[] = ["a"];\n',
    });
    expect({ text, found: await check(cwd) }).toEqual({ text, found: [] });
  }
  const own = 'export const nope = { name: "nope", can: {}, dataKeys: {}, connect: async () => ({}) };\n';
  for (const config of [
    'import { nope } from "./own.js";\nexport default { inventory: "hosts.ts", connectors: [nope] };\n',
    'import * as own from "./own.js";\nexport default { inventory: "hosts.ts", $production: own };\n',
    'export default { inventory: "hosts.ts", extends: "./base" };\n',
  ]) {
    const cwd = await directory({
      "infra.config.js": config,
      "own.js": own,
      "base.js": "export default {};\n",
      "hosts.ts": 'export const web = ["@nope/x"];\n',
    });
    expect({ config, found: await check(cwd) }).toEqual({ config, found: [] });
  }
  // Nobody says which config it belongs to.
  const cwd = await directory({
    "hosts.ts": 'export const web = ["@nope/x"];\nexport const db = [];\n',
    "none.ts": "export const a = [];\n",
  });
  expect(await check(cwd, "hosts.ts", "none.ts")).toEqual([]);
});

test("promises where hosts are meant, of which only types tell", async () => {
  const cwd = await directory({
    "lib.ts": 'export const names = async () => ["web1"];\nexport const name = async () => "web1";\n',
    "hosts.ts": `import { name, names } from "./lib.ts";
export const a = ["x"].map(async n => n);
export const b = [...new Set([name()])];
export const c = names();
export const d = { hosts: names() };
export const e = { hosts: ["y", name()] };
export const f = [["x", names()]];
export const g = [[name(), {}]];
export const h = ["x", ...["y"].map(() => name())];
export const i = [...new Map([["a", name()]]).values()];
export const _j = names();
export const k = [...new Set(["y"]), ...(await names()), ...new Map([["a", "b"]]).values()];
export const l = await Promise.all([name()]);
export const m = (await names()).map(n => [n, { a: 1, later: name, soon: name() }] as const);
export const n = [["x", { a: name }], [await name(), { ...(await names()) }]];
export default async () => [name(), await name()];
`,
  });
  const found = (await check(cwd, "hosts.ts")).map(line => line.replace(/ \(.*/, ""));
  const one = "A promise stands here in place of its value";
  const all = "Promises stand here in place of their values";
  expect(found).toEqual([
    `hosts.ts:2:18 ${all}`,
    `hosts.ts:3:22 ${all}`,
    `hosts.ts:4:18 ${one}`,
    `hosts.ts:5:27 ${one}`,
    `hosts.ts:6:33 ${one}`,
    `hosts.ts:7:25 ${one}`,
    `hosts.ts:8:20 ${one}`,
    `hosts.ts:9:27 ${all}`,
    `hosts.ts:10:22 ${all}`,
    `hosts.ts:16:29 ${one}`,
  ]);
});
