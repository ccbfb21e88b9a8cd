/** A real OpenSSH server on loopback, with a directory, keys and a port of its own. @module */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localUser } from "../../src/connectors/shared/local-user.ts";

const findSshd = (): string => {
  const path = Bun.which("sshd", { PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` });
  // Asked for by its full path, or it refuses to start.
  if (path === null) throw new Error("sshd is missing: install openssh-server");
  return path;
};

export interface SshdOptions {
  /** Lines of sshd_config, stronger than those set here. */
  readonly config?: readonly string[];
  /** Types of host keys; default: ed25519. */
  readonly hostKeys?: readonly KeyType[];
  /** Address to listen on; default: 127.0.0.1. */
  readonly address?: string;
  /** Port; default: a free one. */
  readonly port?: number;
  /** The login shell of everybody; needs root. Default: as this machine has it. */
  readonly shell?: string;
}
export type KeyType = "ed25519" | "ecdsa" | "rsa";

export interface Sshd extends AsyncDisposable {
  readonly port: number;
  readonly address: string;
  readonly user: string;
  /** Its temporary directory; tests may put files there. */
  readonly directory: string;
  /** A home directory whose `.ssh/known_hosts` knows this server. */
  readonly home: string;
  /** A private key that it lets in. */
  readonly key: string;
  /** Lines for known_hosts, one a host key. */
  readonly knownHosts: string;
  /** Host data to connect with. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Let another public key in. */
  authorize(publicKey: string): Promise<void>;
  log(): Promise<string>;
  stop(): Promise<void>;
}

export async function startSshd({
  config = [],
  hostKeys = ["ed25519"],
  address = "127.0.0.1",
  port,
  shell,
}: SshdOptions = {}): Promise<Sshd> {
  const directory = await mkdtemp(join(tmpdir(), "tsinfra-sshd-"));
  const path = (name: string) => join(directory, name);
  const home = path("home");
  await mkdir(join(home, ".ssh"), { recursive: true, mode: 0o700 });
  await mkdir(path("remote"));
  await Promise.all([...hostKeys.map(type => createKey(path(`host_${type}`), type)), createKey(path("id"), "ed25519")]);
  await Bun.write(path("authorized_keys"), await Bun.file(path("id.pub")).text());
  // sshd wants it for privilege separation; it is the same for all.
  await mkdir("/run/sshd", { recursive: true, mode: 0o755 }).catch(() => {});
  const { name: user } = await localUser();
  for (let attempt = 1; ; attempt++) {
    const chosen = port ?? (await freePort(address));
    await writeFile(
      path("sshd_config"),
      [
        ...config,
        `Port ${chosen}`,
        `ListenAddress ${address}`,
        ...hostKeys.map(type => `HostKey ${path(`host_${type}`)}`),
        `PidFile ${path("pid")}`,
        `AuthorizedKeysFile ${path("authorized_keys")}`,
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin yes",
        // Whatever the user's own start-up files do is not what is tested.
        `SetEnv HOME=${path("remote")}`,
        "StrictModes no",
        "UsePAM no",
        "UseDNS no",
        "LogLevel VERBOSE",
        // Of this one the last counts, not the first.
        ...(config.some(line => line.startsWith("MaxStartups")) ? [] : ["MaxStartups 200:30:400"]),
        ...(config.some(line => line.startsWith("Subsystem")) ? [] : ["Subsystem sftp internal-sftp"]),
        "",
      ].join("\n"),
    );
    const child = Bun.spawn(
      [
        ...(shell === undefined ? [] : await withShell(shell, path("passwd"))),
        findSshd(),
        "-D",
        "-e",
        "-f",
        path("sshd_config"),
      ],
      { stdin: "ignore", stdout: "ignore", stderr: Bun.file(path("log")) },
    );
    const isUp = await listens(address, chosen, child.exited);
    if (!isUp) {
      await child.exited;
      const log = await Bun.file(path("log")).text();
      // Somebody took the port meanwhile.
      if (attempt < 5 && port === undefined && log.includes("Address already in use")) continue;
      throw new Error(`sshd did not start: ${log}`);
    }
    const hostName = chosen === 22 ? address : `[${address}]:${chosen}`;
    const publicKeys = await Promise.all(hostKeys.map(type => Bun.file(path(`host_${type}.pub`)).text()));
    const knownHosts = publicKeys.map(key => `${hostName} ${key.split(" ").slice(0, 2).join(" ").trim()}\n`).join("");
    await Bun.write(join(home, ".ssh", "known_hosts"), knownHosts);
    const stop = async () => {
      child.kill();
      await child.exited;
      await rm(directory, { recursive: true, force: true });
    };
    return {
      port: chosen,
      address,
      user,
      directory,
      home,
      key: path("id"),
      knownHosts,
      data: { sshHostname: address, sshPort: chosen, sshUser: user, sshKey: path("id") },
      async authorize(publicKey) {
        await Bun.write(
          path("authorized_keys"),
          `${await Bun.file(path("authorized_keys")).text()}${publicKey.trim()}\n`,
        );
      },
      log: () => Bun.file(path("log")).text(),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  }
}

/** A command in front of another, which sees this machine with another login shell. */
async function withShell(shell: string, passwd: string): Promise<string[]> {
  await Bun.write(
    passwd,
    (await Bun.file("/etc/passwd").text()).replace(/[^:\n]*$/gm, line => (line === "" ? "" : shell)),
  );
  return [
    "unshare",
    "-m",
    "--propagation",
    "private",
    "sh",
    "-c",
    `mount --bind "$0" /etc/passwd && exec "$@"`,
    passwd,
  ];
}

/** Make a key pair with ssh-keygen; returns the path of the private half. */
export async function createKey(
  path: string,
  type: KeyType,
  options: { readonly passphrase?: string; readonly args?: readonly string[] } = {},
): Promise<string> {
  const bits = type === "rsa" ? ["-b", "2048"] : [];
  // Few rounds: the tests are not about bcrypt.
  await keygen([
    "-q",
    "-t",
    type,
    ...bits,
    "-N",
    options.passphrase ?? "",
    "-a",
    "2",
    "-C",
    "test",
    "-f",
    path,
    ...(options.args ?? []),
  ]);
  return path;
}

export async function keygen(args: readonly string[]): Promise<string> {
  const child = Bun.spawn(["ssh-keygen", ...args], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`ssh-keygen ${args.join(" ")}: ${err}`);
  return out;
}

export async function freePort(address: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, address, resolve));
  const { port } = server.address() as { port: number };
  await new Promise(resolve => server.close(resolve));
  return port;
}

/** Wait for the greeting; false if the process ends first. */
export async function listens(address: string, port: number, exited: Promise<unknown>): Promise<boolean> {
  let isRunning = true;
  void exited.then(() => (isRunning = false));
  while (isRunning) {
    const greeted = await new Promise<boolean>(resolve => {
      Bun.connect({
        hostname: address,
        port,
        socket: {
          data(socket, bytes) {
            resolve(bytes.toString().startsWith("SSH-"));
            socket.end();
          },
          close: () => resolve(false),
          error: () => resolve(false),
          connectError: () => resolve(false),
        },
      }).catch(() => resolve(false));
    });
    if (greeted) return true;
    await Bun.sleep(10);
  }
  return false;
}
