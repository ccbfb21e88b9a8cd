import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createConnectors } from "../../src/connectors/index.ts";
import { Secret } from "../../src/core/command.ts";
import { type InventoryHost, loadInventory } from "../../src/inventory/index.ts";
import { connectorContext } from "../support/connectors.ts";

const FIXTURES = join(import.meta.dir, "../../fixtures/connectors");

/** A host's connector and address, chain included. */
const where = ({ connector, address, through }: InventoryHost): string =>
  [...through, { connector, address }]
    .map(hop => `@${hop.connector}${hop.address === "" ? "" : `/${hop.address}`}`)
    .join("/");
const dataOf = (host: InventoryHost): Record<string, unknown> => Object.assign({}, ...[...host.data].reverse());

async function load(
  source: string,
  { cwd = FIXTURES, home = "/nonexistent", env }: { cwd?: string; home?: string; env?: Record<string, string> } = {},
) {
  const context = { ...connectorContext(), cwd };
  const hosts = await loadInventory(source, {
    cwd,
    connectors: createConnectors({ home, ...(env ? { env } : {}) }),
    context,
  });
  const host = (name: string): InventoryHost => hosts.find(one => one.name === name) ?? hosts[-1]!;
  return {
    hosts,
    warnings: context.warnings,
    names: hosts.map(one => one.name),
    host,
    data: (name: string) => dataOf(host(name)),
  };
}
const failure = async (
  source: string,
  options?: Parameters<typeof load>[1],
): Promise<{ code: string; message: string; hint?: string; at?: { file: string; line: number } }> =>
  load(source, options).then(
    () => {
      throw new Error(`${source} was read`);
    },
    error => error,
  );

let root: string;
beforeAll(async () => void (root = await mkdtemp(join(tmpdir(), "tsinfra-inventory-"))));
afterAll(() => rm(root, { recursive: true, force: true }));

describe("a chain", () => {
  test("is taken apart, and has the groups of its connectors", async () => {
    const { hosts } = await load("@ssh/ada@bastion:2222/@docker/debian:12,@ssh/b/@docker/app/@chroot/srv/x");
    expect(hosts.map(where)).toEqual(["@ssh/ada@bastion:2222/@docker/debian:12", "@ssh/b/@docker/app/@chroot/srv/x"]);
    expect(hosts.map(host => host.groups)).toEqual([
      ["@chain", "@docker", "all"],
      ["@chain", "@docker", "@chroot", "all"],
    ]);
    expect(hosts[0]?.through).toEqual([{ connector: "ssh", address: "ada@bastion:2222" }]);
  });

  test("is refused where a part of it cannot be one", async () => {
    expect(await failure("@docker/app/@local")).toMatchObject({
      code: "E_INVENTORY",
      message: 'The connector "@local" of "@docker/app/@local" cannot go through another connection',
    });
    expect(await failure("@ansible/x/@docker/app")).toMatchObject({
      message:
        'The connector "@ansible" of "@ansible/x/@docker/app" brings hosts and runs nothing, so it cannot be part of a chain',
    });
    expect(await failure("@ssh/b/@dokcer/app")).toMatchObject({
      message: 'Host "@ssh/b/@dokcer/app" wants the connector "dokcer", which does not exist',
      hint: 'Did you mean "docker"?',
    });
  });

  test("may be written short for containers on an SSH host", async () => {
    const { hosts } = await load("@dockerssh/ada@web:22:debian:12,@podmanssh/[::1]:app");
    expect(hosts.map(where)).toEqual(["@ssh/ada@web/@docker/22:debian:12", "@ssh/[::1]/@podman/app"]);
    expect(hosts.map(({ name, groups }) => [name, groups])).toEqual([
      ["@dockerssh/ada@web:22:debian:12", ["@dockerssh", "all"]],
      ["@podmanssh/[::1]:app", ["@podmanssh", "all"]],
    ]);
    expect(await failure("@dockerssh/web")).toMatchObject({ code: "E_INVENTORY", hint: "Write @dockerssh/HOST:IMAGE" });
  });
});

