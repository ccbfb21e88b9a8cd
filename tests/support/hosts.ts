/** Real hosts for tests: each with its own files, processes, network and SSH server, on this machine and on no other. @module */
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { aptProxy } from "./apt-proxy.ts";
import { needRoot, needTools, startTime, trace, type Trace } from "./machine.ts";
import { debianMirrors, debianTemplate, must } from "./rootfs.ts";
import { type Executed, HOST_ENV, spawn, type TestHost } from "./test-host.ts";

/** How many hosts, and what they are. */
export interface HostsOptions {
  readonly count: number;
  /** `sshd` (default): only the SSH server runs, and a host is up in a tenth of a second. `systemd`: a real boot. */
  readonly init?: "sshd" | "systemd";
  /** Debian release; default: this machine's own. */
  readonly suite?: string;
  readonly packages?: readonly string[];
  /** Let `apt-get` on the hosts reach the mirror of this machine, and nothing else. */
  readonly apt?: boolean;
}

/** A running host. Users: `root`, `ops` (sudo without a password) and `pw` (sudo with the password `pw`); all accept the key. */
export interface RaisedHost extends TestHost {
  /** `h1`, `h2` … */
  readonly name: string;
  readonly address: string;
  /** Kill everything that runs on it; its files stay. */
  stop(): Promise<void>;
  /** Start it again on the files it has. */
  start(): Promise<void>;
  /** Do something that makes it reboot, and wait until it is up again. Only with `systemd`. */
  rebootedBy(action: () => Promise<unknown>): Promise<void>;
}

/** Hosts in a network of their own. */
export interface Hosts extends AsyncDisposable {
  readonly hosts: readonly RaisedHost[];
  /** Private key that every user of every host accepts. */
  readonly identityFile: string;
  readonly knownHosts: string;
  /** For `ssh -F`: knows every host by its name. */
  readonly sshConfig: string;
  /** An address of the hosts' network that nobody has: it can be tried, and nothing answers. */
  readonly nobody: string;
  /** Stop all hosts and remove what they left. Also done when the process ends. */
  down(): Promise<void>;
}

const BASE_PACKAGES = [
  "ca-certificates",
  "iproute2",
  "libpam-systemd",
  "netbase",
  "openssh-server",
  "procps",
  "sudo",
  "systemd-sysv",
];
const SETUP = `
for user in ops pw; do useradd --create-home --shell /bin/bash $user; echo "$user:$user" | chpasswd; done
echo 'ops ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/ops; echo 'pw ALL=(ALL) ALL' > /etc/sudoers.d/pw; chmod 440 /etc/sudoers.d/*
rm -f /etc/ssh/ssh_host_*; : > /etc/machine-id
printf '%s\\n' 'HostKey /etc/ssh/ssh_host_ed25519_key' 'UseDNS no' 'MaxStartups 100:30:200' > /etc/ssh/sshd_config.d/test.conf
systemctl mask systemd-networkd-wait-online.service apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer >/dev/null 2>&1 || true
`;

/** Raise hosts and wait until each one's SSH server answers. */
export async function raiseHosts(options: HostsOptions): Promise<Hosts> {
  needRoot("Raising hosts");
  await needTools({
    ip: "iproute2",
    "ssh-keygen": "openssh-client",
    unshare: "util-linux",
    nsenter: "util-linux",
    setpriv: "util-linux",
    ...(options.init === "systemd" ? { "systemd-nspawn": "systemd-container" } : {}),
  });
  const base = await debianTemplate({ ...options, packages: [...BASE_PACKAGES, ...(options.packages ?? [])] }, SETUP);
  const made = trace();
  const network = makeNetwork(made);
  const identityFile = join(made.directory, "id");
  await must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", identityFile]);

  const proxy = options.apt ? await aptProxy(`${network.prefix}.254`, Object.values(await debianMirrors())) : undefined;
  const aptConfig = proxy
    ? `Acquire::http::Proxy "${proxy.url}";\nAcquire::Check-Valid-Until "false";\nAcquire::Languages "none";\n`
    : "";

  const knownHosts = join(made.directory, "known_hosts");
  const hosts: RaisedHost[] = [];
  for (let number = 1; number <= options.count; number++) {
    const host = new IsolatedHost(made, base, network, number, options.init ?? "sshd");
    await host.prepare(readFileSync(`${identityFile}.pub`, "utf8"), aptConfig);
    appendFileSync(knownHosts, `${host.name},${host.address} ${host.publicKey()}\n`);
    hosts.push(host);
  }
  await Promise.all(hosts.map(host => host.start()));

  const sshConfig = join(made.directory, "ssh_config");
  writeFileSync(
    sshConfig,
    `${hosts.map(({ name, address }) => `Host ${name}\n  HostName ${address}\n`).join("")}Host *\n  User root\n  IdentityFile ${identityFile}\n  IdentitiesOnly yes\n  UserKnownHostsFile ${knownHosts}\n  StrictHostKeyChecking yes\n`,
  );
  const down = async (): Promise<void> => {
    await Promise.all(hosts.map(host => host.stop()));
    proxy?.close();
    made.remove();
  };
  return {
    hosts,
    identityFile,
    knownHosts,
    sshConfig,
    nobody: `${network.prefix}.250`,
    down,
    [Symbol.asyncDispose]: down,
  };
}

