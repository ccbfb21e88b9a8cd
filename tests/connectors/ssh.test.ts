import { describe, setDefaultTimeout } from "bun:test";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import type { Connector } from "../../src/core/connector.ts";
import { join } from "node:path";
import { testConnector } from "../contracts/connector.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";
import { needTools } from "../support/machine.ts";

setDefaultTimeout(60_000);
await needTools({ rsync: "rsync", sshd: "openssh-server", "ssh-keygen": "openssh-client" });

for (const sshTransport of ["embedded", "openssh"])
  describe(`ssh, ${sshTransport}`, () => {
    let server: Sshd;
    let connector: Connector;
    testConnector({
      name: `ssh, ${sshTransport}`,
      can: createSshConnector().can,
      async open() {
        server ??= await startSshd();
        connector ??= createSshConnector({ home: server.home, env: {}, systemConfigFile: "/nonexistent" });
        return await connector.connect!(
          targetFor("target", {
            ...server.data,
            sshTransport,
            sshConfigFile: "none",
            sshKnownHostsFile: join(server.home, ".ssh/known_hosts"),
          }),
          connectorContext(),
        );
      },
      async close() {
        await connector.close?.();
        await server.stop();
      },
    });
  });
