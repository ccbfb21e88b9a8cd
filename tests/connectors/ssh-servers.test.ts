/** Servers and login shells of all kinds: what works, and what the user sees where something does not. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { sh } from "../../src/core/command.ts";
import type { Connection } from "../../src/core/connector.ts";
import type { ConnectError } from "../../src/core/errors.ts";
import { type Subject, testConnector } from "../contracts/connector.ts";
import { testSession } from "../contracts/session.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { needRoot, needTools } from "../support/machine.ts";
import { startDropbear, startTinySsh } from "../support/odd-sshd.ts";
import { startSshd } from "../support/sshd.ts";

setDefaultTimeout(120_000);
needRoot("Other SSH servers");
await needTools({
  dropbear: "dropbear-bin",
  tinysshd: "tinysshd",
  tcpserver: "ucspi-tcp",
  fish: "fish",
  tcsh: "tcsh",
  unshare: "util-linux",
  rsync: "rsync",
});

type Data = Readonly<Record<string, unknown>>;
interface Started {
  readonly data: Data;
  stop(): Promise<void>;
}

/** A server that starts when it is first connected to. */
function subject(name: string, startServer: () => Promise<Started>, data: Data = {}, lacks: Subject["lacks"] = []) {
  const connector = createSshConnector({
    home: "/nonexistent",
    env: { PATH: process.env.PATH },
    systemConfigFile: "/nonexistent",
  });
  let server: Promise<Started> | undefined;
  return {
    name,
    can: connector.can,
    lacks,
    async open(): Promise<Connection> {
      const { data: own } = await (server ??= startServer());
      return await connector.connect!(targetFor("target", { ...own, ...data }, { name: "web-1" }), connectorContext());
    },
    async close(): Promise<void> {
      await connector.close?.();
      await (await server)?.stop();
      server = undefined;
    },
  };
}
const openSsh = async (options: Parameters<typeof startSshd>[0]): Promise<Started> => {
  const server = await startSshd(options);
  return {
    data: { ...server.data, sshConfigFile: "none", sshKnownHostsFile: join(server.home, ".ssh/known_hosts") },
    stop: server.stop,
  };
};

for (const shell of ["/usr/bin/fish", "/bin/tcsh"]) {
  testConnector(subject(`ssh, login shell ${shell}`, () => openSsh({ shell })));
}
testSession(subject("ssh, login shell /usr/bin/fish", () => openSsh({ shell: "/usr/bin/fish" })));
testConnector(
  subject("openssh, login shell /usr/bin/fish", () => openSsh({ shell: "/usr/bin/fish" }), { sshTransport: "openssh" }),
);

// dropbear 2022.83 now and then closes the output of a command that starts while another one ends.
testConnector(subject("ssh to dropbear", startDropbear, {}, ["concurrency"]));
testSession(subject("ssh to dropbear", startDropbear));
testConnector(subject("openssh to dropbear", startDropbear, { sshTransport: "openssh" }, ["concurrency"]));
// tinyssh closes the connection when a command ends that has not read its input.
testConnector(subject("openssh to tinyssh", startTinySsh, { sshTransport: "openssh" }, ["unread input"]));

/** Connect to a server and say what came of it. */
async function meet(
  startServer: () => Promise<Started>,
  data: Data,
  use: (connection: Connection) => Promise<unknown> = async () => "connected",
): Promise<unknown> {
  const { open, close } = subject("one", startServer, data);
  try {
    const connection = await open();
    try {
      return await use(connection);
    } finally {
      await connection.close();
    }
  } catch (error) {
    return error;
  } finally {
    await close();
  }
}
const echo = async (connection: Connection): Promise<string> =>
  Buffer.from((await connection.run(sh`echo fine`)).stdout).toString();

describe("a server that the embedded transport cannot talk to", () => {
  test("has only ciphers that it lacks: the hint names the other transport, which does it", async () => {
    const error = (await meet(startTinySsh, {})) as ConnectError;
    expect([error.code, error.retryable]).toEqual(["E_CONNECT", false]);
    expect(error.message).toMatch(
      /^web-1 \(127\.0\.0\.1:\d+\) and this program do not understand each other: no matching /,
    );
    expect(error.hint).toContain('sshTransport: "openssh"');
    expect(await meet(startTinySsh, { sshTransport: "openssh" }, echo)).toBe("fine\n");
  });

  for (const kex of ["sntrup761x25519-sha512@openssh.com"]) {
    test(`wants ${kex}: the same`, async () => {
      const server = () => openSsh({ config: [`KexAlgorithms ${kex}`] });
      expect(((await meet(server, {})) as ConnectError).hint).toContain('sshTransport: "openssh"');
      expect(await meet(server, { sshTransport: "openssh" }, echo)).toBe("fine\n");
    });
  }
});

