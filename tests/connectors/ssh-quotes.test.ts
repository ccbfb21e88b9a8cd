/** Quotes in commands: each layer that carries them makes them longer, and none may make them too long. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { quoted, sh } from "../../src/core/command.ts";
import type { Surroundings } from "../../src/engine/host/escalation.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { localSession } from "../support/local-session.ts";
import { needRoot, needTools } from "../support/machine.ts";
import { startSshd } from "../support/sshd.ts";

setDefaultTimeout(60_000);
needRoot("Becoming root without a password");
await needTools({ sshd: "openssh-server", ssh: "openssh-client", sudo: "sudo" });

const PLAIN: Surroundings = { shell: "sh", env: {} };
const AS: Readonly<Record<string, Surroundings>> = {
  "as who is logged in": PLAIN,
  "with sudo": { ...PLAIN, sudo: { login: false, preserveEnv: false } },
};

for (const sshTransport of ["embedded", "openssh"])
  for (const [name, surroundings] of Object.entries(AS))
    test(`any number of them arrives, ${name}, over the transport ${sshTransport}`, async () => {
      await using server = await startSshd();
      const connector = createSshConnector({
        home: server.home,
        env: { PATH: process.env.PATH },
        systemConfigFile: "/nonexistent",
      });
      const sshKnownHostsFile = join(server.home, ".ssh/known_hosts");
      const data = { ...server.data, sshTransport, sshConfigFile: "none", sshKnownHostsFile };
      const session = localSession({
        fast: false,
        connect: () => connector.connect!(targetFor("web-1", data), connectorContext()),
      });
      for (const count of [100, 700, 1500, 9000]) {
        const print = sh`printf %s ${"'".repeat(count)} | wc -c`;
        for (const command of [print, sh`eval ${quoted(sh`eval ${quoted(print)}`)}`]) {
          const { exitCode, stdout } = await session.run(command, {
            surroundings,
            signal: new AbortController().signal,
          });
          expect([exitCode, Buffer.from(stdout).toString().trim()]).toEqual([0, `${count}`]);
        }
      }
      await session.disconnect();
      await connector.close?.();
    });
