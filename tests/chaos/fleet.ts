/** The hosts of chaos runs: SSH servers on loopback behind ways with faults, and this machine itself. @module */
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, type Sshd, startSshd } from "../support/sshd.ts";
import { CLEAN, type FaultProxy, startFaultProxy, type Way } from "./fault-proxy.ts";
import { deployText, ENDLESS, type Program } from "./program.ts";
import { type Next, random } from "./random.ts";

/** SSH servers, and directories that belong to nobody else: what is left in them was left by a run. */
export interface Fleet extends AsyncDisposable {
  readonly directory: string;
  readonly servers: readonly Sshd[];
  /** Temporary directory of all hosts. */
  readonly hostTemp: string;
  /** Every process that a run has started here, or on a host, has this in its environment. */
  readonly token: string;
}

/** A host of one run. */
export interface ChaosHost {
  readonly name: string;
  /** Number of its server; absent: it is this machine. */
  readonly server?: number;
  readonly transport: "embedded" | "openssh";
  readonly way: Way;
  /** Loopback address of its own. */
  readonly address?: string;
}

/** `address` is what the servers listen on; all but loopback only in a network of one's own. */
export async function raiseFleet(
  servers: number,
  { address = "127.0.0.1", config = [] }: { readonly address?: string; readonly config?: readonly string[] } = {},
): Promise<Fleet> {
  const directory = mkdtempSync(join(tmpdir(), "tsinfra-chaos-"));
  const hostTemp = join(directory, "host-temp");
  mkdirSync(hostTemp);
  mkdirSync(join(directory, "host-home"));
  const token = randomUUID();
  const environment = `SetEnv HOME=${directory}/host-home TMPDIR=${hostTemp} ${TOKEN}=${token}`;
  const started = await Promise.all(
    Array.from({ length: servers }, () => startSshd({ address, config: [environment, ...config] })),
  );
  return {
    directory,
    servers: started,
    hostTemp,
    token,
    async [Symbol.asyncDispose]() {
      for (const server of started) await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
/** Name of the variable that marks our processes. */
export const TOKEN = "TSINFRA_CHAOS";

/** Some hosts, each with its luck. */
export function randomHosts(
  next: Next,
  servers: number,
  { isQuick = false }: { readonly isQuick?: boolean } = {},
  way: (next: Next) => Way = () => CLEAN,
): readonly ChaosHost[] {
  const count = isQuick ? 4 : 3 + next(5);
  return Array.from({ length: count }, (_, index): ChaosHost => {
    // From its own numbers: with a host more or less, the others are as they were.
    const own = random(next(1_000_000));
    const transport = own(8) === 0 ? "openssh" : "embedded";
    return index % 4 === 3
      ? { name: `@local/${index}`, transport: "embedded", way: CLEAN }
      : { name: `h${index}`, server: own(servers), transport, way: way(own) };
  });
}

/** Everything one run needs, laid out in a directory of its own. */
export interface Stage extends AsyncDisposable {
  readonly directory: string;
  readonly hosts: readonly ChaosHost[];
  readonly proxies: ReadonlyMap<string, FaultProxy>;
  /** Words of the command line after the program's name. */
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where this run keeps what is temporary here. */
  readonly temp: string;
  readonly home: string;
  /** The host's own directory. */
  of(host: ChaosHost): string;
}

export async function setStage(fleet: Fleet, hosts: readonly ChaosHost[], program: Program): Promise<Stage> {
  const directory = mkdtempSync(join(fleet.directory, "run-"));
  const [temp, home] = [join(directory, "temp"), join(directory, "home")];
  for (const path of [temp, home]) mkdirSync(path);
  writeFileSync(join(directory, "deploy.ts"), deployText(program));
  writeFileSync(join(directory, "script.sh"), `#!/bin/sh\nsleep "$3"; echo "$1" >>"$2"; sleep "$4"\n`);
  for (const size of new Set(program.steps.flatMap(step => [step, ...step.nested]).map(step => step.size)))
    writeFileSync(join(directory, `put-${size}`), "0123456789".repeat(size / 10));
  // What is lost is noticed soon, and a busy machine is no lost host.
  writeFileSync(join(directory, "ssh_config"), "ServerAliveInterval 2\nServerAliveCountMax 2\nConnectTimeout 8\n");
  writeFileSync(
    join(directory, "known_hosts"),
    fleet.servers.map(({ knownHosts }) => knownHosts.replace(/^\S+/gm, "127.*")).join(""),
  );
  const of = ({ name }: ChaosHost): string => join(directory, "hosts", name.replace(/\W/g, "-"));
  const proxies = new Map<string, FaultProxy>();
  const list: unknown[] = [];
  for (const [index, host] of hosts.entries()) {
    mkdirSync(of(host), { recursive: true });
    writeFileSync(join(of(host), "journal"), "");
    const data: Record<string, unknown> = { index, dir: of(host) };
    const server = host.server === undefined ? undefined : fleet.servers[host.server]!;
    if (server) {
      const address = host.address ?? "127.0.0.1";
      let port = server.port;
      if (host.way !== CLEAN) {
        const proxy = await startFaultProxy({ address: "127.0.0.1", port }, host.way, {
          address,
          port: host.way.refusedFor > 0 ? await freePort(address) : 0,
        });
        proxies.set(host.name, proxy);
        port = proxy.port;
      }
      Object.assign(data, {
        sshHostname: address,
        sshPort: port,
        sshUser: server.user,
        sshKey: server.key,
        sshKnownHostsFile: join(directory, "known_hosts"),
        sshConfigFile: join(directory, "ssh_config"),
        sshTransport: host.transport,
      });
    }
    list.push([host.name, data]);
  }
  writeFileSync(join(directory, "inventory.ts"), `export const fleet = ${JSON.stringify(list)};\n`);
  return {
    directory,
    hosts,
    proxies,
    words: ["inventory.ts", "deploy.ts", "-y", "--json", ...program.options],
    environment: { PATH: process.env["PATH"] ?? "", HOME: home, TMPDIR: temp, [TOKEN]: fleet.token, LANG: "C.UTF-8" },
    temp,
    home,
    of,
    async [Symbol.asyncDispose]() {
      for (const proxy of proxies.values()) await proxy.close();
      endLeftovers(fleet);
      // What one run has left is not found again after the next.
      for (const name of readdirSync(fleet.hostTemp)) rmSync(join(fleet.hostTemp, name), { recursive: true });
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** How a run was ended from outside, if it was: one that is killed cannot tidy up, and one that leaves at once does so only here. */
export type Haste = "none" | "leaves at once" | "killed";

/** What a run has left behind, in words. */
export function leftovers(fleet: Fleet, stage: Stage, haste: Haste): readonly string[] {
  const left = processesOf(fleet.token)
    // A user's own command, which goes on when nobody is there to end it.
    .filter(({ command }) => haste === "none" || !command.includes(ENDLESS))
    .map(({ pid, command }) => `process ${pid}: ${command.slice(0, 300)}`);
  for (const server of fleet.servers) {
    const sessions = sessionsOf(server).filter(pid => haste === "none" || !isEndless(pid));
    if (sessions.length > 0) left.push(`${sessions.length} connections at the server on port ${server.port}`);
  }
  const directories = [...stage.hosts.map(host => stage.of(host))];
  if (haste === "none") directories.push(fleet.hostTemp);
  if (haste !== "killed") directories.push(stage.temp, stage.home);
  for (const directory of directories)
    for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" }))
      // This machine is a host as well, and what was copied to hosts stays there when nobody is left to remove it.
      if (!isExpected(name) && !(haste !== "none" && directory === stage.temp && COPIED.test(name)))
        left.push(`file ${join(directory, name)}`);
  return left;
}

/** End what is left all the same, or it would be found again after the next run. */
export function endLeftovers(fleet: Fleet): void {
  for (const { pid } of processesOf(fleet.token)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has just ended.
    }
  }
}

/** What a deploy makes, the cache of compiled modules that Bun keeps in the home directory, and the record of a run whose terminal was closed. */
const isExpected = (name: string): boolean =>
  /^(?:journal|lines|put-o\d+(?:n\d+)?|\.bun(?:\/.*)?|\.local(?:\/state(?:\/tsinfra(?:\/interrupted-[^/]*)?)?)?)$/.test(
    name,
  );

const COPIED = /^tsinfra-[0-9a-f]{40}$/;

const sessionsOf = ({ directory }: Sshd): readonly string[] =>
  children(Number(readFileSync(join(directory, "pid"), "utf8")));

/** Whether the process, or one below it, is a command that does not end by itself. */
function isEndless(pid: string): boolean {
  try {
    return (
      readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").includes(ENDLESS) ||
      children(Number(pid)).some(isEndless)
    );
  } catch {
    return false;
  }
}

function processesOf(token: string): readonly { readonly pid: number; readonly command: string }[] {
  return readdirSync("/proc")
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      try {
        if (!readFileSync(`/proc/${pid}/environ`, "utf8").includes(`${TOKEN}=${token}`)) return [];
        return [
          {
            pid: Number(pid),
            command: readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "),
          },
        ];
      } catch {
        // It has just ended.
        return [];
      }
    });
}

const children = (pid: number): readonly string[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
