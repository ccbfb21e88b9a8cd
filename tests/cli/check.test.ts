import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { Glob } from "bun";
import { plannedFiles, planOfDirectory, planOfFiles } from "../../src/cli/check/index.ts";
import * as operations from "../../src/operations/index.ts";
import { check, checksFiles, directory, found, ROOT, tsinfra } from "../support/checking.ts";

// From source, the types of all operations may have to be read first.
setDefaultTimeout(120_000);
checksFiles();

describe("without files, check looks at", () => {
  const planned = async (files: Readonly<Record<string, string>>): Promise<readonly string[]> => {
    const cwd = await directory(files);
    return plannedFiles(await planOfDirectory(cwd, undefined)).map(file => relative(cwd, file));
  };

  test("the config, what it names, group data, and the programs that use tsinfra", async () => {
    const files = await planned({
      "infra.config.ts": `import { defineConfig } from "tsinfra";
export default defineConfig({ inventory: "hosts/all.ts", groupData: ["more"], $env: { stage: { inventory: "stage.yaml" } } });\n`,
      "hosts/all.ts": "export const web = [];\n",
      "hosts/group_data/web.toml": "port = 80\n",
      "stage.yaml": "web: [web-1]\n",
      "group_data/all.ts": "export const port = 80;\n",
      "group_data/_notes.ts": "",
      "more/db.json": "{}",
      "deploy.ts": "export {};\n",
      "deploy-db.ts": "export {};\n",
      "site.ts": 'import { files } from "tsinfra/operations";\n',
      "tool.mjs": "#!/usr/bin/env -S tsinfra @local\n",
      "other.ts": "export const one = 1;\n",
      "types.d.ts": 'import type { Host } from "tsinfra";\n',
      "deployed.txt": "",
      "sub/deploy.ts": "export {};\n",
    });
    expect(files).toEqual([
      "infra.config.ts",
      "hosts/all.ts",
      "stage.yaml",
      "group_data/all.ts",
      "hosts/group_data/web.toml",
      "more/db.json",
      "deploy-db.ts",
      "deploy.ts",
      "site.ts",
      "tool.mjs",
    ]);
  });

  test("an inventory's function, and says what it cannot know", async () => {
    const cwd = await directory({
      "infra.config.ts": `const inventory = process.env["HOSTS"] ?? "a";\nexport default { inventory, $production: { inventory: "hosts.ts:stage" } };\n`,
      "hosts.ts": `export const stage = () => ({ web: [["a", { sshPort: "x" }]] });\nexport const other = [["b", { sshPort: "y" }]];\n`,
    });
    const plan = await planOfDirectory(cwd, undefined);
    expect(plan.inventories).toEqual([{ file: join(cwd, "hosts.ts"), function: "stage" }]);
    expect(plan.notes).toEqual(["The inventory of infra.config.ts:2, which is computed"]);
    expect((await found(plan, cwd)).map(({ message }) => message)).toEqual([
      'The host data sshPort of host "a" is "x", but must be a number',
    ]);
  });

  test("nothing where there is nothing", async () => {
    expect(await planned({ "notes.ts": "" })).toEqual([]);
  });
});

test("programs that are imported or included are checked with those that do", async () => {
  const cwd = await directory({
    "deploy.ts": `import { local } from "tsinfra";
import "./roles/web";
await local.include("./tasks/first.ts");
await local.include("tasks/second.ts");
`,
    "roles/web.ts": `import { host } from "tsinfra";
import { Hostname } from "tsinfra/facts/server";
export const web = () => {
  host.getFact(Hostname);
};
`,
    "tasks/first.ts": 'import { local } from "tsinfra";\nlocal.shell("true");\n',
    "tasks/second.ts": "const wrong: number = 'a';\nexport { wrong };\n",
  });
  const wanted = [
    "roles/web.ts:4:3 Nobody waits for this promise (Put `await` before `host.getFact(Hostname)`, and `async` before the function around it)",
    'tasks/first.ts:2:1 Nobody waits for this promise (Put `await` before `local.shell("true")`)',
    "tasks/second.ts:1:7 Type 'string' is not assignable to type 'number'. (TS2322)",
  ];
  expect(await check(cwd)).toEqual(wanted);
  expect(await check(cwd, "deploy.ts")).toEqual(wanted);
});

