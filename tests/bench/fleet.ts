/** What the benchmark runs against: one sshd on loopback, under many names, and a user of its own. @module */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { startSshd } from "../support/sshd.ts";

/** The servers and files of one benchmark. */
export interface Fleet extends AsyncDisposable {
  readonly directory: string;
  readonly user: string;
  /** Directory of a host's files; hosts share a machine and differ in nothing else. */
  work(host: number): string;
  /** A port that reaches the server after `roundTrip` ms. */
  port(roundTrip: number): Promise<number>;
  /** `ssh` options for a port. */
  ssh(port: number): readonly string[];
  /** Write an inventory of that many hosts; returns its path. */
  inventory(hosts: number, port: number): string;
  /** Lines that sshd has logged so far. */
  log(): Promise<string>;
  /** Run on the server as the user, outside of any measurement. */
  run(script: string): Promise<string>;
}

const USER = "tsinfra-bench";

/** Needs root: to make a user with a plain home, whose shell reads next to nothing. */
export async function raiseFleet(): Promise<Fleet> {
  if (process.getuid?.() !== 0) throw new Error("The benchmark needs root: it makes a user to log in as");
  const directory = mkdtempSync(`${tmpdir()}/tsinfra-bench-`);
  await sh(`userdel -r ${USER} 2>/dev/null; useradd -m -s /bin/bash -p '*' ${USER} && : > /home/${USER}/.bashrc`);
  const sshd = await startSshd({ config: ["MaxStartups 1000:30:2000", "MaxSessions 100"] });
  await sh(`chmod 755 ${sshd.directory} && chmod 644 ${sshd.directory}/authorized_keys`);
  writeFileSync(`${directory}/known_hosts`, sshd.knownHosts);
  const [type = "", key = ""] = sshd.knownHosts.split(" ").slice(1);
  const proxies = new Map<number, { port: number; kill(): void }>();
  return {
    directory,
    user: USER,
    work: host => `/home/${USER}/work/h${host}`,
    async port(roundTrip) {
      if (roundTrip === 0) return sshd.port;
      const known = proxies.get(roundTrip);
      if (known) return known.port;
      const port = 20_000 + Math.floor(Math.random() * 20_000);
      const child = Bun.spawn(
        [process.execPath, `${import.meta.dir}/delay-proxy.ts`, String(port), String(sshd.port), String(roundTrip)],
        { stdout: "pipe", stderr: "inherit" },
      );
      await child.stdout.getReader().read();
      proxies.set(roundTrip, { port, kill: () => child.kill() });
      writeFileSync(
        `${directory}/known_hosts`,
        `${await Bun.file(`${directory}/known_hosts`).text()}[127.0.0.1]:${port} ${type} ${key}`,
      );
      return port;
    },
    ssh: port => [
      "-F",
      "/dev/null",
      "-i",
      sshd.key,
      "-p",
      String(port),
      "-o",
      `UserKnownHostsFile=${directory}/known_hosts`,
      "-o",
      "BatchMode=yes",
      "-o",
      "KexAlgorithms=curve25519-sha256",
      "-o",
      "LogLevel=ERROR",
      `${USER}@127.0.0.1`,
    ],
    inventory(hosts, port) {
      const path = `${directory}/inventory-${hosts}-${port}.ts`;
      const data = {
        sshHostname: "127.0.0.1",
        sshPort: port,
        sshUser: USER,
        sshKey: sshd.key,
        sshKnownHostsFile: `${directory}/known_hosts`,
        sshConfigFile: "/dev/null",
      };
      writeFileSync(
        path,
        `const data = ${JSON.stringify(data)};\nexport const fleet = Array.from({ length: ${hosts} }, (_, i) => [\`h\${i}\`, { ...data, work: \`/home/${USER}/work/h\${i}\` }]);\n`,
      );
      return path;
    },
    log: () => sshd.log(),
    run: script => sh(`su ${USER} -c ${quote(script)}`),
    async [Symbol.asyncDispose]() {
      for (const proxy of proxies.values()) proxy.kill();
      await sshd.stop();
      await sh(`userdel -r ${USER} 2>/dev/null; :`);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export async function sh(script: string): Promise<string> {
  const child = Bun.spawn(["sh", "-c", script], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (exitCode !== 0) throw new Error(`${script}: ${stderr}`);
  return stdout;
}

/** Files that the deploy uploads and renders, made anew for every benchmark. */
export function writeSources(directory: string): void {
  mkdirSync(`${directory}/files`, { recursive: true });
  for (let i = 0; i < 5; i++) {
    writeFileSync(
      `${directory}/files/put-${i}`,
      `${`file ${i}\n`.padEnd(4095, `line of file ${i} with some text in it\n`)}\n`,
    );
    writeFileSync(
      `${directory}/files/template-${i}.j2`,
      `# managed\nname = {{ name }}\n${"{{ name }} = value\n".repeat(20)}`,
    );
  }
}
