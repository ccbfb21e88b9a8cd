import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Secret } from "../../src/core/command.ts";
import type { Connector, FoundHost } from "../../src/core/connector.ts";
import { InventoryError } from "../../src/core/errors.ts";
import { type InventoryHost, type InventoryOptions, loadInventory, selectHosts } from "../../src/inventory/index.ts";

const can = { pty: false, rsync: false };
const ssh: Connector = {
  name: "ssh",
  summary: "",
  can,
  dataKeys: {
    sshUser: { type: "string", description: "" },
    sshPort: { type: "number", description: "" },
    sshPassword: { type: "secret", description: "" },
  },
};
const local: Connector = { name: "local", summary: "", can, dataKeys: {} };
const docker: Connector = {
  name: "docker",
  summary: "",
  can,
  dataKeys: { dockerPlatform: { type: "string", description: "" } },
};
const machines: Connector = {
  name: "machines",
  summary: "",
  can,
  dataKeys: {},
  hosts: address =>
    Promise.resolve<readonly FoundHost[]>(
      address === "none"
        ? []
        : [
            { name: `${address}-1`, data: { sshPort: 2201 }, groups: ["found"] },
            { name: `@docker/${address}`, data: {}, groups: [] },
          ],
    ),
};
const connectors = new Map([ssh, local, docker, machines].map(connector => [connector.name, connector] as const));

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tsinfra-inventory-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