test("a promise as an argument is a wrong type, with what to do", async () => {
  const cwd = await directory({
    "deploy.ts": `import { host } from "tsinfra";
import { files } from "tsinfra/operations";
import { Hostname } from "tsinfra/facts/server";
files.line({ path: "/f", line: host.getFact(Hostname) });
`,
  });
  expect(await check(cwd)).toEqual([
    "deploy.ts:4:26 Type 'Promise<string>' is not assignable to type 'string'. (TS2322) (Put `await` before it)",
  ]);
});

test("what is to be done about a promise depends on what is wanted in its place", async () => {
  const cases: readonly (readonly [code: string, hint: string])[] = [
    ['server.shell({ commands: ["a"], _if: async () => false });', CONDITION],
    ['server.shell({ commands: ["a"], _if: [async () => false] });', CONDITION],
    ['server.shell({ commands: ["a"], _if: answer });', CONDITION],
    ['server.shell({ commands: ["a"], _if: () => host.getFact(Hostname) });', CONDITION],
    ["host.when(async () => true, () => {});", CONDITION],
    [
      'server.shell({ commands: ["a"], _retryUntil: async () => true });',
      "This function is asked at once: it cannot be async. Wait for what it needs before it",
    ],
    [
      'server.shell({ commands: ["a"], _if: host.getFact(Hostname) });',
      "A condition is a function that is asked at once: wait for the value before it, and write `() => …`",
    ],
    ["ts.call({ function: answer() });", "Pass the function and do not call it: `answer`"],
    ['deploy("x", answer());', "Pass the function and do not call it: `answer`"],
    ["ts.call({ function: host.getFact(Hostname) });", "Pass a function: `() => …`"],
    ['server.shell({ commands: ["a"], _env: { A: host.getFact(Hostname) } });', "Put `await` before it"],
    ["server.shell({ commands: [host.getFact(Hostname)] });", "Put `await` before it"],
    [
      "(async (name: string) => { name; })('a text of some length');",
      "Put `await` before `(async (name: string) => { name; })(…)`",
    ],
    ['server.shell({ commands: [`${host.name ? answer() : "b"}`] });', 'Write `await (host.name ? answer() : "b")`'],
    ["(async () => {\n  await answer();\n})();", "Put `await` before it"],
  ];
  const cwd = await directory(
    Object.fromEntries(
      cases.map(([code], index) => [
        `${index}.ts`,
        `import { deploy, host } from "tsinfra"; import { server, ts } from "tsinfra/operations"; import { Hostname } from "tsinfra/facts/server"; export const answer = async () => true;\n${code}\nexport { deploy, server, ts, Hostname };\n`,
      ]),
    ),
  );
  const findings = await found(await planOfFiles(cases.map((_, index) => join(cwd, `${index}.ts`))), cwd);
  const hints = cases.map(([code], index) => [
    code,
    findings.filter(({ at, code: kind }) => basename(at.file) === `${index}.ts` && kind !== "TS1378").at(0)?.hint,
  ]);
  expect(hints).toEqual(cases.map(([code, hint]) => [code, hint]));
});
const CONDITION = "A condition is asked at once and cannot wait: ask in `ts.call`, and declare the operation there";