test("hosts of a connector are in its group, those of ssh in none, those of a pod in that of their namespace too", async () => {
  const { hosts } = await load("web-1,@ssh/web-2,@local,@docker/x,@kubectl/prod/app:side,@kubectl/app");
  expect(hosts.map(host => host.groups)).toEqual([
    ["all"],
    ["all"],
    ["@local", "all"],
    ["@docker", "all"],
    ["@kubectl", "@kubectl/prod", "all"],
    ["@kubectl", "all"],
  ]);
});

describe("@terraform", () => {
  const cwd = join(FIXTURES, "terraform");

  test("reads a state: groups of names and of data", async () => {
    const { hosts, data } = await load("@terraform/terraform.tfstate", { cwd });
    expect(hosts.map(host => [host.name, where(host), host.groups])).toEqual([
      ["@terraform/web-1", "@ssh/web-1", ["@terraform", "web", "db", "all"]],
      ["@terraform/web-2", "@ssh/web-2", ["@terraform", "web", "all"]],
      ["@terraform/192.0.2.3", "@ssh/192.0.2.3", ["@terraform", "db", "all"]],
    ]);
    expect(data("@terraform/web-2")).toEqual({ sshHostname: "192.0.2.2", sshUser: "ada", rack: 4 });
  });

  test.each([
    [
      "addresses",
      [
        ["@terraform/edge-1", "@ssh/edge-1", { sshHostname: "192.0.2.7" }],
        ["@terraform/edge-2", "@ssh/edge-2", { sshHostname: "192.0.2.8" }],
      ],
    ],
    ["bastion", [["@terraform/192.0.2.1", "@ssh/192.0.2.1", {}]]],
    [
      "deep.fleet.eu",
      [
        ["@terraform/a", "@ssh/a", {}],
        ["@docker/app", "@docker/app", {}],
      ],
    ],
    ["deep.value.fleet.eu.0", [["@terraform/a", "@ssh/a", {}]]],
    ["machines", [["@terraform/one", "@ssh/one", { sshPort: 2222 }]]],
  ])("reads any key: %s", async (key, expected) => {
    const { hosts } = await load(`@terraform/./terraform.tfstate:${key}`, { cwd });
    expect(hosts.map(host => [host.name, where(host), dataOf(host)])).toEqual(expected as never);
  });

  test("reads what a real terraform has, and what it printed", async () => {
    const directory = join(root, "terraform");
    await mkdir(directory);
    await cp(join(cwd, "main.tf"), join(directory, "main.tf"));
    const terraform = Bun.which("terraform");
    if (!terraform) return console.warn("Not run: there is no terraform on this machine");
    const applied = Bun.spawnSync([terraform, "apply", "-auto-approve"], {
      cwd: directory,
      env: { ...process.env, CHECKPOINT_DISABLE: "1" },
    });
    expect(applied.exitCode, applied.stderr.toString()).toBe(0);
    const { hosts, data } = await load("@terraform", { cwd: directory });
    expect(hosts.map(({ name, groups }) => [name, groups])).toEqual([
      ["@terraform/app-1", ["@terraform", "app", "all"]],
      ["@terraform/app-2", ["@terraform", "app", "all"]],
    ]);
    expect(data("@terraform/app-1")).toEqual({ sshHostname: "192.0.2.20", sshPort: 2222 });
    expect((await load("@terraform/names", { cwd: directory })).names).toEqual(["@terraform/x-1", "@terraform/x-2"]);
    expect((await load("@terraform/names.value", { cwd: directory })).names).toEqual([
      "@terraform/x-1",
      "@terraform/x-2",
    ]);
    expect((await load("@terraform/terraform:names", { cwd: root })).names).toEqual([
      "@terraform/x-1",
      "@terraform/x-2",
    ]);
    await Bun.write(
      join(directory, "out.json"),
      Bun.spawnSync([terraform, "output", "-json"], { cwd: directory }).stdout,
    );
    expect((await load("@terraform/out.json:names", { cwd: directory })).names).toEqual([
      "@terraform/x-1",
      "@terraform/x-2",
    ]);
    expect(await failure("@terraform/nams", { cwd: directory })).toMatchObject({
      message: expect.stringContaining('has no "nams"'),
      hint: 'Did you mean "names"?',
    });
  });

  test("says what is wrong", async () => {
    await writeFile(join(root, "broken.json"), "{");
    await writeFile(join(root, "none.tfstate"), '{"version": 4, "outputs": {}}');
    expect(await failure("@terraform/terraform.tfstate:deep.fleet.numbers", { cwd })).toMatchObject({
      code: "E_INVENTORY",
      message: 'The output "deep.fleet.numbers.0" must be a name or { name, … }, found 1',
    });
    expect(await failure("@terraform/terraform.tfstate:addreses", { cwd })).toMatchObject({
      hint: 'Did you mean "addresses"?',
    });
    expect(await failure("@terraform/gone.tfstate", { cwd })).toMatchObject({
      message: 'Terraform state "gone.tfstate" does not exist',
    });
    expect((await failure("@terraform/broken.json", { cwd: root })).message).toMatch(/broken\.json is not JSON: /);
    expect(await failure("@terraform/none.tfstate", { cwd: root })).toMatchObject({
      message: expect.stringMatching(/none\.tfstate has no output "tsinfra_inventory"$/),
    });
    expect(await failure("@terraform", { cwd: root, env: { PATH: "/nowhere" } })).toMatchObject({
      code: "E_INVENTORY",
      hint: "Is terraform installed?",
    });
  });
});

