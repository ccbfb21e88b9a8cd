/** What Ansible inventories may hold beside plain values, and what they may not. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createConnectors } from "../../src/connectors/index.ts";
import { loadInventory } from "../../src/inventory/index.ts";
import { connectorContext } from "../support/connectors.ts";

let root: string;
beforeAll(async () => void (root = await realpath(await mkdtemp(join(tmpdir(), "tsinfra-ansible-")))));
afterAll(() => rm(root, { recursive: true, force: true }));

let count = 0;
/** The hosts of the first of these files, with their data, and what is said of them. */
async function load(files: Readonly<Record<string, string>>) {
  const cwd = join(root, String(count++));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(cwd, name)), { recursive: true });
    await writeFile(join(cwd, name), text, { mode: text.startsWith("#!") ? 0o755 : 0o644 });
  }
  const context = { ...connectorContext(), cwd };
  const [source] = Object.keys(files);
  const hosts = await loadInventory(`@ansible/${source}`, { cwd, connectors: createConnectors(), context });
  return {
    data: Object.fromEntries(
      hosts.map(({ name, data }) => [name, Object.assign({}, ...data.toReversed()) as Record<string, unknown>]),
    ),
    warnings: context.warnings.map(warning => warning.replaceAll(`${cwd}/`, "")),
  };
}

/** An encrypted value at an indentation. */
const vault = (indentation: number): string =>
  `!vault |\n${["$ANSIBLE_VAULT;1.1;AES256", "3132"].map(line => " ".repeat(indentation) + line).join("\n")}\n`;

describe("what is encrypted", () => {
  test("inside of maps and lists is left out and named; a list with an encrypted item goes as a whole", async () => {
    const { data, warnings } = await load({
      "hosts.ini": "[db]\na\nb\n",
      "group_vars/db.yml": `db: &db
  user: app
  password: ${vault(4)}replica: *db
ifaces:
  - name: eth0
    key: ${vault(6)}  - name: eth1
keys:
  - first
  - ${vault(4)}deep:
  "two words":
    - - ${vault(8)}  kept: 1
plain: ${vault(2)}text: "not $ANSIBLE_VAULT;1.1 at its start"
`,
      "host_vars/b.yml": "keys: [own]\ndb: {password: open}\n",
    });
    const rest = { replica: { user: "app" }, ifaces: [{ name: "eth0" }, { name: "eth1" }], deep: { kept: 1 } };
    const text = "not $ANSIBLE_VAULT;1.1 at its start";
    expect(data).toEqual({
      a: { ...rest, text, db: { user: "app" } },
      b: { ...rest, text, db: { password: "open" }, keys: ["own"] },
    });
    const others = 'deep["two words"] (for deep["two words"][0][0]), plain left out: encrypted by Ansible Vault';
    expect(warnings).toEqual([
      `a of hosts.ini: db.password, replica.password, ifaces[0].key, keys (for keys[1]), ${others}`,
      `b of hosts.ini: replica.password, ifaces[0].key, ${others}`,
    ]);
  });

  test("is left out of what a script prints", async () => {
    const printed = {
      web: {
        hosts: ["a"],
        vars: { db: { password: { __ansible_vault: "$ANSIBLE_VAULT;1.1;AES256\n31" }, user: "x" } },
      },
    };
    const { data, warnings } = await load({ "list.sh": `#!/bin/sh\nprintf '%s' '${JSON.stringify(printed)}'\n` });
    expect(data).toEqual({ a: { db: { user: "x" } } });
    expect(warnings).toEqual(["a of list.sh: db.password left out: encrypted by Ansible Vault"]);
  });

  test("a secret of the host hides the plain value of its group", async () => {
    const { data } = await load({
      "hosts.ini": "[web]\na\n[web:vars]\npassword=default\n",
      "host_vars/a.yml": `password: ${vault(2)}`,
    });
    expect(data).toEqual({ a: {} });
  });

  test("under aliases of aliases is left out as soon as anywhere else, and named a few times", async () => {
    const levels = Array.from(
      { length: 30 },
      (_, level) => `l${level + 1}: &l${level + 1} {a: *l${level}, b: *l${level}}`,
    );
    const { data, warnings } = await load({
      "hosts.ini": "a\n",
      "group_vars/all.yml": `l0: &l0\n  s: ${vault(4)}${levels.join("\n")}\n`,
    });
    expect([data["a"]?.["l0"], data["a"]?.["l1"]]).toEqual([{}, { a: {}, b: {} }]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.length).toBeLessThan(100_000);
  });
});

