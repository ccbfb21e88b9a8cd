/** Five hundred hosts: one SSH server under as many addresses, in a network of its own. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { needRoot, needTools, type Trace, trace } from "../support/machine.ts";
import { must } from "../support/rootfs.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";
import { spawn } from "../support/test-host.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(600_000);
const MAIN = join(import.meta.dir, "../../src/main.ts");
/** Five files of 20 kB and two commands a host. */
const DEPLOY = `
import { host } from "tsinfra";
import { files, server } from "tsinfra/operations";
import { Hostname } from "tsinfra/facts/server";
await host.getFact(Hostname);
const work = String(host.data["work"]);
files.directory({ path: work, mode: "700" });
for (let i = 0; i < 5; i++) files.put({ src: "content", dest: \`\${work}/\${i}\`, mode: "640" });
server.shell({ name: "Look", commands: [\`cd \${work} && echo "$SSH_CONNECTION" | cut -d' ' -f3 >address\`, "true"] });
`;
/** What a host may cost, in bytes: several times what it does. A host whose connection, files or output are kept costs more. */
const PER_HOST = 2 * 1024 * 1024;

let made: Trace;
let server: Sshd;
let daemon: Bun.Subprocess;
let directory: string;
const inNetwork = (argv: readonly string[]): string[] => ["nsenter", `--net=/run/netns/tsmany${process.pid}`, ...argv];

beforeAll(async () => {
  needRoot("A network of its own");
  await needTools({ ip: "iproute2", nsenter: "util-linux" });
  made = trace();
  made.undo(`ip netns del tsmany${process.pid}`);
  await must(["ip", "netns", "add", `tsmany${process.pid}`]);
  await must(inNetwork(["ip", "link", "set", "lo", "up"]));
  // This one has the keys; the one in the network listens on all of its addresses, of which sshd takes no list of that length.
  server = await startSshd({ config: ["MaxStartups 1000:30:2000", "LoginGraceTime 0"] });
  directory = mkdtempSync(join(tmpdir(), "tsinfra-many-"));
  const config = readFileSync(join(server.directory, "sshd_config"), "utf8")
    .replace(/^ListenAddress.*/m, "ListenAddress 0.0.0.0")
    .replace(/^PidFile.*/m, "PidFile none");
  writeFileSync(join(directory, "sshd_config"), config);
  daemon = Bun.spawn(
    inNetwork([
      Bun.which("sshd", { PATH: "/usr/sbin:/usr/local/sbin" })!,
      "-D",
      "-e",
      "-f",
      join(directory, "sshd_config"),
    ]),
    { stdin: "ignore", stdout: "ignore", stderr: "ignore" },
  );
  await until("sshd listens", async () => (await spawn(inNetwork(["ss", "-Hltn"]))).stdout.includes(`:${server.port}`));
  writeFileSync(join(directory, "deploy.ts"), DEPLOY);
  writeFileSync(join(directory, "content"), "twenty letters long\n".repeat(1000));
  // As slow as this machine may be.
  writeFileSync(join(directory, "config"), "ConnectTimeout 300\n");
  writeFileSync(join(directory, "known_hosts"), server.knownHosts.replace("127.0.0.1", "127.*"));
});
afterAll(async () => {
  daemon.kill();
  await daemon.exited;
  await server.stop();
  rmSync(directory, { recursive: true });
  made.remove();
});

/** The address of a host, and no two the same. */
const address = (host: number): string => `127.${1 + Math.floor(host / 250)}.0.${1 + (host % 250)}`;

/** Deploy to the first so many hosts. */
async function deploy(
  hosts: number,
): Promise<{ readonly code: number; readonly err: string; readonly peak: number; readonly connected: number }> {
  const data = {
    sshPort: server.port,
    sshUser: server.user,
    sshKey: server.key,
    sshKnownHostsFile: join(directory, "known_hosts"),
    sshConfigFile: join(directory, "config"),
  };
  const list = Array.from({ length: hosts }, (_, index) => [
    `h${index}`,
    { ...data, sshHostname: address(index), work: join(directory, `h${index}`) },
  ]);
  writeFileSync(join(directory, "inventory.ts"), `export const fleet = ${JSON.stringify(list)};\n`);
  const env = { ...process.env, HOME: directory, SSH_AUTH_SOCK: "" };
  const child = Bun.spawn(inNetwork([process.execPath, MAIN, "inventory.ts", "deploy.ts", "-y"]), {
    cwd: directory,
    env,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  let [peak, connected] = [0, 0];
  const watch = setInterval(() => {
    peak = Math.max(peak, residentPeak(child.pid));
    connected = Math.max(connected, children(daemon.pid).length);
  }, 100);
  const [err, code] = await Promise.all([child.stderr.text(), child.exited]);
  clearInterval(watch);
  return { code, err, peak, connected };
}

/** Bytes of memory that a process has had at most. */
function residentPeak(pid: number): number {
  try {
    return Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

const children = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);

test("five hundred hosts are deployed to at once, in memory that grows little with each, and nothing is left", async () => {
  const few = await deploy(100);
  expect(few.code, few.err.slice(-2000)).toBe(0);
  const many = await deploy(500);
  expect(many.code, many.err.slice(-2000)).toBe(0);
  console.log(
    `Peak with 100 hosts: ${Math.round(few.peak / 1e6)} MB, with 500: ${Math.round(many.peak / 1e6)} MB; connections at once: ${many.connected}`,
  );
  expect(many.connected).toBe(500);
  expect((many.peak - few.peak) / 400).toBeLessThan(PER_HOST);
  // Each was reached under its own address.
  for (const host of [0, 99, 250, 499])
    expect(readFileSync(join(directory, `h${host}`, "address"), "utf8")).toBe(`${address(host)}\n`);
  for (let host = 0; host < 500; host++)
    expect(
      readdirSync(join(directory, `h${host}`))
        .sort()
        .join(),
    ).toBe("0,1,2,3,4,address");
  await until("the last connection has ended", async () => children(daemon.pid).length === 0);
});