interface Network {
  /** The first three numbers of its addresses. */
  readonly prefix: string;
  /** Names of its namespaces and links begin with this; links may have 15 letters. */
  readonly id: string;
}

/**
 * A bridge with a network of its own. The unreachable route is added first and goes last: it keeps what is sent to a host
 * that is not there from leaving this machine, and since a route can be added only once, it is also what makes a network ours.
 */
function makeNetwork(made: Trace): Network {
  for (let number = 0; number < 250; number++) {
    const prefix = `10.213.${number}`;
    if (
      Bun.spawnSync(["ip", "route", "add", "unreachable", `${prefix}.0/24`, "metric", "9999"], { stderr: "ignore" })
        .exitCode !== 0
    )
      continue;
    made.undo(`ip route del unreachable ${prefix}.0/24 metric 9999`);
    const id = `tst${number}`;
    made.undo(`ip link del ${id}`);
    run(["ip", "link", "add", id, "type", "bridge"]);
    run(["ip", "address", "add", `${prefix}.254/24`, "dev", id]);
    run(["ip", "link", "set", id, "up"]);
    return { prefix, id };
  }
  throw new Error("No network is free: remove the unreachable routes to 10.213.0.0/16");
}

/** One host: an overlay on the base, in namespaces of its own. Its files outlive its processes. */
class IsolatedHost implements RaisedHost {
  readonly name: string;
  readonly address: string;
  readonly #made: Trace;
  readonly #base: string;
  readonly #network: Network;
  readonly #init: "sshd" | "systemd";
  readonly #directory: string;
  readonly #namespace: string;
  #launcher: Bun.Subprocess | undefined;

  constructor(made: Trace, base: string, network: Network, number: number, init: "sshd" | "systemd") {
    this.name = `h${number}`;
    this.address = `${network.prefix}.${number}`;
    this.#made = made;
    this.#base = base;
    this.#network = network;
    this.#init = init;
    this.#directory = join(made.directory, this.name);
    this.#namespace = `${network.id}-${this.name}`;
  }

  get root(): string {
    return `/proc/${this.#running()}/root`;
  }

