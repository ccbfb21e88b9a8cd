/** `files.rsync` as the engine runs it: as others, over chains, and where it cannot be. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createConnectors } from "../../src/connectors/index.ts";
import { rsyncOver } from "../../src/connectors/shared/rsync.ts";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { Secret, sh } from "../../src/core/command.ts";
import type { Connection } from "../../src/core/connector.ts";
import { localTransfers } from "../../src/deploy/local-transfers.ts";
import { openChain } from "../../src/engine/host/chain.ts";
import type { CommandOptions } from "../../src/engine/host/sending.ts";
import { Session } from "../../src/engine/host/session.ts";
import { parseHostName } from "../../src/inventory/parse.ts";
import { connectorContext } from "../support/connectors.ts";
import { localConnection } from "../support/local-session.ts";
import { needRoot, needTools } from "../support/machine.ts";
import { busyboxRootfs, debianRootfs, removeRootfs } from "../support/rootfs.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";

const signal = new AbortController().signal;
const plain = { shell: "sh", env: {} } as const;
const asNobody = { ...plain, sudo: { user: "nobody", login: false, preserveEnv: false } };
const options = (surroundings: CommandOptions["surroundings"] = plain): CommandOptions => ({
  surroundings,
  signal,
});

let server: Sshd;
let connectors: ReturnType<typeof createConnectors>;
let roots: { readonly debian: string; readonly busybox: string };
let source: string;
beforeAll(async () => {
  needRoot("Becoming others");
  await needTools({ rsync: "rsync", sudo: "sudo", sshd: "openssh-server" });
  source = await mkdtemp(join(tmpdir(), "tsinfra-rsync-"));
  await Bun.write(join(source, "site/a file's name"), "content");
  server = await startSshd();
  connectors = new Map([
    ...createConnectors(),
    ["ssh", createSshConnector({ home: server.home, env: {}, systemConfigFile: "/nonexistent" })],
  ]);
  roots = { debian: await debianRootfs({ packages: ["rsync", "sudo"] }), busybox: await busyboxRootfs() };
}, 300_000);
afterAll(async () => {
  for (const connector of connectors.values()) await connector.close?.();
  await server.stop();
  removeRootfs(roots.debian);
  removeRootfs(roots.busybox);
  await rm(source, { recursive: true });
});

/** A session on a host by its name, in which DEBIAN and BUSYBOX stand for directories. */
async function withSession(name: string, use: (session: Session, directory: string) => Promise<void>): Promise<void> {
  const host = parseHostName(name.replace("DEBIAN", roots.debian).replace("BUSYBOX", roots.busybox));
  const connect = () =>
    openChain(host, { connectors, connectorContext: connectorContext(), data: server.data, timeout: 30, signal });
  const session = new Session({
    host: name,
    fast: true,
    connect,
    context: connectorContext(),
    transfers: localTransfers,
    onMayHaveChanged: () => {},
    onTransfer: () => {},
  });
  try {
    const { stdout } = await session.run(sh`d=$(mktemp -d) && chmod 777 "$d" && echo "$d"`, options());
    const directory = Buffer.from(stdout).toString().trim();
    await use(session, directory);
    await session.run(sh`rm -rf ${directory}`, options());
  } finally {
    await session.disconnect();
  }
}

for (const name of ["@local", "@ssh/target", "@chroot/DEBIAN", "@ssh/target/@chroot/DEBIAN"]) {
  describe(`rsync to ${name}`, () => {
    test("copies as who logged in, and with sudo as another", async () => {
      await withSession(name, async (session, directory) => {
        for (const [surroundings, owner] of [
          [plain, "root"],
          [asNobody, "nobody"],
        ] as const) {
          const dest = `${directory}/for ${owner}`;
          const { exitCode, stderr } = await session.transfers.rsync(
            join(source, "site/"),
            dest,
            ["-rt", "--delete"],
            options(surroundings),
          );
          expect(exitCode, Buffer.from(stderr).toString()).toBe(0);
          const { stdout } = await session.run(sh`cd ${dest} && stat -c '%U %n' * && cat *`, options());
          expect(Buffer.from(stdout).toString()).toBe(`${owner} a file's name\ncontent`);
        }
      });
    });

    test("says when it cannot become who it should, and copies nothing", async () => {
      await withSession(name, async (session, directory) => {
        const su = { ...plain, su: { user: "nobody", login: false, preserveEnv: false } };
        const asked = { ...plain, sudo: { login: false, preserveEnv: false, password: new Secret("pw") } };
        for (const surroundings of [su, asked]) {
          const error = await session.transfers
            .rsync(join(source, "site/"), `${directory}/x`, ["-a"], options(surroundings))
            .catch(error => error);
          expect([error.code, error.message]).toEqual([
            "E_OPERATION",
            "Cannot rsync with su, or with a password for sudo: use files.sync",
          ]);
        }
        const { exitCode, stderr } = await session.transfers.rsync(
          join(source, "site/"),
          `${directory}/x`,
          ["-a"],
          options({ ...plain, sudo: { user: "no-such-user", login: false, preserveEnv: false } }),
        );
        expect([exitCode === 0, Buffer.from(stderr).toString()]).toEqual([
          false,
          expect.stringMatching(/sudo: .*no-such-user/),
        ]);
        expect(Buffer.from((await session.run(sh`ls -A ${directory}`, options())).stdout).toString()).toBe("");
      });
    });
  });
}

for (const name of ["@chroot/BUSYBOX", "@ssh/target/@chroot/BUSYBOX"]) {
  test(`a host without rsync says so: ${name}`, async () => {
    await withSession(name, async (session, directory) => {
      const error = await session.transfers
        .rsync(join(source, "site/"), `${directory}/x`, ["-a"], options())
        .catch(error => error);
      expect([error.code, error.message, error.hint]).toEqual([
        "E_OPERATION",
        "The host has no rsync",
        "Install rsync there, or use files.sync",
      ]);
    });
  });
}

test("a copy that is broken off before it has begun says so, however early that is", async () => {
  const connection = await localConnection();
  for (const milliseconds of [0, 1, 2, 4, 8]) {
    const interrupt = new AbortController();
    setTimeout(() => interrupt.abort(new Error("Interrupted")), milliseconds);
    const job = { src: join(source, "site/"), dest: join(source, "broken off"), flags: ["-r"] };
    const slow: Connection["run"] = (command, options) => connection.run(sh`sleep 10; ${command}`, options);
    await expect(rsyncOver(slow, job, { signal: interrupt.signal })).rejects.toThrow("Interrupted");
  }
});