describe("host data", () => {
  test("of an inventory that is a program: keys nobody reads, and values no connector can use", async () => {
    const cwd = await directory({
      "inventory.ts": `const PORT = 22;
const common = { sshPort: true, sshUser: "ada" };
export const web = ["web-1", ["web-2", { sshUsr: "ada", sshPort: "22", sshKey: 5 }]];
export const db = {
  hosts: [["db-1", { ...common, port: 5432 }], ["db-2", { sshPort: PORT, sshPassword: process.env["P"] }]],
  data: { _sudoo: true, sshAllowAgent: "yes", sshHostname: undefined },
};
export default { app: [["app-1", { sshPort: -1 }]] };
export const _notes = { hosts: [["x", { sshUsr: 1 }]] };
export const other = () => [["y", { sshUsr: 1 }]];
`,
    });
    const wanted = [
      'inventory.ts:2:18 The host data sshPort of host "db-1" is true, but must be a number',
      'inventory.ts:3:42 Unknown key "sshUsr" in the data of host "web-2" (Did you mean "sshUser"?)',
      'inventory.ts:3:72 The host data sshKey of host "web-2" is 5, but must be text',
      'inventory.ts:6:11 Unknown key "_sudoo" in the data of group "db" (Did you mean "_sudo"?)',
      'inventory.ts:6:25 The host data sshAllowAgent of group "db" is "yes", but must be true or false',
      'inventory.ts:8:36 The host data sshPort of host "app-1" is -1, but must be a number',
    ];
    expect(await check(cwd, "inventory.ts")).toEqual(wanted);
  });

  test("of documents, at the line of the key", async () => {
    const cwd = await directory({
      "infra.config.toml": 'inventory = "hosts.yaml"\n[data]\nsshPort = "x"\n',
      "hosts.yaml": `web:
  hosts:
    - [web-1, { sshPort: 22 }]
    - [web-2, { sshPort: many }]
    - "@dokcer/x"
  data:
    sshUsr: ada
`,
      "group_data/web.json": '{\n  "port": 80,\n  "sshTransprt": "openssh"\n}\n',
    });
    expect(await check(cwd)).toEqual([
      'group_data/web.json:3:3 Unknown key "sshTransprt" in the data of group "web" (Did you mean "sshTransport"?)',
      'hosts.yaml:4:17 The host data sshPort of host "web-2" is "many", but must be a number',
      'hosts.yaml:5:7 Host "@dokcer/x" wants the connector "dokcer", which does not exist (Did you mean "docker"?)',
      'hosts.yaml:7:5 Unknown key "sshUsr" in the data of group "web" (Did you mean "sshUser"?)',
      'infra.config.toml:3:1 The host data sshPort of the config is "x", but must be a number',
    ]);
  });

  test("of group data that is a program", async () => {
    const cwd = await directory({
      "group_data/web.ts": `export const port = 80;
export const sshKey = 5;
export default { sshConfigFil: "x" };
export const _sshUsr = 1;
`,
    });
    expect(await check(cwd, "group_data/web.ts")).toEqual([
      'group_data/web.ts:2:14 The host data sshKey of group "web" is 5, but must be text',
      'group_data/web.ts:3:18 Unknown key "sshConfigFil" in the data of group "web" (Did you mean "sshConfigFile"?)',
    ]);
  });

  test("and what makes an inventory unusable, also in a function and in the file that the config names", async () => {
    const cwd = await directory({
      "infra.config.ts":
        'export default { inventory: "hosts.ts", $test: { inventory: "stage.ts:stage" }, $development: { inventory: "none.ts" } };\n',
      "hosts.ts": `const more = process.argv.map(name => name);
export const web = { host: ["web-1"] };
export const brackets = ["@local", { sshUser: "x" }];
export const data = { hosts: ["a", ...more, more[0], [more[1], {}], ["b", JSON.parse("{}")]], data: 5 };
export const names = [["a", { get: 1 }], "", 5, "-x"];
export const far = ["b", "@dokcer/x"];
export const computed = more;
export const partly = { ...JSON.parse("{}"), hosts: more, data: { port: more.length } };
export const region = "eu";
export const promised = Promise.resolve(["a"]);
export const escalated = { hosts: ["c"], data: { _sudo: "yes", _sudoUser: more[0], _env: { A: more[0] } } };
export const fine: string[] = ["d", "@docker/debian:12"];
export function other() { return 5; }
`,
      "stage.ts": 'export const stage = async () => ({ web: ["a", 7] });\n',
      "none.ts": 'const web = ["a"];\nexport const _web = web;\n',
      "group_data/web.ts": 'export const _sudo = "yes";\nexport const _mine = 5;\n',
    });
    expect(await check(cwd)).toEqual([
      'group_data/web.ts:1:14 The data of group "web" was given "_sudo" as "yes": it takes true or false',
      'hosts.ts:2:22 Group "web" has an unknown key "host" (Did you mean "hosts"?)',
      'hosts.ts:3:36 Host 2 of group "brackets" must be "name" or ["name", { data }], found an object (Put brackets around a host and its data: ["@local", { … }])',
      'hosts.ts:4:95 The data of group "data" must be an object, found 5',
      'hosts.ts:5:31 The data of host "a" has the key "get", which no key can be called (Give it another name: host.data.get(key, fallback) reads the value of a key)',
      'hosts.ts:5:42 Host 2 of group "names" must be "name" or ["name", { data }], found an empty string',
      'hosts.ts:5:46 Host 3 of group "names" must be "name" or ["name", { data }], found 5',
      'hosts.ts:5:49 "-x" is not a host name (A host is a name, an address, user@name:port or @connector/address)',
      'hosts.ts:6:26 Host "@dokcer/x" wants the connector "dokcer", which does not exist (Did you mean "docker"?)',
      'hosts.ts:9:14 Group "region" must be a list of hosts or { hosts, data }, found "eu" (Put brackets around it if it is a host: ["eu"]; start the name of an export that is no group with "_")',
      'hosts.ts:10:14 Group "promised" must be a list of hosts or { hosts, data }, found a promise (Put `await` before it)',
      'hosts.ts:11:50 The data of group "escalated" was given "_sudo" as "yes": it takes true or false',
      `none.ts:1:7 Inventory ${cwd}/none.ts exports no groups, so it has no hosts (Write \`export\` before the groups: \`export const web = …\`)`,
      'stage.ts:1:48 Host 2 of group "web" must be "name" or ["name", { data }], found 7',
    ]);
  });

  test("and in a file that is like an inventory, but not in one that is like something else", async () => {
    const cwd = await directory({
      "keys.ts": 'export const web = { host: ["web-1"] };\n',
      "list.ts":
        'export const web = ["@local", { sshUser: "x" }];\nexport const ports = [80];\nexport const region = "eu";\n',
      "default.ts": 'export default ["@dokcer/x", 5];\n',
      "inventory.ts": "const web = ['a'];\n",
      "hosts.ts": 'export const stage = () => ["a"];\n',
      "vars.ts":
        'export const sites = [["a", { port: 1 }]];\nexport const region = "eu";\nexport const ports = [80];\nexport const more = { a: 1 };\n',
      "mine.ts": 'export const web = ["@proxmox/a"];\n',
      "deploy.ts":
        'import { files } from "tsinfra/operations";\nexport const web = ["@local", { a: 1 }];\nfiles.directory({ path: "/x" });\n',
    });
    const of = (file: string) => check(cwd, file);
    expect(await of("keys.ts")).toEqual(['keys.ts:1:22 Group "web" has an unknown key "host" (Did you mean "hosts"?)']);
    expect(await of("list.ts")).toEqual([expect.stringContaining('list.ts:1:31 Host 2 of group "web" must be')]);
    expect(await of("default.ts")).toEqual([
      expect.stringContaining('default.ts:1:17 Host "@dokcer/x" wants the connector "dokcer"'),
      expect.stringContaining('default.ts:1:30 Host 2 of group "all" must be'),
    ]);
    expect(await of("inventory.ts")).toEqual([expect.stringContaining("inventory.ts:1:7 Inventory ")]);
    for (const file of ["hosts.ts", "vars.ts", "mine.ts", "deploy.ts"]) expect(await of(file)).toEqual([]);
  });

  test("that the programs read, or own connectors, is no mistake", async () => {
    const inventory = 'export const web = [["a", { dockerTag: "1", sshUsers: [], sshxUser: "b", podmanMine: 1 }]];\n';
    const cwd = await directory({
      "infra.config.ts": `import { mine } from "./mine.ts";\nexport default { inventory: "hosts.ts", connectors: [mine] };\n`,
      "mine.ts": `export const mine = { name: "mine", summary: "", can: { pty: false, rsync: false }, dataKeys: { sshxUser: { type: "string", description: "" } }, hosts: async () => [] } as const;\n`,
      "hosts.ts": inventory,
      "deploy.ts": `import { host } from "tsinfra";
const { sshUsers } = host.data;
console.log(sshUsers, host.data["dockerTag"]);
export interface HostData { podmanMine?: number }
`,
    });
    expect(await check(cwd)).toEqual([]);
    expect(await check(cwd, "hosts.ts")).toHaveLength(3);
  });
});