for (const sshTransport of ["embedded", "openssh"]) {
  describe(`over the transport ${sshTransport}`, () => {
    test("a server without SFTP is as good as any", async () => {
      expect(await meet(() => openSsh({ config: ["Subsystem sftp /bin/false"] }), { sshTransport }, echo)).toBe(
        "fine\n",
      );
    });

    for (const sessions of [1, 2]) {
      test(`a server that allows ${sessions} sessions runs many commands at once all the same`, async () => {
        const many = (connection: Connection) =>
          Promise.all(
            Array.from({ length: 12 }, async (_, index) =>
              Buffer.from((await connection.run(sh`echo ${index}`)).stdout).toString(),
            ),
          );
        expect(await meet(() => openSsh({ config: [`MaxSessions ${sessions}`] }), { sshTransport }, many)).toEqual(
          Array.from({ length: 12 }, (_, index) => `${index}\n`),
        );
      });
    }

    test("more hosts than a server starts at once all get in", async () => {
      const connector = createSshConnector({
        home: "/nonexistent",
        env: { PATH: process.env.PATH },
        systemConfigFile: "/nonexistent",
      });
      const { data, stop } = await openSsh({ config: ["MaxStartups 2:90:5"] });
      try {
        const connections = await Promise.all(
          Array.from({ length: 10 }, (_, index) =>
            connector.connect!(
              targetFor("target", { ...data, sshTransport }, { name: `web-${index}`, timeout: 100 }),
              connectorContext(),
            ),
          ),
        );
        expect(await Promise.all(connections.map(echo))).toEqual(Array(10).fill("fine\n"));
        await Promise.all(connections.map(connection => connection.close()));
      } finally {
        await connector.close?.();
        await stop();
      }
    });

    test("an SFTP-only account cannot run commands, and says so", async () => {
      const error = (await meet(
        () => openSsh({ config: ["ForceCommand internal-sftp"] }),
        { sshTransport },
        connection => connection.run(sh`echo mine`, { signal: AbortSignal.timeout(5000) }),
      )) as Error & { exitCode?: number };
      expect(error.exitCode).not.toBe(0);
    });

    test("a changed host key is refused at once", async () => {
      const started = async () => {
        const [server, other] = await Promise.all([startSshd(), startSshd()]);
        const knownHosts = join(server.directory, "known_hosts");
        await Bun.write(knownHosts, other.knownHosts.replace(`:${other.port} `, `:${server.port} `));
        await other.stop();
        return { data: { ...server.data, sshConfigFile: "none", sshKnownHostsFile: knownHosts }, stop: server.stop };
      };
      const error = (await meet(started, { sshTransport })) as ConnectError;
      expect(error.code).toBe("E_HOST_KEY");
      expect(error.message).toContain("known_hosts:1");
    });

    test("an unknown host key is refused without a terminal", async () => {
      const error = (await meet(() => openSsh({}), {
        sshTransport,
        sshKnownHostsFile: "/nonexistent/known_hosts",
      })) as ConnectError;
      expect(error.code).toBe("E_HOST_KEY");
      expect(error.hint).toContain("accept-new");
    });

    test("a key that is not let in says what the server allows", async () => {
      const started = async () => {
        const server = await openSsh({});
        return { ...server, data: { ...server.data, sshUser: "nobody" } };
      };
      const error = (await meet(started, {
        sshTransport,
        sshKey: undefined,
        sshLookForKeys: false,
        sshAllowAgent: false,
      })) as ConnectError;
      expect([error.code, error.retryable]).toEqual(["E_CONNECT", false]);
      expect(error.message).toStartWith("Cannot log in to web-1");
      expect(error.message).toContain("publickey");
    });

    test("a server that refuses connections says so", async () => {
      const error = (await meet(() => openSsh({}), { sshTransport, sshPort: 1, sshConnectRetries: 0 })) as ConnectError;
      expect(error.code).toBe("E_CONNECT");
      expect(error.message.toLowerCase()).toContain("refuse");
      expect(error.retryable).toBe(true);
    });
  });
}

test("nothing of the transport openssh is left behind", async () => {
  // By this process: others may be testing too.
  const ours = `tsinfra-ssh-${process.pid}-`;
  expect((await readdir(tmpdir())).filter(name => name.startsWith(ours))).toEqual([]);
  expect(Bun.spawnSync(["pgrep", "-f", `ControlPath=.*${ours}`]).exitCode).toBe(1);
});
