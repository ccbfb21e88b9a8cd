/** The one connection to a jump host that all hosts behind it share, when it is lost. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Socket } from "node:net";
import { join } from "node:path";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { sh } from "../../src/core/command.ts";
import type { Connection, Connector } from "../../src/core/connector.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { needTools } from "../support/machine.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";
import { joined, proxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(60_000);
await needTools({ sshd: "openssh-server", "ssh-keygen": "openssh-client" });

let outer: Sshd;
let inner: Sshd;
beforeAll(async () => {
  [outer, inner] = await Promise.all([startSshd({ config: ["MaxSessions 50"] }), startSshd()]);
});
afterAll(async () => {
  await Promise.all([outer.stop(), inner.stop()]);
});

/** Hosts at `port`, behind a jump host whose connections are `clients`, in the order in which they came. */
async function behindJump(port: number) {
  const clients: Socket[] = [];
  const way = await proxy(outer, (client, open) => {
    clients.push(client);
    joined(client, open());
  });
  const known = join(outer.home, ".ssh/any");
  await Bun.write(known, (outer.knownHosts + inner.knownHosts).replace(/^\S+/gm, "*"));
  const server = (name: string, at: number, { user, key }: Sshd) =>
    `Host ${name}\n HostName 127.0.0.1\n Port ${at}\n User ${user}\n IdentityFile ${key}\n UserKnownHostsFile ${known}\n`;
  await Bun.write(
    join(outer.home, ".ssh/config"),
    `${server("bastion", way.port, outer)}${server("app-*", port, inner)} ProxyJump bastion\n`,
  );
  await Bun.$`chmod 600 ${join(outer.home, ".ssh/config")}`.quiet();
  const connector: Connector = createSshConnector({ home: outer.home, env: {}, systemConfigFile: "/nonexistent" });
  return {
    clients,
    way,
    connect: (name: string): Promise<Connection> =>
      connector.connect!(targetFor(name, { sshConnectRetryMinDelay: 0.01 }), connectorContext()),
    close: () => connector.close!(),
    async [Symbol.asyncDispose]() {
      await connector.close!();
      await way[Symbol.asyncDispose]();
    },
  };
}
const answer = async (connection: Connection): Promise<string> =>
  Buffer.from((await connection.run(sh`echo in`)).stdout)
    .toString()
    .trim();

describe("a connection to a jump host", () => {
  test("that is lost while a host behind it is connected to is made again, and the host is reached", async () => {
    let isFirst = true;
    const cut = (): void => {
      if (isFirst) jump.clients[0]?.resetAndDestroy();
      isFirst = false;
    };
    await using gate = await proxy(inner, (client, open) => {
      cut();
      joined(client, open());
    });
    await using jump = await behindJump(gate.port);
    const connections = await Promise.all(["app-1", "app-2", "app-3"].map(jump.connect));
    expect(await Promise.all(connections.map(answer))).toEqual(["in", "in", "in"]);
    expect(jump.clients).toHaveLength(2);
  });

  test("that is lost takes those behind it along, and none that came later", async () => {
    await using jump = await behindJump(inner.port);
    const first = await jump.connect("app-1");
    const running = first.run(sh`echo begun; sleep 1000`, { onOutput: () => void jump.clients[0]?.resetAndDestroy() });
    expect((await running.catch(error => error)).code).toBe("E_CONNECTION_LOST");
    const second = await jump.connect("app-1");
    expect(jump.clients).toHaveLength(2);
    // The end of the old one, told again and late, is nothing to the new one.
    await first.close();
    expect(await answer(second)).toBe("in");
    expect(await answer(await jump.connect("app-2"))).toBe("in");
    expect(jump.clients).toHaveLength(2);
  });

  test("is left by nobody", async () => {
    await using jump = await behindJump(inner.port);
    const connections = await Promise.all(["app-1", "app-2"].map(jump.connect));
    await Promise.all(connections.map(answer));
    const given = new AbortController();
    await using mute = await proxy(inner, client => {
      client.resume();
      given.abort();
    });
    await using other = await behindJump(mute.port);
    await jump.close();
    await until("the connection to the jump host has ended", async () => jump.way.open() === 0);
    const waiting = other.connect("app-1");
    await until("the host behind it was tried", async () => given.signal.aborted);
    await other.close();
    expect((await waiting.catch(error => error)).message).toMatch(/closed|lost|ended/i);
    await until("nothing is left of it", async () => other.way.open() === 0 && mute.open() === 0);
  });
});
