import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { executable } from "../support/executable.ts";
import { needRoot, needTools } from "../support/machine.ts";
import { until } from "../support/until.ts";

const FIXTURES = join(import.meta.dir, "../../fixtures/shards");
const HOSTS = [...Array.from({ length: 9 }, (_, index) => `web-${index + 1}`), "db-1", "db-2", "mail"];
const INVENTORY = `
export const web = ${JSON.stringify(HOSTS.filter(host => host.startsWith("web")).map(host => `@local/${host}`))};
export const others = ["@local/db-1", "@local/db-2", "@local/mail"];
`;
/** Every host leaves a line in a file of its own; the controller of the host in $DIES is killed there. */
const DEPLOY = `
import { host } from "tsinfra";
import { server, ts } from "tsinfra/operations";
const name = host.name.replace("@local/", "");
server.shell({ name: "Mark", commands: [\`echo done >>marks/\${name}\`] });
server.shell({ name: "Once", commands: ["echo done >>marks/once"], _runOnce: true });
ts.call({ name: "Go on", function: () => { if (process.env.DIES === name) process.kill(process.pid, "SIGKILL"); } });
`;

let root: string;
let work: string;
let bin: string;
beforeAll(async () => {
  needRoot("A cluster of Slurm");
  await needTools({
    parallel: "parallel",
    slurmctld: "slurmctld",
    slurmd: "slurmd",
    sbatch: "slurm-client",
    munged: "munge",
  });
  root = mkdtempSync(join(tmpdir(), "tsinfra-shards-"));
  // munged wants a way to its socket for everybody.
  chmodSync(root, 0o755);
  bin = join(root, "bin");
  mkdirSync(bin);
  symlinkSync(await executable(), join(bin, "tsinfra"));
}, 600_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

beforeEach(() => {
  work = mkdtempSync(join(root, "work-"));
  mkdirSync(join(work, "marks"));
  writeFileSync(join(work, "inventory.ts"), INVENTORY);
  writeFileSync(join(work, "deploy.ts"), DEPLOY);
  for (const script of ["parallel.sh", "slurm.sh"]) copyFileSync(join(FIXTURES, script), join(work, script));
});

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}
async function run(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const child = Bun.spawn([...words], {
    cwd: work,
    env: { ...process.env, PATH: `${bin}:${process.env["PATH"]}:/usr/sbin`, HOME: root, ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, err };
}
/** Lines per file. */
const marks = (): Record<string, number> =>
  Object.fromEntries(
    readdirSync(join(work, "marks"))
      .sort()
      .map(name => [name, readFileSync(join(work, "marks", name), "utf8").split("\n").length - 1]),
  );
const each = (names: readonly string[]): Record<string, number> =>
  Object.fromEntries([...names].sort().map(name => [name, 1]));
/** How many hosts the rows of the shards say they have. */
const hostsOf = (out: string): number[] => [...out.matchAll(/^ {2}\d\/4 +(\d+) /gm)].map(match => Number(match[1]));

function expectWhole({ code, out }: Ended): void {
  expect([code, hostsOf(out).length, hostsOf(out).reduce((sum, hosts) => sum + hosts, 0)]).toEqual([
    0,
    4,
    HOSTS.length,
  ]);
  expect(out).toMatch(/^ {2}Mark +12 +12 /m);
  expect(out).toMatch(/^ {2}Once +12 +1 +- +11 /m);
  expect(marks()).toEqual(each([...HOSTS, "once"]));
}

describe("GNU parallel", () => {
  test("runs every shard, every host has been worked on once, and there is one report", async () => {
    expectWhole(await run(["./parallel.sh"]));
  }, 120_000);

  test("with a shard that is killed, the report names it and fails; the others' results are there", async () => {
    const { code, out, err } = await run(["./parallel.sh"], { DIES: "web-3" });
    expect(code).toBe(1);
    expect(err).toMatch(
      /^Problem: The log of \d\/4 \(standard input\) ends early: its run was killed or is still going on, and what became of its \d hosts is not known$/m,
    );
    expect(out).toMatch(/^ {2}\d\/4 .* none /m);
    expect(marks()).toEqual(each([...HOSTS, ...("once" in marks() ? ["once"] : [])]));
  }, 120_000);
});

describe("a Slurm array", () => {
  let stop: () => Promise<void> = async () => {};
  let cluster: Readonly<Record<string, string>> = {};
  beforeAll(async () => {
    ({ stop, environment: cluster } = await startSlurm(join(root, "slurm")));
  }, 120_000);
  afterAll(() => stop());

  const report = (): Promise<Ended> => run(["sh", "-c", "tsinfra report merge shard-*.jsonl"]);

  test("runs every shard as a task, and the logs of the tasks make one report", async () => {
    const submitted = await run(["sbatch", "--wait", "slurm.sh"], cluster);
    expect([submitted.code, submitted.err]).toEqual([0, ""]);
    const merged = await report();
    expectWhole(merged);
    expect(merged.err).toBe("");
  }, 120_000);

  test("with a task that is killed, the report names it; sent again alone it completes the report", async () => {
    const submitted = await run(["sbatch", "--wait", "--export=ALL", "slurm.sh"], { ...cluster, DIES: "web-3" });
    expect(submitted.code).not.toBe(0);
    const merged = await report();
    expect(merged.code).toBe(1);
    const [, killed = ""] = /^Problem: The log of (\d)\/4 \(shard-\1\.jsonl\) ends early/m.exec(merged.err) ?? [];
    expect(merged.err.trim().split("\n")).toHaveLength(1);
    expect(killed).toMatch(/^[1-4]$/);

    expect((await run(["sbatch", "--wait", `--array=${killed}`, "slurm.sh"], cluster)).code).toBe(0);
    const again = await report();
    expect([again.code, again.err, hostsOf(again.out).length]).toEqual([0, "", 4]);
  }, 120_000);

  test("that lost a task's log is told so", async () => {
    await run(["sbatch", "--wait", "slurm.sh"], cluster);
    rmSync(join(work, "shard-2.jsonl"));
    const merged = await report();
    expect([merged.code, merged.err]).toEqual([
      1,
      expect.stringMatching(/^\s*Problem: Shard 2\/4 is missing, and \d hosts? of 12 with it\s*$/),
    ]);
  }, 120_000);
});

/** A cluster of one node, on loopback, all of it in one directory. */
async function startSlurm(
  directory: string,
): Promise<{ readonly environment: Readonly<Record<string, string>>; stop(): Promise<void> }> {
  for (const name of ["", "munge", "spool", "state"]) mkdirSync(join(directory, name), { mode: 0o755 });
  const at = (...names: string[]): string => join(directory, ...names);
  writeFileSync(at("munge/key"), crypto.getRandomValues(new Uint8Array(1024)), { mode: 0o600 });
  const [controller, node] = [freePort(), freePort()];
  const settings = {
    ClusterName: "shards",
    SlurmctldHost: `${hostname()}(127.0.0.1)`,
    SlurmctldPort: controller,
    SlurmdPort: node,
    SlurmUser: "root",
    AuthType: "auth/munge",
    CredType: "cred/munge",
    AuthInfo: `socket=${at("munge/socket")}`,
    // Loopback only.
    CommunicationParameters: "NoCtldInAddrAny,NoInAddrAny",
    StateSaveLocation: at("state"),
    SlurmdSpoolDir: at("spool"),
    SlurmctldPidFile: at("slurmctld.pid"),
    SlurmdPidFile: at("slurmd.pid"),
    // Without cgroups: containers seldom let them be made.
    ProctrackType: "proctrack/linuxproc",
    TaskPlugin: "task/none",
    SwitchType: "switch/none",
    MpiDefault: "none",
    JobAcctGatherType: "jobacct_gather/none",
    AccountingStorageType: "accounting_storage/none",
    SelectType: "select/cons_tres",
    SelectTypeParameters: "CR_CPU",
    ReturnToService: 2,
    SchedulerParameters: "batch_sched_delay=0,sched_interval=1",
  };
  const lines = [
    ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
    `NodeName=${hostname()} NodeAddr=127.0.0.1 CPUs=${Math.min(2, navigator.hardwareConcurrency)} State=UNKNOWN`,
    "PartitionName=all Nodes=ALL Default=YES MaxTime=10 State=UP",
  ];
  writeFileSync(at("slurm.conf"), `${lines.join("\n")}\n`);
  const environment = { SLURM_CONF: at("slurm.conf") };
  const daemons: Bun.Subprocess[] = [];
  const start = (...words: string[]): void => {
    const log = Bun.file(at(`${words[0]}.log`));
    daemons.push(
      Bun.spawn(words, {
        cwd: directory,
        env: { ...process.env, PATH: `${bin}:${process.env["PATH"]}:/usr/sbin`, ...environment },
        stdin: "ignore",
        stdout: log,
        stderr: log,
      }),
    );
  };
  const stop = async (): Promise<void> => {
    for (const daemon of daemons.toReversed()) {
      daemon.kill();
      await daemon.exited;
    }
  };
  try {
    start(
      "munged",
      "--foreground",
      "--force",
      `--key-file=${at("munge/key")}`,
      `--socket=${at("munge/socket")}`,
      `--pid-file=${at("munge/pid")}`,
      `--log-file=${at("munge/log")}`,
      `--seed-file=${at("munge/seed")}`,
    );
    await until(
      "munged answers",
      async () =>
        (await Bun.spawn(["munge", "-n", "-S", at("munge/socket")], { stdout: "ignore", stderr: "ignore" }).exited) ===
        0,
      20,
    );
    start("slurmctld", "-D", "-f", at("slurm.conf"));
    start("slurmd", "-D", "-f", at("slurm.conf"));
    await until(
      "the node is idle",
      async () =>
        (
          await new Response(
            Bun.spawn(["sinfo", "-h", "-o", "%t"], {
              env: { ...process.env, ...environment },
              stdout: "pipe",
              stderr: "ignore",
            }).stdout,
          ).text()
        ).trim() === "idle",
      60,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { environment, stop };
}

function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}
