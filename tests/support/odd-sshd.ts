/** SSH servers other than OpenSSH's, on loopback, with a home directory of their own. Needs root. @module */
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { must } from "./rootfs.ts";
import { createKey, freePort, listens } from "./sshd.ts";

export interface OddSshd extends AsyncDisposable {
  /** Host data to connect with. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly directory: string;
  stop(): Promise<void>;
}

/** What the server is started with, and its host key as known_hosts has it. */
interface Start {
  readonly argv: readonly string[];
  readonly publicKey: string;
}

export const startDropbear = (args: readonly string[] = []): Promise<OddSshd> =>
  start(async (directory, port) => {
    const key = join(directory, "host");
    const made = await must(["dropbearkey", "-t", "ed25519", "-f", key]);
    return {
      argv: ["dropbear", "-F", "-E", "-p", `127.0.0.1:${port}`, "-r", key, ...args],
      publicKey: publicKeyIn(made),
    };
  });

export const startTinySsh = (): Promise<OddSshd> =>
  start(async (directory, port) => {
    const keys = join(directory, "keys");
    await must(["tinysshd-makekey", keys]);
    return {
      argv: ["tcpserver", "-HRDl0", "127.0.0.1", `${port}`, "tinysshd", "-v", keys],
      publicKey: publicKeyIn(await must(["tinysshd-printkey", keys])),
    };
  });

const publicKeyIn = (text: string): string => /^ssh-ed25519 \S+/m.exec(text)?.[0] ?? "";

async function start(prepare: (directory: string, port: number) => Promise<Start>): Promise<OddSshd> {
  const directory = await mkdtemp(join(tmpdir(), "tsinfra-sshd-"));
  const home = join(directory, "root");
  await mkdir(join(home, ".ssh"), { recursive: true });
  const key = await createKey(join(directory, "id"), "ed25519");
  await Bun.write(join(home, ".ssh/authorized_keys"), Bun.file(`${key}.pub`));
  await chmod(home, 0o700);
  await chmod(join(home, ".ssh"), 0o700);
  const port = await freePort("127.0.0.1");
  const { argv, publicKey } = await prepare(directory, port);
  // They look for keys in the user's home directory and nowhere else.
  const child = Bun.spawn(
    ["unshare", "-m", "--propagation", "private", "sh", "-c", `mount --bind "$0" /root && exec "$@"`, home, ...argv],
    {
      cwd: "/",
      stdin: "ignore",
      stdout: "ignore",
      stderr: Bun.file(join(directory, "log")),
    },
  );
  if (!(await listens("127.0.0.1", port, child.exited)))
    throw new Error(`${argv[0]} did not start: ${await Bun.file(join(directory, "log")).text()}`);
  const knownHosts = join(directory, "known_hosts");
  await Bun.write(knownHosts, `[127.0.0.1]:${port} ${publicKey}\n`);
  const stop = async (): Promise<void> => {
    child.kill();
    await child.exited;
    await rm(directory, { recursive: true, force: true });
  };
  return {
    directory,
    data: {
      sshHostname: "127.0.0.1",
      sshPort: port,
      sshUser: "root",
      sshKey: key,
      sshKnownHostsFile: knownHosts,
      sshConfigFile: "none",
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
