/** Many hosts behind one server that drops some of those who come at once. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { Door } from "../../src/connectors/ssh/door.ts";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { DroppedError } from "../../src/connectors/ssh/retry.ts";
import { sh } from "../../src/core/command.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { needTools } from "../support/machine.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";

setDefaultTimeout(300_000);
await needTools({ sshd: "openssh-server", ssh: "openssh-client", "ssh-keygen": "openssh-client" });

/** Connect so many at once, and have each answer; the errors of those that could not. */
async function connectAll(
  server: Sshd,
  hosts: number,
  data: Readonly<Record<string, unknown>> = {},
  timeout = 10,
): Promise<readonly string[]> {
  const connector = createSshConnector({
    home: server.home,
    env: { PATH: process.env.PATH },
    systemConfigFile: "/nonexistent",
  });
  const all = await Promise.allSettled(
    Array.from({ length: hosts }, async (_, index) => {
      const target = targetFor(`h${index}`, { ...server.data, ...data }, { timeout });
      const connection = await connector.connect!(target, connectorContext());
      expect((await connection.run(sh`exit 0`)).exitCode).toBe(0);
      return connection;
    }),
  );
  await Promise.all(all.map(async one => one.status === "fulfilled" && (await one.value.close())));
  await connector.close?.();
  return all.flatMap(one => (one.status === "rejected" ? [String(one.reason.message)] : []));
}

const dropped = async (server: Sshd): Promise<boolean> => (await server.log()).includes("MaxStartups throttling");

describe("a server that lets few begin at once", () => {
  test("has all of many hosts in the end", async () => {
    await using server = await startSshd({ config: ["MaxStartups 2:60:5"] });
    expect(await connectAll(server, 250, {}, 5)).toEqual([]);
    // It did drop some.
    expect(await dropped(server)).toBe(true);
  });

  test("has all of them through the ssh program, too", async () => {
    await using server = await startSshd({ config: ["MaxStartups 2:60:5"] });
    const known = `${server.home}/.ssh/known_hosts`;
    expect(
      await connectAll(server, 20, { sshTransport: "openssh", sshConfigFile: "none", sshKnownHostsFile: known }, 60),
    ).toEqual([]);
    expect(await dropped(server)).toBe(true);
  });
});

test("a ProxyCommand whose ssh was dropped is started again, too", async () => {
  await using server = await startSshd();
  const sshConfigFile = join(server.directory, "config");
  const count = join(server.directory, "count");
  const pipe = `${process.execPath} ${join(import.meta.dir, "../support/pipe-to.ts")}`;
  await Bun.write(
    join(server.directory, "proxy"),
    `echo x >>${count}; [ $(wc -l <${count}) -gt 3 ] || { echo "kex_exchange_identification: Connection closed by remote host" >&2; exit 255; }; exec ${pipe} "$@"\n`,
  );
  await Bun.write(sshConfigFile, `Host *\n ProxyCommand sh ${server.directory}/proxy %h %p\n`);
  const known = { sshKnownHostsFile: join(server.home, ".ssh/known_hosts"), sshConfigFile };
  expect(await connectAll(server, 1, { ...known, sshConnectRetries: 0, sshConnectRetryMinDelay: 0.01 })).toEqual([]);
});

test("as many come at once as a server bears, and slowly more when it bears more", async () => {
  const door = new Door(100);
  let [inside, bears, dropped, most] = [0, 5, 0, 0];
  const knock = async (): Promise<void> => {
    try {
      most = Math.max(most, ++inside);
      await Promise.resolve();
      if (inside > bears) {
        dropped++;
        throw new DroppedError("Too many");
      }
      await new Promise(resolve => setImmediate(resolve));
    } finally {
      inside--;
    }
  };
  const options = {
    patience: 60,
    retry: { times: 0, minDelay: 0.001, maxDelay: 0.01 },
    signal: new AbortController().signal,
  };
  const knocking = (count: number) => Promise.all(Array.from({ length: count }, () => door.enter(knock, options)));
  await knocking(500);
  expect(most).toBe(100);
  // Most of them were among the hundred that came first.
  expect(dropped).toBeLessThan(250);
  [bears, most] = [50, 0];
  await knocking(500);
  expect(most).toBeGreaterThan(10);
});

test("a server that drops everybody is given up when nobody has got in for as long as a connection may take", async () => {
  await using server = await startSshd();
  let knocks = 0;
  const rude = createServer((client: Socket) => {
    knocks++;
    client.on("error", () => {}).destroy();
  });
  await new Promise<void>(resolve => rude.listen(0, "127.0.0.1", resolve));
  const { port } = rude.address() as { port: number };
  const errors = await connectAll(server, 3, { sshPort: port, sshConnectRetryMinDelay: 0.05 }, 1);
  rude.close();
  expect(errors).toHaveLength(3);
  expect(errors[0]).toMatch(
    /^h0 \(127\.0\.0\.1:\d+\) closed the connection before the handshake \(tried \d+ times; nobody got in there for 1 seconds\)$/,
  );
  expect(knocks).toBeGreaterThan(3);
});