  /** Files of this host alone, and its place in the network. */
  async prepare(authorizedKey: string, aptConfig: string): Promise<void> {
    const upper = join(this.#directory, "upper");
    for (const directory of [
      "work",
      "root",
      "upper/etc/ssh",
      "upper/etc/apt/apt.conf.d",
      "upper/root/.ssh",
      "upper/home/ops/.ssh",
      "upper/home/pw/.ssh",
    ])
      mkdirSync(join(this.#directory, directory), { recursive: true });
    for (const [home, user] of [
      ["root", "root"],
      ["home/ops", "ops"],
      ["home/pw", "pw"],
    ] as const) {
      writeFileSync(join(upper, home, ".ssh/authorized_keys"), authorizedKey);
      const ids = /^[^:]*:[^:]*:(\d+):(\d+):/.exec(
        readFileSync(join(this.#base, "etc/passwd"), "utf8")
          .split("\n")
          .find(line => line.startsWith(`${user}:`)) ?? "",
      );
      run(["chown", "-R", `${ids?.[1]}:${ids?.[2]}`, join(upper, home)]);
      chmodSync(join(upper, home), 0o700);
    }
    if (aptConfig) writeFileSync(join(upper, "etc/apt/apt.conf.d/98test"), aptConfig);
    writeFileSync(join(upper, "etc/hostname"), `${this.name}\n`);
    writeFileSync(join(upper, "etc/hosts"), `127.0.0.1 localhost\n127.0.1.1 ${this.name}\n`);
    await must([
      "ssh-keygen",
      "-q",
      "-t",
      "ed25519",
      "-N",
      "",
      "-C",
      this.name,
      "-f",
      join(upper, "etc/ssh/ssh_host_ed25519_key"),
    ]);

    const [outside, inside] = [`${this.#network.id}v${this.name}`, `${this.#network.id}w${this.name}`];
    this.#made.undo(`ip netns del ${this.#namespace}`);
    run(["ip", "netns", "add", this.#namespace]);
    this.#made.undo(`ip link del ${outside}`);
    run(["ip", "link", "add", outside, "type", "veth", "peer", "name", inside, "netns", this.#namespace]);
    run(["ip", "link", "set", outside, "master", this.#network.id, "up"]);
    for (const line of [
      `link set ${inside} name eth0`,
      `address add ${this.address}/24 dev eth0`,
      "link set eth0 up",
      "link set lo up",
    ])
      run(["ip", "-n", this.#namespace, ...line.split(" ")]);
  }

  publicKey(): string {
    return readFileSync(join(this.#directory, "upper/etc/ssh/ssh_host_ed25519_key.pub"), "utf8")
      .split(" ")
      .slice(0, 2)
      .join(" ");
  }

  async start(): Promise<void> {
    const output = Bun.file(join(this.#directory, "console"));
    const argv = this.#init === "systemd" ? this.#systemd() : this.#sshd();
    this.#cgroups().forEach(path => this.#made.undo(endCgroup(path)));
    this.#launcher = Bun.spawn(["setsid", ...argv], { stdin: "ignore", stdout: output, stderr: output });
    const { pid } = this.#launcher;
    this.#made.undo(`[ "$(awk '{print $22}' /proc/${pid}/stat)" != "${startTime(pid)}" ] || kill -KILL ${pid}`);
    await this.#answers();
  }

  async stop(): Promise<void> {
    if (!this.#launcher) return;
    // The first process of a namespace takes all others with it; killing the launcher alone would leave a systemd alive.
    const init = firstInside(this.#launcher.pid);
    this.#launcher.kill("SIGKILL");
    if (init !== undefined) kill(init);
    await this.#launcher.exited;
    this.#launcher = undefined;
    this.#cgroups().forEach(path => Bun.spawnSync(["sh", "-c", endCgroup(path)], { stderr: "ignore" }));
  }

  async rebootedBy(action: () => Promise<unknown>): Promise<void> {
    const before = this.#running();
    await action();
    while (this.#launcher?.exitCode === null && [before, undefined].includes(firstInside(this.#launcher.pid)))
      await Bun.sleep(20);
    await this.#answers();
  }

  readonly env = HOST_ENV;

  argv(line: string): string[] {
    return ["nsenter", "-t", String(this.#running()), "-m", "-u", "-i", "-n", "-p", "-w", "--", "/bin/sh", "-c", line];
  }

  exec(line: string, stdin?: Uint8Array): Promise<Executed> {
    return spawn(this.argv(line), stdin, this.env);
  }

  #running(): number {
    // Asked each time: after a reboot it is another one.
    const pid = this.#launcher && firstInside(this.#launcher.pid);
    if (pid === undefined) throw new Error(`${this.name} is not running`);
    return pid;
  }

  #overlay(): string {
    const part = (name: string) => join(this.#directory, name);
    return `mount -t overlay overlay -o lowerdir=${this.#base},upperdir=${part("upper")},workdir=${part("work")} ${part("root")}`;
  }

  #sshd(): string[] {
    const script = [
      `set -e; ${this.#overlay()}; cd ${join(this.#directory, "root")}`,
      "mount -t proc proc proc; mount -t sysfs -o ro sysfs sys; mount -t tmpfs -o mode=755 tmpfs dev; mount -t tmpfs -o mode=755 tmpfs run",
      "for d in null zero full random urandom tty; do : > dev/$d; mount --bind /dev/$d dev/$d; done",
      "mkdir dev/pts dev/shm run/sshd run/lock; mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts dev/pts; mount -t tmpfs -o mode=1777 tmpfs dev/shm",
      "ln -s pts/ptmx dev/ptmx; ln -s /proc/self/fd dev/fd; ln -s fd/0 dev/stdin; ln -s fd/1 dev/stdout; ln -s fd/2 dev/stderr",
      // The kernel and the clock are this machine's: a host must not be able to set them.
      "mount --bind proc/sys proc/sys; mount -o remount,ro,bind proc/sys; [ ! -e proc/sysrq-trigger ] || mount --bind /dev/null proc/sysrq-trigger",
      `hostname ${this.name}; pivot_root . mnt; umount -l /mnt; exec setpriv --bounding-set -sys_time,-sys_module,-sys_rawio /usr/sbin/sshd -D -e`,
    ].join("\n");
    return [
      "nsenter",
      `--net=/run/netns/${this.#namespace}`,
      "unshare",
      "-m",
      "-u",
      "-i",
      "-p",
      "-f",
      "--kill-child",
      "--propagation",
      "private",
      "sh",
      "-c",
      script,
    ];
  }

  #systemd(): string[] {
    const root = join(this.#directory, "root");
    const nspawn = [
      ...[
        "systemd-nspawn",
        "--quiet",
        "--settings=no",
        "--keep-unit",
        "--register=no",
        "--boot",
        "--link-journal=no",
        "--resolv-conf=off",
        "--timezone=off",
        "--console=pipe",
      ],
      ...[
        `--machine=${this.name}`,
        `--hostname=${this.name}`,
        `--directory=${root}`,
        `--network-namespace-path=/run/netns/${this.#namespace}`,
      ],
      ...["--capability=CAP_NET_ADMIN,CAP_SYSLOG,CAP_IPC_LOCK", "'--system-call-filter=add_key keyctl bpf'"],
    ].join(" ");
    const script = [
      ...this.#cgroups().map(path => `mkdir -p ${path}; echo $$ > ${path}/cgroup.procs`),
      `${this.#overlay()} || exit; mkdir -p /run/systemd/nspawn; mount -t tmpfs tmpfs /run/systemd/nspawn`,
      "export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1",
      // 133 is how a host that reboots ends.
      `while :; do ${nspawn}; code=$?; [ $code = 133 ] || exit $code; done`,
    ].join("\n");
    return ["unshare", "-m", "--propagation", "private", "sh", "-c", script];
  }

  /** systemd wants a control group of its own in every hierarchy that it knows. */
  #cgroups(): string[] {
    if (this.#init !== "systemd") return [];
    const mounts = ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"].filter(path =>
      existsSync(join(path, "cgroup.procs")),
    );
    return mounts.map(path => join(path, "tsinfra-test", this.#namespace));
  }

  /** The banner of the SSH server is the sign; waited for as long as what should start it lives. */
  async #answers(): Promise<void> {
    const deadline = performance.now() + 120_000;
    while (performance.now() < deadline && this.#launcher?.exitCode === null) {
      if (await hasBanner(this.address)) return;
      await Bun.sleep(50);
    }
    throw new Error(
      `${this.name} does not answer: ${readFileSync(join(this.#directory, "console"), "utf8").slice(-2000)}`,
    );
  }
}

/** A host's first process, as this machine numbers it: the first below the launcher that is in another PID namespace. */
function firstInside(launcher: number): number | undefined {
  const own = pidNamespace(process.pid);
  for (let level = [launcher]; level.length > 0; level = level.flatMap(children)) {
    const inside = level.find(pid => ![own, undefined].includes(pidNamespace(pid)));
    if (inside !== undefined) return inside;
  }
  return undefined;
}

function pidNamespace(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** A shell line that ends what runs in a control group and removes it, once its dead are reaped. */
const endCgroup = (path: string): string =>
  `for try in 1 2 3 4 5 6 7 8 9 10; do [ -e ${path} ] || break; [ ! -e ${path}/cgroup.kill ] || echo 1 > ${path}/cgroup.kill; find ${path} -depth -type d -exec rmdir {} +; sleep 0.1; done; rmdir ${dirname(path)}`;

function children(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap(task =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

const hasBanner = (address: string): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect({ host: address, port: 22, timeout: 1000 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("data", data => end(data.toString().startsWith("SSH-")));
    for (const event of ["error", "close", "timeout"]) socket.once(event, () => end(false));
  });

function run(argv: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(argv, { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`Exit code ${exitCode}: ${argv.join(" ")}\n${stderr}`);
}
