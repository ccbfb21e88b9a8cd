import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLI, CLI_ENVIRONMENT } from "../support/spawn-cli.ts";
import { spawn } from "../support/test-host.ts";

// From source, the types of all operations may have to be read first.
setDefaultTimeout(120_000);

const INVENTORY = `
export const web = { hosts: ["@local/w1", "@local/w2"], data: { port: 80 } };
export const db = [["@local/d1", { size: 7 }], ["gone", { sshHostname: "127.0.0.1", sshPort: 1, sshConnectRetries: 0 }]];
`;
const DEPLOY = `
import { host, inventory } from "tsinfra";
import { Kernel } from "tsinfra/facts/server";
import { server } from "tsinfra/operations";
const web = inventory.getGroup("web");
const kernel = await web[0].getFact(Kernel);
const told = [host.groups, web.map(one => one.name), web[1].data.port, inventory.getHost("@local/d1").data.size, inventory.groups, inventory.length, kernel];
server.shell({ name: JSON.stringify(told), commands: ["true"] });
server.shell({ name: "Once", commands: ["true"], _runOnce: true });
`;

let cwd: string;
beforeAll(async () => {
  cwd = await realpath(await mkdtemp(join(tmpdir(), "tsinfra-limit-")));
  await writeFile(join(cwd, "inventory.ts"), INVENTORY);
  await writeFile(join(cwd, "deploy.ts"), DEPLOY);
  await writeFile(
    join(cwd, "ask.ts"),
    'import { inventory } from "tsinfra";\nimport { Kernel } from "tsinfra/facts/server";\nawait inventory.getHost("gone").getFact(Kernel);\n',
  );
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

const tsinfra = (...words: string[]) =>
  spawn(["sh", "-c", 'cd "$0" && exec "$@"', cwd, ...CLI, "inventory.ts", ...words], undefined, CLI_ENVIRONMENT);
const events = (out: string): Record<string, unknown>[] =>
  out
    .trim()
    .split("\n")
    .map(line => JSON.parse(line) as Record<string, unknown>);

describe("a deploy that is limited", () => {
  test.each([
    [["--limit", "@local/w2"], ["@local/w2"], ["inventory", "web", "all"]],
    [["--limit", "db", "--exclude", "gone"], ["@local/d1"], ["inventory", "db", "all"]],
    [["--exclude", "web,gone"], ["@local/d1"], ["inventory", "db", "all"]],
    [["--limit", "all", "--exclude", "@local/w1,gone,@local/d1"], ["@local/w2"], ["inventory", "web", "all"]],
  ])("with %p sees the whole inventory and works on %p", async (options, hosts, groups) => {
    const { exitCode, stdout, stderr } = await tsinfra("deploy.ts", "-y", "--json", ...options);
    expect([exitCode, stderr]).toEqual([0, ""]);
    const ended = events(stdout).filter(event => event["type"] === "operation:host:end");
    const kernel = Bun.spawnSync(["uname", "-s"]).stdout.toString().trim();
    const named = JSON.parse(String(ended[0]!["operation"])) as unknown[];
    expect(named.slice(1)).toEqual([
      ["@local/w1", "@local/w2"],
      80,
      7,
      ["@local", "all", "db", "inventory", "web"],
      4,
      kernel,
    ]);
    expect([...(named[0] as string[])].sort()).toEqual(["@local", ...groups].sort());
    expect(ended.map(event => [event["host"], event["outcome"]])).toEqual(
      ["changed", "changed"].map(outcome => [hosts[0]!, outcome]),
    );
    const results = events(stdout).find(event => event["type"] === "results") as { readonly hosts: { host: string }[] };
    expect(results.hosts.map(({ host }) => host)).toEqual(hosts);
    expect(stdout).not.toContain('"key"');
  });

  test("says of whom a fact was asked that could not be reached, and that the run is not limited to it", async () => {
    const { exitCode, stdout, stderr } = await tsinfra("ask.ts", "-y", "--limit", "@local/d1");
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("Cannot ask server.Kernel of gone: gone (127.0.0.1:1) refuses connections");
    expect(stderr).toContain("at ask.ts:3:");
    expect(stderr).toContain("Hint: gone takes no part in this run and is connected to only because");
  });

  test("splits into shards what is left; hosts outside are in none", async () => {
    const ran = await Promise.all(
      ["1/2", "2/2"].map(shard => tsinfra("deploy.ts", "-y", "--json", "--exclude", "gone", "--shard", shard)),
    );
    expect(ran.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual([
      [0, ""],
      [0, ""],
    ]);
    const starts = ran.map(
      ({ stdout }) =>
        events(stdout).find(event => event["type"] === "shard:start") as {
          readonly hosts: string[];
          readonly inventory: { readonly hosts: number };
        },
    );
    expect(starts.flatMap(({ hosts }) => hosts).sort()).toEqual(["@local/d1", "@local/w1", "@local/w2"]);
    expect(starts.map(({ inventory }) => inventory.hosts)).toEqual([3, 3]);
    const once = ran.flatMap(({ stdout }) =>
      events(stdout).filter(
        event =>
          event["type"] === "operation:host:end" && event["operation"] === "Once" && event["outcome"] === "changed",
      ),
    );
    expect(once).toHaveLength(1);
  });
});

describe("debug-inventory", () => {
  test("prints the hosts that take part", async () => {
    const { stdout } = await tsinfra("debug-inventory", "--limit", "web");
    const { hosts, groups } = JSON.parse(stdout) as {
      hosts: Record<string, unknown>;
      groups: Record<string, string[]>;
    };
    expect(Object.keys(hosts)).toEqual(["@local/w1", "@local/w2"]);
    expect(groups["all"]).toEqual(["@local/w1", "@local/w2"]);
  });
});
