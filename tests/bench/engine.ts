/** The engine alone: many fake hosts, many operations, no network. `bun tests/bench/engine.ts [HOSTS] [OPERATIONS] [--commands]` */
import { DEFAULT_CONFIG } from "../../src/core/config.ts";
import type { LocalFiles } from "../../src/core/host.ts";
import { callSites } from "../../src/deploy/call-site.ts";
import { createRun } from "../../src/engine/run.ts";
import { operation, sh } from "../../src/public/index.ts";

const hosts = Number(process.argv[2] ?? 5000);
const operations = Number(process.argv[3] ?? 100);
const commands = process.argv.includes("--commands");

const ensure = operation<{ what: string }>({
  name: "bench.ensure",
  async *steps(host, { what }) {
    if (!commands) return host.noop("nothing to do");
    yield sh`ensure ${what}`;
  },
});

const empty = new Uint8Array();
const run = createRun({
  hosts: Array.from({ length: hosts }, (_, index) => ({
    name: `host-${index}`,
    address: "",
    connector: "fake",
    groups: ["web"],
    data: [{ role: "web" }],
  })),
  connectors: new Map([
    [
      "fake",
      {
        name: "fake",
        summary: "Answers at once.",
        can: { pty: false, rsync: false },
        dataKeys: {},
        connect: async () => ({
          run: async (command, options) => {
            const nonce = /tsinfra-\w+/.exec(command.wire())?.[0];
            options?.onOutput?.("stderr", Buffer.from(`${nonce} 1\n`));
            return { exitCode: 0, stdout: empty, stderr: Buffer.from(`${nonce} 1\n`) };
          },
          close: async () => {},
        }),
      },
    ],
  ]),
  connectorContext: { ask: async () => undefined, warn: () => {}, inform: () => {}, cwd: "/" },
  local: {} as LocalFiles,
  transfers: {
    size: async () => 0,
    small: async () => undefined,
    read: async function* () {},
    write: async () => ({ push() {}, async commit() {}, async discard() {} }),
  },
  emit: () => {},
  clock: { now: () => Date.now(), monotonic: () => performance.now(), sleep: async () => {} },
  cwd: "/",
  serial: false,
  noWait: false,
  signal: new AbortController().signal,
  loadDeploy: async () => Promise.reject(new Error("No deploys")),
  checkArguments: () => {},
  localShell: async () => ({ exitCode: 0, stdout: "", stderr: "", stdoutLines: [], stderrLines: [], isCut: false }),
  unifiedDiff: () => "",
  callSites,
  environment: {},
  fast: false,
  config: DEFAULT_CONFIG,
});

const cpu = process.cpuUsage();
Bun.gc(true);
const before = process.memoryUsage().rss;
const time = async (name: string, stage: () => Promise<unknown>): Promise<void> => {
  const started = performance.now();
  await stage();
  const ms = performance.now() - started;
  console.log(
    `${name.padEnd(8)} ${ms.toFixed(0).padStart(7)} ms  ${((ms * 1000) / (hosts * operations)).toFixed(2)} µs a host-operation`,
  );
};
await time("connect", () => run.connect());
await time("prepare", () =>
  run.prepare([
    {
      name: "deploy.ts",
      evaluate: async () => {
        for (let i = 0; i < operations; i++) ensure({ what: `thing ${i}` });
      },
    },
  ]),
);
await time("propose", async () => run.propose());
await time("execute", () => run.execute());
const { user, system } = process.cpuUsage(cpu);
const grown = process.memoryUsage().rss - before;
console.log(
  `CPU ${((user + system) / (hosts * operations)).toFixed(2)} µs and ${(grown / (hosts * operations)).toFixed(0)} bytes a host-operation, RSS ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`,
);
