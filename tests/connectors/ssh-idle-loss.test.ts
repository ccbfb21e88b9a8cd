/** A connection that dies while its host has nothing to do is no failure of what comes next. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { raw, sh } from "../../src/core/command.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { localSession } from "../support/local-session.ts";
import { needTools } from "../support/machine.ts";
import { startSshd } from "../support/sshd.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(60_000);
await needTools({ sshd: "openssh-server", ssh: "openssh-client" });

/** Writes down the process of sshd that serves this connection. */
const SERVER = `p=$$; while [ "$(cat /proc/$p/comm)" != sshd ] && [ "$(cat /proc/$p/comm)" != sshd-session ]; do p=$(awk '{print $4}' /proc/$p/stat); done; echo $p`;

for (const fast of [true, false])
  for (const sshTransport of ["embedded", "openssh"])
    test(`what comes next runs over another one, and once: ${sshTransport}, ${fast ? "fast" : "plain"}`, async () => {
      await using server = await startSshd();
      const directory = await mkdtemp(join(tmpdir(), "tsinfra-idle-"));
      const connector = createSshConnector({
        home: server.home,
        env: { PATH: process.env.PATH },
        systemConfigFile: "/nonexistent",
      });
      let connections = 0;
      let isLost = (): boolean => false;
      const data = { ...server.data, sshTransport, sshConfigFile: "none" };
      const session = localSession({
        fast,
        connect: async () => {
          connections++;
          const target = targetFor("web-1", { ...data, sshKnownHostsFile: join(server.home, ".ssh/known_hosts") });
          const connection = await connector.connect!(target, connectorContext());
          isLost = () => connection.isLost!();
          return connection;
        },
      });
      const run = (line: string) =>
        session.run(sh`${raw(line)}`, {
          surroundings: { shell: "sh", env: {} },
          signal: new AbortController().signal,
        });
      const pid = Number(Buffer.from((await run(SERVER)).stdout).toString());
      process.kill(pid, "SIGKILL");
      await until("the loss is noticed", async () => isLost());
      expect((await run(`echo once >>${directory}/journal`)).exitCode).toBe(0);
      expect(await readFile(join(directory, "journal"), "utf8")).toBe("once\n");
      expect(connections).toBe(2);
      await session.disconnect();
      await connector.close?.();
      rmSync(directory, { recursive: true });
    });
