/** Keys of host data in texts: those that every host has are there, whoever gives them. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { check, checksFiles, directory } from "../support/checking.ts";

setDefaultTimeout(60_000);
checksFiles();

const CONFIG = 'export default { inventory: "hosts.ts" };\n';
const DATA = ["own", "ofGroup", "ofAll", "other", "typo"];
const DEPLOY = `import { host, inventory } from "tsinfra";
import { server } from "tsinfra/operations";
${DATA.map(key => `server.shell({ commands: [\`\${host.data.${key}}\`] });`).join("\n")}
const { ${DATA.join(", ")} } = host.data;
${DATA.map(key => `server.shell({ commands: [\`\${${key}}\`] });`).join("\n")}
const one = host.data.own;
server.shell({ commands: ["echo " + one + inventory.hosts[0]!.data.own] });
`;

/** The keys that may be missing, where they are read; behind them, where they were taken out of the data. */
async function missing(files: Readonly<Record<string, string>>, ...named: string[]): Promise<readonly string[]> {
  const cwd = await directory({ "infra.config.ts": CONFIG, "deploy.ts": DEPLOY, ...files });
  return (await check(cwd, ...named)).map(
    line => /^deploy\.ts:\S+ This text may say "undefined".*?["`](\w+)["`] ?/.exec(line)?.[1] ?? line,
  );
}
const both = (...keys: string[]): readonly string[] => [...keys, ...keys];

const ALL = 'export const ofAll = "x";\n';

test.each([
  [
    "lists",
    'export const web = [["a", { own: 1 }], ["b", { own: 2 }]];\nexport const all = { hosts: [], data: { ofGroup: 1 } };\n',
    ["other", "typo"],
  ],
  [
    "groups",
    'export const web = { hosts: [["a", { own: 1 }]], data: { ofGroup: 1 } };\nexport const db = { hosts: [["b", { own: 1 }]], data: { ofGroup: 2 } };\n',
    ["other", "typo"],
  ],
  [
    "a host in two groups",
    'export const web = { hosts: [["a", { own: 1 }]], data: {} };\nexport const db = { hosts: ["a"], data: { ofGroup: 2 } };\n',
    ["other", "typo"],
  ],
  ["an object", 'export default { web: { hosts: [["a", { own: 1 }]], data: { ofGroup: 2 } } };\n', ["other", "typo"]],
  ["a function", 'export default () => [["a", { own: 1, ofGroup: 2 }]];\n', ["other", "typo"]],
  [
    "constants",
    'const data = { own: 1 };\nconst more = { ...data, ofGroup: 2 };\nexport const web = [["a", more], ["b", { ...more }]];\n',
    ["other", "typo"],
  ],
  [
    "computed hosts",
    'export const web = ["a", "b"].map(name => [name, { own: 1, ofGroup: name }] as const);\n',
    ["other", "typo"],
  ],
  [
    "data from elsewhere",
    'import { common, web } from "./common.ts";\nexport const db = { hosts: ["a", ...web], data: common };\n',
    ["other", "typo"],
  ],
  [
    "nothing, and the environment",
    'export const web = [["a", { own: 1, ofGroup: 1, other: process.env.OTHER, typo: undefined }]];\n',
    ["other", "typo"],
  ],
])("every host has them: %s", async (_, hosts, wanted) => {
  const common = 'export const common = { own: 1, ofGroup: 2 };\nexport const web = [["c", { own: 1 }]];\n';
  expect(await missing({ "hosts.ts": hosts, "common.ts": common, "group_data/all.ts": ALL })).toEqual(both(...wanted));
});

test.each([
  ["one host only", 'export const web = [["a", { own: 1 }], "b"];\n'],
  ["one group only", 'export const web = [["a", { own: 1 }]];\nexport const db = ["b"];\n'],
  ["one group's data only", 'export const web = { hosts: ["a"], data: { own: 1 } };\nexport const db = ["b"];\n'],
])("some hosts have it: %s", async (_, hosts) => {
  expect(
    await missing({ "hosts.ts": `${hosts}export const _x = { ofGroup: 1 };\n`, "group_data/all.ts": ALL }),
  ).toEqual([...both("own", "ofGroup", "other", "typo"), "one", "own"]);
});

test("files of group data, for all, for the inventory and for groups that every host is in", async () => {
  const files = {
    "hosts.ts": 'export const web = ["a", "b"];\nexport const db = ["b"];\n',
    "group_data/all.yaml": "ofAll: 1\nother: null\n",
    "group_data/hosts.ts": "export const ofGroup = 1;\n",
    "group_data/web.json": '{ "own": 1 }',
    "group_data/db.ts": "export default { typo: 1, other: 1 };\n",
  };
  expect(await missing(files)).toEqual(both("other", "typo"));
});

test("documents, and the config; an environment's data may not be there", async () => {
  const files = {
    "infra.config.ts":
      'export default { inventory: "hosts.yaml", data: { ofAll: 1 }, $env: { production: { data: { other: 1 } } } };\n',
    "hosts.yaml": "web:\n  hosts: [[a, { own: 1 }]]\n  data: { ofGroup: 1 }\n",
  };
  expect(await missing(files)).toEqual(both("other", "typo"));
});

test("two inventories must both have it; without one only what all have is known", async () => {
  const hosts = 'export const web = [["a", { own: 1, ofGroup: 1 }]];\n';
  const staging = 'import type {} from "tsinfra";\nexport const web = [["@ssh/a", { own: 1 }]];\n';
  const files = { "hosts.ts": hosts, "staging.ts": staging, "group_data/all.ts": ALL };
  expect(await missing(files)).toEqual(both("ofGroup", "other", "typo"));
  expect(await missing(files, "deploy.ts", "hosts.ts")).toEqual(both("other", "typo"));
  expect(await missing(files, "deploy.ts", "group_data/all.ts")).toEqual([
    ...both("own", "ofGroup", "other", "typo"),
    "one",
    "own",
  ]);
});

test("a key that is declared to be optional, and that every host has", async () => {
  const declared = 'declare module "tsinfra" { interface HostData { own?: string; ofGroup?: number } }\n';
  const hosts = `import type {} from "tsinfra";\n${declared}export const web = [["a", { own: "x" }]];\n`;
  const files = { "hosts.ts": hosts, "group_data/all.ts": ALL };
  expect(await missing(files)).toEqual(both("ofGroup", "other", "typo"));
});

test("what is called data and is no host's may be missing all the same", async () => {
  const files = {
    "hosts.ts": 'export const web = [["a", { own: "x" }]];\n',
    "deploy.ts": `import { server } from "tsinfra/operations";
const answer: { data: { own?: string } } = JSON.parse("{}");
server.shell({ commands: [\`echo \${answer.data.own}\`] });
`,
  };
  expect(await missing(files)).toEqual(["own"]);
});

test.each([
  ["lists", 'export const web = ["@local"];\n'],
  ["imported lists", 'import { hosts } from "./more.ts";\nexport const web = hosts;\n'],
  ["lists handed on", 'export { hosts as web } from "./more.ts";\n'],
])("an inventory that is named, with the group data beside it: %s", async (_, hosts) => {
  const files = {
    "sub/inv.ts": hosts,
    "sub/more.ts": 'export const hosts = [["@local", { own: 1 }]];\n',
    "sub/group_data/all.yaml": "ofAll: 1\nownToo: 1\n",
    "sub/group_data/inv.ts": "export const ofGroup = 1;\n",
    "group_data/all.json": '{ "other": 1 }',
    "elsewhere/group_data/all.ts": "export const typo = 1;\n",
  };
  const own = hosts.startsWith("export const") ? ["own"] : [];
  const taken = await missing(files, "sub/inv.ts", "deploy.ts");
  expect(taken).toEqual([...both(...own, "typo"), ...own.flatMap(() => ["one", "own"])]);
});

test("keys that an include or a deploy is handed are there; others are not", async () => {
  const text = (...keys: string[]) =>
    keys.map(key => `server.shell({ commands: [\`\${host.data.${key}}\`] });`).join("\n");
  const head = 'import { deploy, host, local } from "tsinfra";\nimport { server } from "tsinfra/operations";\n';
  const found = await missing({
    "hosts.ts": 'export const web = ["a"];\n',
    "inc.ts": `${head}${text("step", "ste")}\n`,
    "deploy.ts": `${head}await local.include("./inc.ts", { data: { step: "1" } });\nconst web = deploy("web", () => {\n${text("port", "prot")}\n}, { data: { port: 80 } });\nweb();\n`,
  });
  expect(found.map(line => /no host data "(\w+)"/.exec(line)?.[1] ?? line)).toEqual(["prot", "ste"]);
});
