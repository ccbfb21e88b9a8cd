/** What the machine does not allow: files, connections, processes. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { needRoot, needTools } from "../support/machine.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";
import { spawn } from "../support/test-host.ts";

setDefaultTimeout(120_000);
const ROOT = join(import.meta.dir, "../..");
const CONNECT_ALL = join(ROOT, "tests/support/connect-all.ts");

let server: Sshd;
let directory: string;
beforeAll(async () => {
  needRoot("Another user");
  await needTools({ sshd: "openssh-server", setpriv: "util-linux", prlimit: "util-linux" });
  server = await startSshd();
  directory = await mkdtemp(join(tmpdir(), "tsinfra-limits-"));
  await chmod(directory, 0o777);
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true });
});

/** Run a program that may have so many files open. */
const limited = (files: number, argv: readonly string[], stdin?: string) =>
  spawn(["sh", "-c", 'ulimit -n "$0" && exec "$@"', `${files}`, ...argv], Buffer.from(stdin ?? ""), {
    ...process.env,
    SSH_AUTH_SOCK: "",
  });
const data = () => ({ ...server.data, sshKnownHostsFile: join(server.home, ".ssh/known_any"), sshConfigFile: "none" });
const asked = async (hosts: readonly string[], leave?: number) => {
  await Bun.write(join(server.home, ".ssh/known_any"), server.knownHosts.replace(/^\S+/, "*"));
  return JSON.stringify({
    home: server.home,
    timeout: 30,
    hosts: hosts.map(name => ({ name, data: { ...data(), sshHostname: name.replace(/^h\d+$/, "localhost") } })),
    stuck: [],
    leave,
  });
};

test("more hosts than this process may have connections are refused in one line, before any is connected to", async () => {
  const hosts = Array.from({ length: 100 }, (_, index) => [`h${index}`, data()]);
  await Bun.write(join(directory, "inventory.ts"), `export const fleet = ${JSON.stringify(hosts)};\n`);
  const { exitCode, stderr, stdout } = await limited(64, [
    ...[process.execPath, join(ROOT, "src/main.ts")],
    ...[join(directory, "inventory.ts"), "exec", "--", "true"],
  ]);
  expect(exitCode).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toMatch(
    /^Error: 100 hosts need about \d+ open files and connections, and this process may open \d+ more\nHint: Raise the limit with ulimit -n, or run on \d+ hosts at a time: --limit, --shard\n$/,
  );
  expect(await server.log()).not.toContain("Accepted publickey");
});

test("hosts that it may just have connections to are connected to, fewer at once", async () => {
  const hosts = Array.from({ length: 30 }, (_, index) => `h${index}`);
  const { exitCode, stdout, stderr } = await limited(110, [process.execPath, CONNECT_ALL], await asked(hosts));
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  expect(stdout.match(/"answer":"127/g)?.length).toBe(30);
});

for (const left of [0, 1, 2, 3])
  test(`a process with ${left} files left says so of every host, and blames nobody else`, async () => {
    const hosts = ["127.0.0.1", "h1", "h2", "h3"];
    const { stdout } = await limited(100, [process.execPath, CONNECT_ALL], await asked(hosts, left));
    const told = stdout
      .trim()
      .split("\n")
      .map(line => JSON.parse(line) as { readonly error?: string; readonly code?: string; readonly hint?: string });
    expect(told).toHaveLength(4);
    for (const { error, code, hint } of told) {
      if (error === undefined) continue;
      expect(error).toContain("this process has as many files and connections open as it may have");
      expect(code).toBe("E_CONNECT");
      expect(hint).toContain("ulimit -n");
    }
    expect(told.some(({ error }) => error !== undefined)).toBe(true);
  });

test("a user with as many processes as are allowed is told so", async () => {
  const script = join(directory, "local.ts");
  await Bun.write(
    script,
    `import { createLocalConnector } from ${JSON.stringify(join(ROOT, "src/connectors/local.ts"))};
import { sh } from ${JSON.stringify(join(ROOT, "src/core/command.ts"))};
const connection = await createLocalConnector().connect({ name: "@local", address: "", data: {}, timeout: 1, signal: new AbortController().signal });
Bun.spawnSync(["prlimit", "--pid", String(process.pid), "--nproc=1:1"]);
for (const pty of [false, true])
  console.log(await connection.run(sh\`true\`, { pty }).then(() => "It ran", error => [error.code, error.message, error.hint].join(" | ")));
process.exit(0);
`,
  );
  const { stdout, stderr } = await spawn(
    ["setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups", process.execPath, script],
    undefined,
    { ...process.env, HOME: directory },
  );
  expect(stderr).toBe("");
  const line =
    "E_OPERATION | Cannot start /bin/sh: this user has as many processes as the limit allows | Raise the limit with ulimit -u, or end other programs of this user\n";
  expect(stdout).toBe(line + line);
});