let count = 0;
async function directory(files: Readonly<Record<string, string>>): Promise<string> {
  const path = join(root, String(count++));
  await mkdir(path, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  return path;
}

interface Loaded {
  readonly hosts: readonly InventoryHost[];
  readonly warnings: readonly string[];
}
async function load(
  source: string,
  files: Readonly<Record<string, string>> = {},
  options: Partial<InventoryOptions> = {},
): Promise<Loaded> {
  const warnings: string[] = [];
  const context = {
    ask: () => Promise.resolve(undefined),
    warn: (message: string) => void warnings.push(message),
    inform: () => {},
    cwd: root,
  };
  const hosts = await loadInventory(source, { cwd: await directory(files), connectors, context, ...options });
  return { hosts, warnings };
}
async function failure(
  source: string,
  files: Readonly<Record<string, string>> = {},
  options: Partial<InventoryOptions> = {},
): Promise<InventoryError> {
  const error = await load(source, files, options).catch((thrown: unknown) => thrown);
  if (!(error instanceof InventoryError)) throw new Error(`Expected an InventoryError, got ${String(error)}`);
  return error;
}
const names = ({ hosts }: Loaded): readonly string[] => hosts.map(host => host.name);
const merged = (host: InventoryHost | undefined): Record<string, unknown> =>
  Object.assign({}, ...[...(host?.data ?? [])].reverse());
const place = (error: InventoryError): string =>
  `${error.at?.file.split("/").at(-1)}:${error.at?.line}:${error.at?.column}`;

describe("a host list", () => {
  test("is split at commas; each host has a connector and an address", async () => {
    const { hosts } = await load("web-1,@docker/debian:12, @local,web-1");
    expect(hosts.map(({ name, connector, address }) => [name, connector, address])).toEqual([
      ["web-1", "ssh", "web-1"],
      ["@docker/debian:12", "docker", "debian:12"],
      ["@local", "local", ""],
    ]);
  });

  test("takes users, ports and IPv6 addresses", async () => {
    const { hosts } = await load("ada@web-1:2222,[2001:db8::1]:22,[::1],2001:db8::2");
    expect(hosts.map(host => [host.name, host.address, merged(host)])).toEqual([
      ["ada@web-1:2222", "web-1", { sshUser: "ada", sshPort: 2222 }],
      ["[2001:db8::1]:22", "2001:db8::1", { sshPort: 22 }],
      ["[::1]", "::1", {}],
      ["2001:db8::2", "2001:db8::2", {}],
    ]);
  });

  test("puts hosts named with a connector into a group of that name", async () => {
    const { hosts } = await load("web-1,@docker/a");
    expect(hosts.map(host => host.groups)).toEqual([["all"], ["@docker", "all"]]);
  });

  test.each(["", " , ", "-oProxyCommand=id", "web 1", "web:port", "web:0", "@", "@/x", "[::1", "ada@-x", "web\n1"])(
    "refuses %p",
    async source => {
      await failure(source);
    },
  );

  test("names the nearest connector", async () => {
    const error = await failure("@dcoker/debian");
    expect([error.message, error.hint]).toEqual([
      'Host "@dcoker/debian" wants the connector "dcoker", which does not exist',
      'Did you mean "docker"?',
    ]);
  });
});

describe("an inventory connector", () => {
  test("brings hosts, groups and data; data of the inventory file wins over its own", async () => {
    const { hosts } = await load("@machines/lab");
    expect(hosts.map(host => [host.name, host.connector, host.groups, merged(host)])).toEqual([
      ["lab-1", "ssh", ["@machines", "found", "all"], { sshPort: 2201 }],
      ["@docker/lab", "docker", ["@machines", "all"], {}],
    ]);
    const inFile = await load("hosts.ts", { "hosts.ts": 'export const lab = [["@machines/lab", { sshPort: 7 }]];' });
    expect(merged(inFile.hosts[0])).toEqual({ sshPort: 7 });
  });

  test("that finds nothing is a mistake", async () => {
    expect((await failure("@machines/none")).message).toBe('"@machines/none" finds no hosts');
  });
});

describe("an inventory file", () => {
  const file = `
const shared = { sshUser: "ada" };
export const web: unknown[] = ["web-1", ["web-2", { sshPort: 2222 }]];
export const db = { hosts: ["db-1", "web-2"], data: shared };
export const _private = "nothing";
export function staging() { return { lab: ["lab-1"] }; }
`;
  test("exports groups; every host is in a group named like the file, and in `all`", async () => {
    const loaded = await load("prod.ts", { "prod.ts": file });
    expect(loaded.hosts.map(host => [host.name, host.groups])).toEqual([
      ["web-1", ["prod", "web", "all"]],
      ["web-2", ["prod", "web", "db", "all"]],
      ["db-1", ["prod", "db", "all"]],
    ]);
    expect(merged(loaded.hosts.find(host => host.name === "web-2"))).toEqual({ sshUser: "ada", sshPort: 2222 });
  });

  test("names one of its functions", async () => {
    const { hosts } = await load("prod.ts:staging", { "prod.ts": file });
    expect(hosts.map(host => [host.name, host.groups])).toEqual([["lab-1", ["prod", "lab", "all"]]]);
    const error = await failure("prod.ts:stagin", { "prod.ts": file });
    expect(error.hint).toBe('Did you mean "staging"?');
  });

  test("may have a default export: hosts, groups, or a function that returns them, now or later", async () => {
    for (const text of [
      'export default ["a", "b"];',
      'export default { all: ["a", "b"] };',
      'export default () => ["a", "b"];',
      'export default async () => ({ all: { hosts: ["a", ["b", {}]] } });',
    ]) {
      expect(names(await load("hosts.ts", { "hosts.ts": text }))).toEqual(["a", "b"]);
    }
  });

  test("may be JSON, YAML or TOML", async () => {
    const formats = {
      "hosts.json": '// hosts\n{ "web": ["a", ["b", { "x": 1 }]], "db": { "hosts": ["a"], "data": { "y": 2 } } }',
      "hosts.yaml": "web:\n  - a\n  - [b, { x: 1 }]\ndb:\n  hosts: [a]\n  data: { y: 2 }\n",
      "hosts.toml": 'web = ["a", ["b", { x = 1 }]]\n[db]\nhosts = ["a"]\ndata = { y = 2 }\n',
    };
    for (const [name, text] of Object.entries(formats)) {
      const { hosts } = await load(name, { [name]: text });
      expect(hosts.map(host => [host.name, host.groups, merged(host)])).toEqual([
        ["a", ["hosts", "web", "db", "all"], { y: 2 }],
        ["b", ["hosts", "web", "all"], { x: 1 }],
      ]);
    }
  });

  test("takes the order of hosts from `all`, whatever its place", async () => {
    const loaded = await load("hosts.ts", {
      "hosts.ts": 'export const web = ["b", "c"]; export const all = { hosts: ["c", "a"], data: { x: 1 } };',
    });
    expect(names(loaded)).toEqual(["c", "a", "b"]);
    expect(merged(loaded.hosts[2])).toEqual({ x: 1 });
  });

  test("keeps a group of its own name as it is", async () => {
    const { hosts } = await load("web.ts", { "web.ts": 'export const web = ["a"]; export const db = ["b"];' });
    expect(hosts.map(host => [host.name, host.groups])).toEqual([
      ["a", ["web", "all"]],
      ["b", ["db", "all"]],
    ]);
  });
});

describe("host data", () => {
  const inventory = {
    "hosts.ts": `
export const all = { hosts: [], data: { level: "all", all: 1 } };
export const c = { hosts: [["h", { level: "host", host: 1 }], "g"], data: { level: "c", c: 1 } };
export const b = { hosts: ["h", "g"], data: { level: "b", b: 1 } };
`,
  };

  test("is taken from the command line, the host, its groups (last wins), `all`, the config", async () => {
    const options = { data: { level: "cli" }, defaults: { level: "config", config: 1 } };
    const [h, g] = (await load("hosts.ts", inventory, { defaults: options.defaults })).hosts;
    expect(merged(h)).toEqual({ level: "host", host: 1, c: 1, b: 1, all: 1, config: 1 });
    expect(merged(g)["level"]).toBe("b");
    expect(merged((await load("hosts.ts", inventory, options)).hosts[0])["level"]).toBe("cli");
    expect(merged((await load("x", {}, { defaults: options.defaults })).hosts[0])).toEqual({
      level: "config",
      config: 1,
    });
  });

  test("may be in group_data, in any format, next to the inventory and in the working directory, and where --group-data says", async () => {
    const files = {
      "inventories/prod.ts": 'export const web = ["a"];',
      "inventories/group_data/web.ts":
        "export const from = 'inventory'; export const _hidden = 1; export const _sudo = true; export default { inventory: 1, from: 'default' };",
      "inventories/group_data/all.yaml": "from: all\nall: 1\n",
      "group_data/web.json": '{ "from": "cwd", "cwd": 1 }',
      "group_data/prod.toml": "prod = 1\n",
      "group_data/_draft.ts": "export default 5;",
      "more/web.toml": 'from = "more"\nmore = 1\n',
      "one/web.ts": "export const one = 1;",
    };
    const { hosts } = await load("inventories/prod.ts", files, { groupData: ["more", "one/web.ts"] });
    expect(merged(hosts[0])).toEqual({
      from: "more",
      inventory: 1,
      cwd: 1,
      more: 1,
      one: 1,
      prod: 1,
      all: 1,
      _sudo: true,
    });
    expect(merged((await load("inventories/prod.ts", files)).hosts[0])["from"]).toBe("inventory");
  });

  test("keeps passwords secret", async () => {
    const { hosts } = await load("hosts.ts", {
      "hosts.ts": 'export const web = [["a", { sshPassword: "hunter2", _sudoPassword: "hunter3" }]];',
    });
    expect(merged(hosts[0])["sshPassword"]).toBeInstanceOf(Secret);
    expect(JSON.stringify(hosts)).not.toContain("hunter");
  });

  test("warns of keys that look like a connector's or like global arguments", async () => {
    const { warnings } = await load("hosts.ts", {
      "hosts.ts":
        'export const web = [["a", { sshUsr: "x", role: "web", _sduo: true, ssh_port: 1, _sudo_user: 1, SSHuser: 1, user: "x" }], ["b", { sshUsr: "y" }]];',
    });
    expect(warnings).toEqual([
      `No connector's key is called "sshUsr", as in the data of host "a": did you mean "sshUser"?`,
      'No global argument is called "_sduo", as in the data of host "a": did you mean "_sudo"?',
      `No connector's key is called "ssh_port", as in the data of host "a": did you mean "sshPort"?`,
      'No global argument is called "_sudo_user", as in the data of host "a": did you mean "_sudoUser"?',
      `No connector's key is called "SSHuser", as in the data of host "a": did you mean "sshUser"?`,
    ]);
  });

  test("warns of misspelt global arguments in files of group data", async () => {
    const { warnings } = await load("hosts.ts", {
      "hosts.ts": 'export const web = ["a"];',
      "group_data/web.yaml": "_sud: true\n_sudo_usr: x\n_retires: 2\n_private: 1\n",
    });
    expect(warnings).toEqual([
      'No global argument is called "_sud", as in the data of group "web": did you mean "_sudo"?',
      'No global argument is called "_sudo_usr", as in the data of group "web": did you mean "_sudoUser"?',
      'No global argument is called "_retires", as in the data of group "web": did you mean "_retries"?',
    ]);
  });

  test("does not warn of keys that a deploy may read, whatever they begin with", async () => {
    const { warnings } = await load("hosts.yaml", {
      "hosts.yaml":
        "web: {hosts: [a], data: {docker_enabled: 1, docker_users: 1, sshd_port: 1, podman_user: 1, ssh_motd: 1, sshTurbo: 1, dockerUsers: 1, port_ssh: 1, constructor: 1, toString: 1}}\n",
    });
    expect(warnings).toEqual([]);
  });

  test("cannot have the key that reads data", async () => {
    for (const [text, where] of [
      ['export const web = [["a", { get: 1 }]];', 'host "a"'],
      ['export const web = { hosts: ["a"], data: { get: 1 } };', 'group "web"'],
    ] as const)
      await expect(load("hosts.ts", { "hosts.ts": text })).rejects.toMatchObject({
        message: `The data of ${where} has the key "get", which no key can be called`,
        hint: "Give it another name: host.data.get(key, fallback) reads the value of a key",
      });
  });

  test("warns of group data whose group is almost one", async () => {
    const { warnings } = await load("hosts.ts", {
      "hosts.ts": 'export const web = ["a"];',
      "group_data/wbe.ts": "export const x = 1;",
      "group_data/other.ts": "",
    });
    expect(warnings).toEqual(['There is group data for "wbe", but no host is in such a group: did you mean "web"?']);
  });

  test("that --group-data names must exist", async () => {
    expect((await failure("a", { "data/x.ts": "" }, { groupData: ["dta"] })).hint).toBe('Did you mean "data"?');
  });
});

test("a group that is named where a function should be is chosen with --limit", async () => {
  expect(await failure("hosts.ts:web", { "hosts.ts": 'export const web = ["web-1"];' })).toMatchObject({
    message: expect.stringMatching(/^"web" in .*hosts\.ts must be a function, found a list$/),
    hint: "For the hosts of a group write hosts.ts --limit web",
  });
});

describe("--limit and --exclude", () => {
  const inventory = {
    "hosts.ts": 'export const web = ["web-1", "web-2", "web-10"]; export const db = ["db-1", "@docker/x"];',
  };
  const limited = async (limit: string[], exclude: string[] = []): Promise<readonly string[]> =>
    selectHosts((await load("hosts.ts", inventory)).hosts, { limit, exclude })
      .map(host => host.name)
      .sort();
  const refused = (limit: string[], exclude: string[] = []): Promise<InventoryError> =>
    limited(limit, exclude).then(
      () => Promise.reject(new Error("It was accepted")),
      (error: InventoryError) => error,
    );

  test("take names, groups, globs and `all`, in inventory order", async () => {
    expect(await limited(["web-1"])).toEqual(["web-1"]);
    expect(await limited(["db"])).toEqual(["@docker/x", "db-1"]);
    expect(await limited(["web-?", "db-1"])).toEqual(["db-1", "web-1", "web-2"]);
    expect(await limited(["web-[!1]"])).toEqual(["web-2"]);
    expect(await limited(["@docker/*"])).toEqual(["@docker/x"]);
    expect(await limited(["web-1,db-1"])).toEqual(["db-1", "web-1"]);
    expect(await limited(["all"], ["web"])).toEqual(["@docker/x", "db-1"]);
    expect(await limited([], ["*-1*"])).toEqual(["@docker/x", "web-2"]);
  });

  test("without a match are a mistake", async () => {
    const error = await refused(["wbe"]);
    expect([error.message, error.hint]).toEqual(['--limit "wbe" matches no host and no group', 'Did you mean "web"?']);
    expect((await refused([], ["db-2"])).hint).toBe('Did you mean "db-1"?');
    expect((await refused(["web"], ["all"])).message).toBe("No hosts are left: --exclude takes all of them");
  });

  test("that name nothing are a mistake: a variable of a script was empty", async () => {
    expect((await refused([""])).message).toBe("--limit names no host and no group");
    expect((await refused([" , "])).message).toBe("--limit names no host and no group");
    expect((await refused([], [""])).message).toBe("--exclude names no host and no group");
  });
});

describe("a mistake in an inventory file", () => {
  const cases: readonly (readonly [title: string, text: string, message: string, place: string, hint?: string])[] = [
    [
      "a number among hosts",
      'export const db = [];\nexport const web: (string | number)[] = [\n  "web-1", // first\n  ["web-2", { a: [1, 2] }],\n  5,\n];\n',
      'Host 3 of group "web" must be "name" or ["name", { data }], found 5',
      "hosts.ts:5:3",
    ],
    [
      "data that is no object",
      'export const web = [["web-1", "x"]];',
      'Host 1 of group "web" must be "name" or ["name", { data }], found ["web-1", "x"]',
      "hosts.ts:1:21",
    ],
    [
      "two hosts in one string",
      'export default { web: ["a", "b,c"] };',
      'Host 2 of group "web" must be "name" or ["name", { data }], found "b,c", which is 2 hosts',
      "hosts.ts:1:29",
    ],
    [
      "an undefined member",
      "const later = { x: undefined };\nexport const web = [later.x];",
      'Host 1 of group "web" must be "name" or ["name", { data }], found undefined',
      "hosts.ts:2:21",
    ],
    [
      "a key of a group",
      'export const web = {\n  host: ["a"],\n};',
      'Group "web" has an unknown key "host"',
      "hosts.ts:2:3",
      'Did you mean "hosts"?',
    ],
    [
      "an export that is no group",
      'export const web = ["a"];\nexport const region = "eu";',
      'Group "region" must be a list of hosts or { hosts, data }, found "eu"',
      "hosts.ts:2:14",
      'Put brackets around it if it is a host: ["eu"]; start the name of an export that is no group with "_"',
    ],
    [
      "a number that is exported",
      'export const web = ["a"];\nexport const port = 80;',
      'Group "port" must be a list of hosts or { hosts, data }, found 80',
      "hosts.ts:2:14",
      'Start the name of an export that is no group with "_"',
    ],
    [
      "a host without brackets",
      'export const web = "a.example";',
      'Group "web" must be a list of hosts or { hosts, data }, found "a.example"',
      "hosts.ts:1:14",
      'Put brackets around hosts: ["a.example"]',
    ],
    [
      "hosts without brackets",
      'export const web = "@local, b";',
      'Group "web" must be a list of hosts or { hosts, data }, found "@local, b"',
      "hosts.ts:1:14",
      'Put brackets around hosts: ["@local", "b"]',
    ],
    [
      "a set",
      'export const web = new Set(["a"]);',
      'Group "web" must be a list of hosts or { hosts, data }, found a Set',
      "hosts.ts:1:14",
      "Make a list of it: [...hosts]",
    ],
    [
      "a class that is exported",
      "export class Web {}",
      "exports no groups, so it has no hosts",
      "hosts.ts:1:1",
      'Every export is a group: export const web = ["web-1"]',
    ],
    [
      "a class that is exported by default",
      "export default class {}",
      "An inventory must be a list of hosts or an object of groups, found a class",
      "undefined:undefined:undefined",
    ],
    [
      "a generator that is exported by default",
      'export default function* () { yield "a"; }',
      "An inventory must be a list of hosts or an object of groups, found a generator",
      "undefined:undefined:undefined",
    ],
    [
      "a promise of a group",
      'export const web = Promise.resolve(["a"]);',
      'Group "web" must be a list of hosts or { hosts, data }, found a promise',
      "hosts.ts:1:14",
      "Put `await` before it",
    ],
    [
      "promises of hosts",
      'export const web = ["a", "b"].map(async name => name);',
      'Host 1 of group "web" must be "name" or ["name", { data }], found a promise',
      "hosts.ts:1:21",
      "Wait for all of them: `await Promise.all(…)`",
    ],
    [
      "a promise of hosts",
      'export const web = { hosts: Promise.resolve(["a"]) };',
      'The hosts of group "web" must be a list, found a promise',
      "hosts.ts:1:22",
      "Put `await` before it",
    ],
    [
      "a promise of data",
      'export const web = [["a", Promise.resolve({})]];',
      'Host 1 of group "web" must be "name" or ["name", { data }], found ["a", a promise]',
      "hosts.ts:1:21",
      "Put `await` before it",
    ],
    [
      "a promise of everything",
      "export default Promise.resolve(['a']);",
      "An inventory must be a list of hosts or an object of groups, found a promise",
      "undefined:undefined:undefined",
      "Put `await` before it",
    ],
    [
      "brackets left out",
      'export const web = ["@local", { sshUser: "x" }];',
      'Host 2 of group "web" must be "name" or ["name", { data }], found an object',
      "hosts.ts:1:31",
      'Put brackets around a host and its data: ["@local", { … }]',
    ],
    [
      "groups that are not exported",
      'const port = 22;\nconst web = [["a", { port }]];\n',
      "exports no groups, so it has no hosts",
      "hosts.ts:2:7",
      "Write `export` before the groups: `export const web = …`",
    ],
    [
      "nothing exported",
      "",
      "exports no groups, so it has no hosts",
      "hosts.ts:1:1",
      'Every export is a group: export const web = ["web-1"]',
    ],
    [
      "functions only",
      'export const staging = () => ["a"];\nexport function live() { return ["b"]; }',
      "exports no groups, so it has no hosts",
      "hosts.ts:1:14",
      "Name the function that gives the hosts: hosts.ts:staging or hosts.ts:live",
    ],
    ["a host name", 'export const web = ["a", "-b"];', '"-b" is not a host name', "hosts.ts:1:26"],
    [
      "a connector",
      'export const web = ["a", "@sssh/b"];',
      'Host "@sssh/b" wants the connector "sssh", which does not exist',
      "hosts.ts:1:26",
      'Did you mean "ssh"?',
    ],
    ["the syntax", "export const web = [\n  }];", "Unexpected }", "hosts.ts:2:3"],
    ["a name", 'export const web = ["a",\n  nope];', "ReferenceError: nope is not defined", "hosts.ts:2:3"],
    ["nothing in it", "export const web = [];", "has no hosts", "undefined:undefined:undefined"],
  ];
  test.each(cases.map(parts => ({ title: parts[0], parts })))(
    "is found: $title",
    async ({ parts: [, text, message, where, hint] }) => {
      const error = await failure("hosts.ts", { "hosts.ts": text });
      expect(error.message).toContain(message);
      expect(place(error)).toBe(where);
      if (hint !== undefined) expect(error.hint).toBe(hint);
    },
  );

  test("is found in data formats too", async () => {
    expect(place(await failure("hosts.json", { "hosts.json": '{\n  "web": ["a",\n    5] }' }))).toBe("hosts.json:3:5");
    expect(place(await failure("hosts.json", { "hosts.json": '{\n  "web": [1,}' }))).toBe("hosts.json:2:13");
    expect(place(await failure("hosts.yaml", { "hosts.yaml": "db: [x]\nweb:\n  - a\n  - [b, {}]\n  - 5\n" }))).toBe(
      "hosts.yaml:5:5",
    );
    expect(place(await failure("hosts.yaml", { "hosts.yaml": "web: [a,\n  5]\n" }))).toBe("hosts.yaml:2:3");
    expect(place(await failure("hosts.toml", { "hosts.toml": 'x = ["a"]\nweb = ["a", 5]\n' }))).toBe("hosts.toml:2:13");
  });

  test("in group data is found", async () => {
    const error = await failure("a", { "group_data/web.ts": "export const x = 1;\nexport const y = nope;" });
    expect([error.message, place(error)]).toEqual(["ReferenceError: nope is not defined", "web.ts:2:18"]);
  });

  test("is a file that does not exist, or no file", async () => {
    const error = await failure("host.ts", { "hosts.ts": "" });
    expect([error.message, error.hint]).toEqual([
      'Inventory file "host.ts" does not exist',
      'Did you mean "hosts.ts"?',
    ]);
    expect((await failure("./inventories/prod", {})).message).toBe(
      'Inventory file "./inventories/prod" does not exist',
    );
    expect((await failure("./sub/", { "sub/x.ts": "" })).message).toBe('Inventory "./sub/" is a directory');
    expect((await failure("hosts.txt", { "hosts.txt": "a\nb\n" })).message).toContain("is no .ts");
  });

  test("in group data that wants a host is told without a word of deploy files in its place", async () => {
    const error = await failure("a", {
      "group_data/all.ts": `import { currentScope } from ${JSON.stringify(join(import.meta.dir, "../../src/core/scope.ts"))};\nexport const x = currentScope("The host");\n`,
    });
    expect(error.hint).toBe(
      "This file is read once for all hosts, before the deploy: what depends on the host goes into a deploy file",
    );
  });

  test("is a deploy file in its place", async () => {
    const error = await failure("deploy.ts", {
      "deploy.ts": `import { currentScope } from ${JSON.stringify(join(import.meta.dir, "../../src/core/scope.ts"))};\ncurrentScope("The host");\n`,
    });
    expect(error.hint).toBe("If deploy.ts is a deploy file, name the inventory before it");
  });
});