describe("@vagrant", () => {
  /** A stand-in that checks its arguments and answers as vagrant did. */
  const fake = async (directory: string): Promise<Record<string, string>> => {
    const bin = join(root, "vagrant-bin");
    await mkdir(bin, { recursive: true });
    const script = `#!/bin/sh
case $#:$* in
"2:status --machine-readable") cat ${directory}/status.txt ;;
"2:ssh-config ubuntu"|"2:ssh-config debian") cat ${directory}/$2.txt ;;
*) echo "unexpected: $*" >&2; exit 99 ;;
esac\n`;
    await writeFile(join(bin, "vagrant"), script);
    await chmod(join(bin, "vagrant"), 0o755);
    return { PATH: `${bin}:${process.env["PATH"]}` };
  };
  const cwd = join(FIXTURES, "vagrant");

  test("brings the machines that run, with data and groups of @vagrant.json", async () => {
    const { hosts, data } = await load("@vagrant", { cwd, env: await fake(cwd) });
    expect(hosts.map(host => [host.name, where(host), host.groups])).toEqual([
      ["@vagrant/ubuntu", "@ssh/ubuntu", ["@vagrant", "web", "front", "all"]],
      ["@vagrant/debian", "@ssh/debian", ["@vagrant", "all"]],
    ]);
    expect(data("@vagrant/ubuntu")).toEqual({
      sshHostname: "127.0.0.1",
      sshPort: 2222,
      sshUser: "ada",
      sshKey: "/home/ada/my project/.vagrant/machines/ubuntu/virtualbox/private_key",
      sshKnownHostsFile: "/dev/null",
      sshStrictHostKeyChecking: "no",
      somedata: true,
    });
  });

  test("brings one of them, if it runs", async () => {
    const env = await fake(cwd);
    expect((await load("@vagrant/debian", { cwd, env })).names).toEqual(["@vagrant/debian"]);
    expect(await failure("@vagrant/centos", { cwd, env })).toMatchObject({
      code: "E_INVENTORY",
      message: 'The Vagrant machine "centos" is not running',
    });
    expect(await failure("@vagrant/debain", { cwd, env })).toMatchObject({ hint: 'Did you mean "debian"?' });
  });
});

