/** Hosts with several addresses, some of which do not work. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { sh } from "../../src/core/command.ts";
import type { ConnectError } from "../../src/core/errors.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { needTools } from "../support/machine.ts";
import { type SilentPort, silentPort } from "../support/silent-port.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";

setDefaultTimeout(60_000);
await needTools({ sshd: "openssh-server", "ssh-keygen": "openssh-client" });

const SILENT = "127.0.5.1";
/** Has no server on any port. */
const CLOSED = "127.0.5.2";
let server: Sshd;
let silent: SilentPort;
beforeAll(async () => {
  server = await startSshd();
  silent = await silentPort(SILENT, server.port);
  await Bun.write(join(server.home, ".ssh/known_any"), server.knownHosts.replace(/^\S+/, "*"));
});
afterAll(async () => {
  await silent[Symbol.asyncDispose]();
  await server.stop();
});

/** Connect to a host whose name has these addresses; what it says of the connection. */
async function reach(
  addresses: readonly string[],
  config = "",
  { timeout = 2, name = "web" }: { readonly timeout?: number; readonly name?: string } = {},
): Promise<string> {
  const sshConfigFile = join(server.directory, "config");
  await Bun.write(sshConfigFile, config);
  const connector = createSshConnector({
    home: server.home,
    env: {},
    systemConfigFile: "/nonexistent",
    lookup: async () => addresses,
  });
  const data = {
    ...server.data,
    sshHostname: undefined,
    sshConfigFile,
    sshKnownHostsFile: join(server.home, ".ssh/known_any"),
    sshConnectRetries: 1,
    sshConnectRetryMinDelay: 0.01,
  };
  try {
    const connection = await connector.connect!(targetFor(name, data, { timeout }), connectorContext());
    const { stdout } = await connection.run(sh`echo "$SSH_CONNECTION" | cut -d' ' -f3`);
    await connection.close();
    return Buffer.from(stdout).toString().trim();
  } finally {
    await connector.close?.();
  }
}
const failure = (promise: Promise<unknown>): Promise<ConnectError> =>
  promise.then(
    () => Promise.reject(new Error("It worked")),
    error => error,
  );

describe("a host with several addresses", () => {
  test("is reached at the one that answers, after one that does not: each has the whole time", async () => {
    expect(await reach([SILENT, "127.0.0.1"])).toBe("127.0.0.1");
    expect(await reach([SILENT, SILENT, "127.0.0.1"])).toBe("127.0.0.1");
  });

  test("is reached at the one that answers, after one that refuses", async () => {
    expect(await reach([CLOSED, "::1", "127.0.0.1"])).toBe("127.0.0.1");
  });

  test("has the time that ConnectTimeout gives for each", async () => {
    expect(await reach([SILENT, "127.0.0.1"], "ConnectTimeout 2\n", { timeout: 600 })).toBe("127.0.0.1");
  });

  test("is reached at those of its family alone", async () => {
    expect(await reach(["::1", "127.0.0.1"], "AddressFamily inet\n")).toBe("127.0.0.1");
    expect((await failure(reach(["127.0.0.1"], "AddressFamily inet6\n"))).message).toBe(
      'The name "web" has no address of the family inet6',
    );
  });

  test("that all fail says what became of each", async () => {
    const error = await failure(reach([SILENT, CLOSED, "127.0.5.3"]));
    expect(error.message).toBe(
      `web (web:${server.port}) cannot be connected to: ${SILENT} does not answer, ${CLOSED} refuses connections, 127.0.5.3 refuses connections (tried 2 times)`,
    );
    const last = await failure(reach([CLOSED, SILENT]));
    expect(last.message).toBe(
      `No connection to web within 2 seconds: still waiting for a connection to web:${server.port} (${CLOSED} refuses connections)`,
    );
  });

  test("may be a jump host", async () => {
    const config = `Host inner\n HostName 127.0.0.1\n Port ${server.port}\n ProxyJump bastion\nHost bastion\n Port ${server.port}\n User ${server.user}\n IdentityFile ${server.key}\n UserKnownHostsFile ${server.home}/.ssh/known_any\n`;
    expect(await reach([SILENT, "127.0.0.1"], config, { name: "inner" })).toBe("127.0.0.1");
  });
});