describe("a mistake of shape", () => {
  /** What is wrong with an inventory, and where. */
  const failure = (name: string, text: string): Promise<{ message: string; hint?: string; place?: unknown }> =>
    load({ [name]: text }).then(
      () => ({ message: "nothing" }),
      ({ message, hint, at }: { message: string; hint?: string; at?: { line: number; column: number } }) => ({
        message: message.replace(/\/\S*\//, ""),
        ...(hint === undefined ? {} : { hint }),
        ...(at === undefined ? {} : { place: [at.line, at.column] }),
      }),
    );

  test("a key that a group cannot have is left out and named, once", async () => {
    const { data, warnings } = await load({
      "hosts.yml":
        "web:\n  hosts: {h1: , h2: {b: 2}}\n  varz: {a: 1}\n  children:\n    sub: {hosts: {h3: }, host: {h4: }}\n",
    });
    expect(data).toEqual({ h1: {}, h2: { b: 2 }, h3: {} });
    expect(warnings).toEqual([
      'host of the group "sub", varz of the group "web" in hosts.yml left out: a group has nothing but hosts, vars and children',
    ]);
  });

  test("a host without a map of variables is refused at its place", async () => {
    expect(await failure("hosts.yml", "all:\n  children:\n    web:\n      hosts:\n        h1: 10.0.0.5\n")).toEqual({
      message: 'Host "h1" of the group "web" in hosts.yml must have a map of variables, found "10.0.0.5"',
      hint: "For an address write h1: { ansible_host: 10.0.0.5 }",
      place: [5, 9],
    });
    expect(await failure("hosts.yml", "web: { hosts: { h1: 5 } }\n")).toEqual({
      message: 'Host "h1" of the group "web" in hosts.yml must have a map of variables, found 5',
      hint: "For an address write h1: { ansible_host: 10.0.0.5 }",
      place: [1, 17],
    });
    expect(await failure("hosts.json", '{ "web": { "hosts": {\n  "h1": ["a"] } } }')).toMatchObject({ place: [2, 3] });
    expect(await failure("hosts.yml", "web:\n  vars: 5\n")).toEqual({
      message: 'The vars of the group "web" in hosts.yml must be a map',
      place: [2, 3],
    });
  });

  test("groups in themselves are refused with the way around", async () => {
    const hint = "Take one of these out of the children of the one before it";
    expect(await failure("hosts.ini", "h1\n[a:children]\nb\n[b:children]\nc\n[c:children]\na\n")).toEqual({
      message: 'Group "c" of hosts.ini is in itself: c > a > b > c',
      hint,
      place: [7, 1],
    });
    expect(await failure("hosts.ini", "[a]\nh1\n[a:children]\na\n")).toEqual({
      message: 'Group "a" of hosts.ini is in itself: a > a',
      hint,
      place: [4, 1],
    });
    expect(await failure("hosts.yml", "a:\n  hosts: {h: }\n  children:\n    b:\n      children: {a: }\n")).toEqual({
      message: 'Group "b" of hosts.yml is in itself: b > a > b',
      hint,
      place: [5, 18],
    });
    const printed = '{"a": {"children": ["b"], "hosts": ["h"]}, "b": {"children": ["a"]}}';
    expect(await failure("list.sh", `#!/bin/sh\nprintf '%s' '${printed}'\n`)).toEqual({
      message: 'Group "b" of list.sh is in itself: b > a > b',
      hint,
    });
  });

  test("groups that meet again further down are none", async () => {
    const { data } = await load({
      "hosts.ini": "[a:children]\nb\nc\n[b:children]\nd\n[c:children]\nd\n[d]\nh\n[a:vars]\nx=1\n[d:vars]\nx=2\n",
    });
    expect(data).toEqual({ h: { x: 2 } });
  });
});