describe("@ssh-config", () => {
  const home = () => join(root, "home");
  beforeAll(async () => {
    await mkdir(join(home(), ".ssh/extra"), { recursive: true });
    await cp(join(FIXTURES, "ssh-config/config"), join(home(), ".ssh/config"));
    await writeFile(join(home(), ".ssh/extra/a.conf"), "Host extra-1 extra-*\n  User x\n");
  });

  test("brings the names of Host lines, includes among them, and no patterns", async () => {
    const { names, hosts } = await load("@ssh-config", { home: home() });
    expect(names).toEqual(["bastion", "extra-1", "web-1", "web-2"]);
    expect(hosts.map(where)).toEqual(["@ssh/bastion", "@ssh/extra-1", "@ssh/web-1", "@ssh/web-2"]);
    expect(hosts[0]?.groups).toEqual(["@ssh-config", "all"]);
  });

  test("brings those that match a pattern", async () => {
    expect((await load("@ssh-config/web-*", { home: home() })).names).toEqual(["web-1", "web-2"]);
    expect(await failure("@ssh-config/mail*", { home: home() })).toMatchObject({
      code: "E_INVENTORY",
      message: '"@ssh-config/mail*" finds no hosts',
    });
  });
});

describe("@ansible", () => {
  const ini = () => load("@ansible/ansible/hosts.ini");

  test("reads INI files: ranges, groups in groups, variables of all of them", async () => {
    const { names, host, data } = await ini();
    expect(names).toEqual([
      "bare",
      "web01.example.org",
      "web02.example.org",
      "web03.example.org",
      "10.0.0.8",
      "10.0.0.10",
      "db-a",
      "db-b",
      "here",
      "box",
      "pod-1",
      "jail",
    ]);
    expect(host("bare").groups).toEqual(["@ansible", "ungrouped", "all"]);
    expect(host("db-a").groups).toEqual(["@ansible", "stack", "db", "all"]);
    expect(data("web02.example.org")).toEqual({ sshUser: "ada", env: "stacked", region: "eu", domain: "lab.example" });
    expect(data("db-b")).toMatchObject({
      env: "production",
      rank: 7,
      region: "eu",
      engine: "postgres",
      sshUser: "deploy",
    });
  });

  test("reads values as Python has them", async () => {
    const { sshPort, note, ports, size, flag, off, nothing, map, version, raw } = (await ini()).data("10.0.0.10");
    expect({ sshPort, note, ports, size, flag, off, nothing, map, version, raw }).toEqual({
      sshPort: 2022,
      note: "it's a # quoted note",
      ports: [80, 443],
      size: 3.5,
      flag: true,
      off: false,
      nothing: null,
      map: "{a:1,b:[2,x]}",
      version: "1.10.0",
      raw: "yes",
    });
  });

  test("maps how hosts are reached and who is become", async () => {
    const { data, host } = await ini();
    expect(data("bare")).toMatchObject({
      sshHostname: "192.0.2.1",
      sshPort: 2222,
      _suUser: "root",
      role: { name: "edge", ports: [1, 2] },
    });
    expect(data("db-a")).toMatchObject({ sshKey: "~/keys/db", _sudo: true, _sudoUser: "postgres" });
    expect(data("db-a")["_sudoPassword"]).toBeInstanceOf(Secret);
    expect((data("db-a")["_sudoPassword"] as Secret).reveal()).toBe("p w");
    expect(["bare", "here", "box", "pod-1", "jail"].map(name => where(host(name)))).toEqual([
      "@ssh/bare",
      "@local",
      "@docker/app",
      "@kubectl/pod-1",
      "@chroot/srv/jail",
    ]);
    expect(data("pod-1")["kubectlNamespace"]).toBe("prod");
    expect(data("box")["sshHostname"]).toBeUndefined();
  });

  test("says what it leaves out", async () => {
    const { warnings } = await ini();
    expect(warnings.map(warning => warning.replace(FIXTURES, "")).sort()).toEqual([
      "/ansible/group_vars/db/locked.yml is left out: encrypted by Ansible Vault",
      "db-a, db-b of ansible/hosts.ini: secret left out: encrypted by Ansible Vault",
      "win of ansible/hosts.ini: it is left out, because there is no connector for ansible_connection=winrm",
    ]);
  });

  test("reads YAML files", async () => {
    const { names, host, data, warnings } = await load("@ansible/ansible/hosts.yml");
    expect(names).toEqual(["lone", "web1", "web2", "old"]);
    expect(host("web1").groups).toEqual(["@ansible", "web", "canary", "all"]);
    expect(data("web1")).toMatchObject({
      tier: "canary",
      sshPort: 2200,
      templated: "{{ region }}-x",
      region: "from a file",
    });
    expect(data("web2")["tier"]).toBe("front");
    expect(data("old")["sshHostname"]).toBeUndefined();
    expect(warnings).toEqual([
      "Templates are not rendered and stay as they are written: templated in ansible/hosts.yml",
      "old of ansible/hosts.yml: ansible_host is a template, which is not rendered: {{ inventory_hostname }}.example",
    ]);
  });

  test("says once which variables are templates, wherever they are, and uses none to connect", async () => {
    const files = {
      "hosts.ini":
        "[web]\nweb[1:7] inline={{one}} ansible_become=yes ansible_become_password={{pw}}\n[web:vars]\nmode={% x %}\n",
      "group_vars/web.yml":
        "url: 'http://{{ domain }}'\nnested: &n {list: [a, '{{ b }}']}\nagain: *n\nraw: !unsafe '{{ raw }}'\nplain: no\nmode: 0644\n",
      "group_vars/other.yml": "url: '{{ unused }}'\n",
      "host_vars/web1": "own: '{{ own }}'\n",
    };
    const cwd = join(root, "templates");
    for (const [name, text] of Object.entries(files)) {
      await mkdir(join(cwd, name, ".."), { recursive: true });
      await writeFile(join(cwd, name), text);
    }
    const { data, warnings } = await load("@ansible/hosts.ini", { cwd });
    expect(warnings).toEqual([
      "Templates are not rendered and stay as they are written: inline, mode in hosts.ini; url, nested, again in group_vars/web.yml; own in host_vars/web1",
      "web1, web2, web3, web4, web5 and 2 more of hosts.ini: ansible_become_password is a template, which is not rendered: {{pw}}",
    ]);
    expect(data("web1")).toEqual({
      inline: "{{one}}",
      _sudo: true,
      mode: 420,
      url: "http://{{ domain }}",
      nested: { list: ["a", "{{ b }}"] },
      again: { list: ["a", "{{ b }}"] },
      raw: "{{ raw }}",
      plain: false,
      own: "{{ own }}",
    });
  });

  test("asks scripts, and reads directories", async () => {
    const { names, host, data } = await load("@ansible/ansible/script.sh");
    expect(names).toEqual(["s1", "s2", "s3"]);
    expect([host("s3").groups, data("s1")["sshUser"], data("s3")["tier"]]).toEqual([
      ["@ansible", "web", "sub", "all"],
      "ada",
      "front",
    ]);
    const all = await load("@ansible/ansible");
    expect(all.names).toEqual(expect.arrayContaining(["bare", "lone", "s1"]));
    expect(all.data("bare")["role"]).toBeDefined();
  });

  test("a mistake has its file and line", async () => {
    await writeFile(join(root, "bad.ini"), "[web]\nweb-1\n[db:vrs]\n");
    await writeFile(join(root, "quote.ini"), 'web-1 a="b\n');
    await writeFile(join(root, "bad.yml"), "all:\n  hosts: [\n");
    await writeFile(join(root, "list.yml"), "- a\n- b\n");
    expect(await failure("@ansible/bad.ini", { cwd: root })).toMatchObject({
      code: "E_INVENTORY",
      message: 'Section "[db:vrs]" is neither hosts, vars nor children',
      at: { file: join(root, "bad.ini"), line: 3 },
    });
    expect(await failure("@ansible/quote.ini", { cwd: root })).toMatchObject({
      at: { line: 1 },
      message: expect.stringContaining("not closed"),
    });
    expect((await failure("@ansible/bad.yml", { cwd: root })).message).toMatch(/bad\.yml is not YAML: /);
    expect((await failure("@ansible/list.yml", { cwd: root })).message).toMatch(/it must be groups by name$/);
    expect((await failure("@ansible/none.ini", { cwd: root })).message).toBe(
      'Ansible inventory "none.ini" does not exist',
    );
  });
});