test("what the config says is checked without running it", async () => {
  const cwd = await directory({
    "infra.config.ts": `throw new Error("nobody may run this");
export default { inventry: "a", parallel: "many", sudo: true, inventory: "gone.ts", env: { A: process.env["A"] } };
`,
  });
  expect(await check(cwd)).toEqual([
    'infra.config.ts:2:18 Unknown setting "inventry" (Did you mean "inventory"?)',
    'infra.config.ts:2:33 Setting "parallel" must be a whole number, 0 or more, found "many"',
    'infra.config.ts:2:63 Inventory file "gone.ts" does not exist',
  ]);
});

test("each setting is reported, whatever the compiler says of others on its line", async () => {
  const cwd = await directory({
    "infra.config.ts": `import { defineConfig } from "tsinfra";
export default defineConfig({ sudoo: true, parallel: "many", inventory: "gone.ts" });
`,
  });
  expect((await check(cwd)).map(line => line.replace(/ \(TS.*/, ""))).toEqual([
    'infra.config.ts:2:31 Unknown setting "sudoo" (Did you mean "sudo"?)',
    "infra.config.ts:2:44 Type 'string' is not assignable to type 'number'.",
    'infra.config.ts:2:62 Inventory file "gone.ts" does not exist',
  ]);
});

test("a file that nobody can read is a finding, and the others are checked all the same", async () => {
  const cwd = await directory({
    "infra.config.ts": 'export default { inventory: "hosts.json" };\n',
    "hosts.json": '{ "web": [ }\n',
    "deploy.ts": 'import { local } from "tsinfra";\nif (local {\n',
    "deploy-2.ts": 'import { local } from "tsinfra";\nlocal.shell("true");\n',
  });
  const found = await check(cwd);
  expect(found).toContain('deploy-2.ts:2:1 Nobody waits for this promise (Put `await` before `local.shell("true")`)');
  expect(found.some(line => line.startsWith("deploy.ts:2:"))).toBe(true);
  expect(found.some(line => line.startsWith("hosts.json:1:"))).toBe(true);
});

test("nothing is found in the examples of the README and of the docs, and in the fixtures", async () => {
  const readme = await readFile(join(ROOT, "README.md"), "utf8");
  const blocks = [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);
  const examples = [...new Glob("src/**/*.ts").scanSync({ cwd: ROOT })]
    .sort()
    .flatMap(file => [
      ...readFileSync(join(ROOT, file), "utf8").matchAll(
        /^ *\* @example((?: .*)?\n(?: *\*(?: .*)?\n)*?)(?= *\*\/| *\* @)/gm,
      ),
    ])
    .map(([, code = ""]) => code.replace(/^ *\* ?(?:```.*)?/gm, ""));
  const tsinfra = Object.keys(await import("../../src/public/index.ts"));
  const prelude = `import { ${tsinfra.join(", ")} } from "tsinfra"; import { ${Object.keys(operations).join(", ")} } from "tsinfra/operations";`;
  const all = [
    ...blocks,
    ...examples.map(code => (/^\s*import /m.test(code) ? code : `${prelude}\n${code}`)),
    ...(await Promise.all(
      ["demo/quickstart.ts", "e2e/deploy.ts"].map(name => readFile(join(ROOT, "fixtures", name), "utf8")),
    )),
  ];
  const cwd = await directory(Object.fromEntries(all.map((code, index) => [`${index}.ts`, code])));
  const files = (await readdir(cwd)).map(name => join(cwd, name));
  const findings = await found(await planOfFiles(files), cwd);
  const ours = findings.filter(({ code }) => !/^TS/.test(code));
  expect(
    ours.map(
      ({ at, message }) => `${message}: ${all[Number(/(\d+)\.ts$/.exec(at.file)?.[1])]?.split("\n")[at.line - 1]}`,
    ),
  ).toEqual([]);
  expect(all.length).toBeGreaterThan(200);
});

test("a run refuses what check finds in text, by the argument's name and at its line, and changes nothing", async () => {
  const start = 'import { host } from "tsinfra";\nimport { files, server } from "tsinfra/operations";\n';
  const cases = {
    "promise.ts":
      'const n = host.getFact({ name: "x", command: () => "true", parse: () => 1, empty: () => 1 } as never);\nfiles.put({ content: `name ${n}\\n`, dest: "DIR/f" });\n',
    "function.ts":
      'const h = server.shell({ commands: ["true"] });\nfiles.put({ content: `${h.didChange}`, dest: "DIR/f" });\n',
    "missing.ts": "const d = host.data;\nfiles.directory({ path: `/srv/${d.domain}` });\n",
    "name.ts": 'const d = host.data;\nfiles.directory({ path: "DIR/f", name: `/srv/${d.domain}` });\n',
    "env.ts": 'const d = host.data;\nserver.shell({ commands: ["touch DIR/f"], _env: { A: `${d.domain}` } });\n',
    "surround.ts":
      'const d = host.data;\nhost.withArguments({ _chdir: `/srv/${d.domain}` }, () => server.shell({ commands: ["touch DIR/f"] }));\n',
    "deploy.ts":
      'import { deploy } from "tsinfra";\nconst d = host.data;\ndeploy("Site", () => server.shell({ commands: ["true"] }))({ _chdir: `/srv/${d.domain}` });\n',
  };
  const cwd = await directory({});
  for (const [name, text] of Object.entries(cases))
    await writeFile(join(cwd, name), start + text.replaceAll("DIR", `${cwd}/made`));
  const told = await Promise.all(
    Object.keys(cases).map(async name => {
      const { code, err } = await tsinfra(cwd, "@local", name, "-y");
      return [code, /^Error: (.*?)(?: \(host @local\))?$/m.exec(err)?.[1], /^ {2}at (.*)$/m.exec(err)?.[1]];
    }),
  );
  expect(told).toEqual([
    [1, 'Argument "content" of files.put holds a promise in place of its value', "promise.ts:4:7"],
    [1, 'Argument "content" of files.put holds a function in place of its result', "function.ts:4:7"],
    [1, 'Argument "path" of files.directory holds "undefined" in place of a value: "/srv/undefined"', "missing.ts:4:7"],
    [1, 'Argument "name" of files.directory holds "undefined" in place of a value: "/srv/undefined"', "name.ts:4:7"],
    [1, 'Argument "_env.A" of server.shell holds "undefined" in place of a value', "env.ts:4:8"],
    [1, 'Argument "_chdir" of host.withArguments holds "undefined" in place of a value', "surround.ts:4:6"],
    [1, 'Argument "_chdir" of deploy("Site") holds "undefined" in place of a value', "deploy.ts:5:58"],
  ]);
  expect(await readdir(cwd)).not.toContain("made");
});

test("the command says what it checked and what it found, and leaves with 1 where there is something", async () => {
  const cwd = await directory({
    "infra.config.ts": 'export default { inventory: "hosts.ts" };\n',
    "hosts.ts": 'export const web = [["web-1", { sshUsr: "ada" }]];\n',
    "group_data/web.ts": "export const port = 80;\n",
    "deploy.ts": "export {};\n",
  });
  const run = (...args: string[]) => tsinfra(cwd, "check", ...args);
  const PLAN = `Config      infra.config.ts
Inventory   hosts.ts
Group data  group_data/web.ts
Programs    deploy.ts
`;
  expect(await run()).toEqual({
    out: "",
    code: 1,
    err: `${PLAN}
Error: Unknown key "sshUsr" in the data of host "web-1"
  at hosts.ts:1:33
  1 │ export const web = [["web-1", { sshUsr: "ada" }]];
    │                                 ^
Hint: Did you mean "sshUser"?

Found 1 mistake
`,
  });
  await writeFile(join(cwd, "hosts.ts"), 'export const web = ["web-1"];\n');
  expect(await run()).toEqual({ out: "", code: 0, err: `${PLAN}\nFine: 4 files checked\n` });
  expect(await run("group_data")).toMatchObject({ code: 2, err: expect.stringContaining("is a directory") });
  expect(await run("--config", "gone.ts")).toMatchObject({ code: 1, err: expect.stringContaining("does not exist") });
  await rm(join(cwd, "group_data"), { recursive: true });
  for (const name of ["infra.config.ts", "hosts.ts", "deploy.ts"]) await rm(join(cwd, name));
  expect(await run()).toMatchObject({
    code: 2,
    err: expect.stringContaining("There is nothing to check in this directory"),
  });
});
