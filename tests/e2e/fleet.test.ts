/** The product as its user meets it: one executable, a deploy file with a shebang, real hosts over SSH. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { type Hosts, raiseHosts } from "../support/hosts.ts";

const ROOT = `${import.meta.dir}/../..`;

let fleet: Hosts;
let directory: string;

beforeAll(async () => {
  const built = Bun.spawnSync([process.execPath, "build.ts"], { cwd: ROOT, stderr: "pipe" });
  if (built.exitCode !== 0 || !existsSync(`${ROOT}/dist/tsinfra`)) throw new Error(built.stderr.toString());
  fleet = await raiseHosts({ count: 4, init: "systemd" });
  directory = realpathSync(mkdtempSync(`${tmpdir()}/fleet-`));
  cpSync(`${ROOT}/fixtures/e2e`, directory, { recursive: true });
  const hosts = fleet.hosts.map(({ name, address }) => ({
    name,
    data: {
      sshHostname: address,
      sshKey: fleet.identityFile,
      sshKnownHostsFile: fleet.knownHosts,
      sshConfigFile: "/dev/null",
    },
  }));
  writeFileSync(
    `${directory}/inventory.ts`,
    `import { Secret } from "tsinfra";
const [h1, h2, h3, h4] = ${JSON.stringify(hosts)}.map(({ name, data }) => [name, data]);
export const web = [
  [h1[0], { ...h1[1], sshUser: "ops" }],
  // This one's sudo wants a password.
  [h2[0], { ...h2[1], sshUser: "pw", _sudoPassword: new Secret("pw") }],
  [h3[0], { ...h3[1], sshUser: "root" }],
];
export const broken = { hosts: [[h4[0], { ...h4[1], sshUser: "ops" }]], data: { broken: true } };
export const nowhere = [["h9", { ...h1[1], sshHostname: ${JSON.stringify(fleet.nobody)}, sshUser: "ops" }]];
`,
  );
}, 600_000);
afterAll(async () => {
  await fleet?.down();
  if (directory) rmSync(directory, { recursive: true });
});

/** Run the deploy file as a program. */
async function deploy(...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const child = Bun.spawn([`${directory}/deploy.ts`, ...args], {
    cwd: directory,
    env: { PATH: `${ROOT}/dist:/usr/bin:/bin`, HOME: directory, TSINFRA_FAST: process.env.TSINFRA_FAST },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { exitCode, stdout, stderr };
}
const on = async (host: number, line: string): Promise<string> =>
  (await fleet.hosts[host - 1]!.exec(line)).stdout.trim();
const events = (stdout: string): Record<string, unknown>[] =>
  stdout
    .trim()
    .split("\n")
    .map(line => JSON.parse(line));
const outcomes = (stdout: string): string[] =>
  events(stdout)
    .filter(event => event["type"] === "operation:host:end")
    .map(event => `${event["host"]} ${event["operation"]}: ${event["outcome"]}`);

describe("a deploy over SSH", () => {
  test("only shows what would change when it is dry", async () => {
    const { exitCode, stderr } = await deploy("inventory.ts", "--limit", "web", "--dry");
    expect(stderr).toContain("Write the site");
    expect(exitCode).toBe(0);
    expect(await on(1, "ls /etc/site.conf /etc/site.done 2>/dev/null | wc -l")).toBe("0");
  });

  test("brings three hosts into the wanted state, each with its own user and sudo", async () => {
    const { exitCode, stderr } = await deploy("inventory.ts", "--limit", "web", "-y");
    expect(stderr).toContain("Write the site");
    expect(exitCode).toBe(0);
    for (const host of [1, 2, 3]) {
      expect(await on(host, "cat /etc/site.conf")).toBe(`# for h${host}\nbackend=h1`);
      expect(await on(host, "stat -c '%a %U %G' /etc/site.conf /etc/systemd/system/site.service")).toBe(
        "640 root root\n644 root root",
      );
      expect(await on(host, "systemctl is-active site; systemctl is-enabled site")).toBe("active\nenabled");
      expect(await on(host, "cat /etc/site.done")).toBe("done by {{ not a template }} & $HOME");
      expect(await on(host, "cat /run/site.reloads")).toBe("reloaded");
    }
  });

  test("changes nothing the second time, but what always runs", async () => {
    const { exitCode, stdout } = await deploy("inventory.ts", "--limit", "web", "-y", "--json");
    expect(exitCode).toBe(0);
    expect(
      outcomes(stdout)
        .filter(line => line.endsWith(": changed"))
        .sort(),
    ).toEqual(["h1 Smoke test: changed", "h2 Smoke test: changed", "h3 Smoke test: changed"]);
    expect(await on(1, "cat /run/site.reloads")).toBe("reloaded");
  });

  test("reloads the site where its file was changed, and nowhere else", async () => {
    await on(2, "echo changed by hand >>/etc/site.conf");
    const { exitCode, stdout } = await deploy("inventory.ts", "--limit", "web", "-y", "--json");
    expect(exitCode).toBe(0);
    expect(
      outcomes(stdout)
        .filter(line => line.includes("the site: changed"))
        .sort(),
    ).toEqual(["h2 Reload the site: changed", "h2 Write the site: changed"]);
    expect(await on(2, "cat /etc/site.conf")).toBe("# for h2\nbackend=h1");
  });

  test("lets a failing and an unreachable host fail alone, with a reason, and ends with 1", async () => {
    const { exitCode, stderr, stdout } = await deploy("inventory.ts", "-y", "--json");
    expect(exitCode).toBe(1);
    const failed = events(stdout).filter(
      event => event["type"] === "operation:host:end" && event["outcome"] === "failed",
    );
    expect(failed).toMatchObject([
      { host: "h4", operation: "Break", error: { code: "E_COMMAND", output: ["it is broken"] } },
    ]);
    expect(events(stdout).find(event => event["type"] === "host:failed" && event["host"] === "h9")).toMatchObject({
      stage: "connect",
      error: { code: "E_CONNECT" },
    });
    expect(
      outcomes(stdout)
        .filter(line => line.includes("Leave a trace"))
        .map(line => line.slice(0, 2))
        .sort(),
    ).toEqual(["h1", "h2", "h3"]);
    expect(await on(4, "ls /etc/site.done 2>/dev/null | wc -l")).toBe("0");
    expect(stderr + stdout).not.toContain('"pw"');
  });

  test("leaves nothing behind: no process, no temporary file, no password", async () => {
    for (const host of [1, 2, 3, 4]) {
      expect(await on(host, "find / -xdev -name '*tsinfra*' -not -path '/proc/*' 2>/dev/null | wc -l")).toBe("0");
      expect(await on(host, "ps ax -o args= | grep -c '[t]sinfra-'")).toBe("0");
    }
  });
});
