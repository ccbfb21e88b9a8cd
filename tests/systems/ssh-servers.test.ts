/** Servers and login shells of all kinds: what works, and what the user sees where something does not. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { sh } from "../../src/core/command.ts";
import type { Connection } from "../../src/core/connector.ts";
import { testConnector } from "../contracts/connector.ts";
import { testSession } from "../contracts/session.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { needRoot, needTools } from "../support/machine.ts";
import { startDropbear, startTinySsh } from "../support/odd-sshd.ts";
import { startSshd } from "../support/sshd.ts";

setDefaultTimeout(120_000);
needRoot("Other SSH servers");
await needTools({ dropbear: "dropbear-bin", tinysshd: "tinysshd", tcpserver: "ucspi-tcp", fish: "fish", tcsh: "tcsh", unshare: "util-linux", rsync: "rsync" });

type Data = Readonly<Record<string, unknown>>;
interface Started {
  readonly data: Data;
  stop(): Promise<void>;
}

/** A server that starts when it is first connected to. */
function subject(name: string, startServer: () => Promise<Started>, data: Data = {}) {
  const connector = createSshConnector({ home: "/nonexistent", env: { PATH: process.env.PATH }, systemConfigFile: "/nonexistent" });
  let server: Promise<Started> | undefined;
  return {
    name,
    can: connector.can,
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
  return { data: { ...server.data, sshConfigFile: "none", sshKnownHostsFile: join(server.home, ".ssh/known_hosts") }, stop: server.stop };
};

for (const shell of ["/usr/bin/fish", "/bin/tcsh"]) {
  testConnector(subject(`ssh, login shell ${shell}`, () => openSsh({ shell })));
  testSession(subject(`ssh, login shell ${shell}`, () => openSsh({ shell })));
}
testConnector(subject("openssh, login shell /usr/bin/fish", () => openSsh({ shell: "/usr/bin/fish" }), { sshTransport: "openssh" }));
testConnector(subject("openssh, login shell /bin/tcsh", () => openSsh({ shell: "/bin/tcsh" }), { sshTransport: "openssh" }));

testConnector(subject("ssh to dropbear", startDropbear));
testSession(subject("ssh to dropbear", startDropbear));
testConnector(subject("openssh to dropbear", startDropbear, { sshTransport: "openssh" }));
testConnector(subject("openssh to tinyssh", startTinySsh, { sshTransport: "openssh" }));
