/** Output that is taken slowly: it stays where it is, and nothing on the way piles up. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { createConnectors } from "../../src/connectors/index.ts";
import { localConnection } from "../../src/connectors/program/program.ts";
import { openTunnel } from "../../src/connectors/shared/tunnel.ts";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { sh } from "../../src/core/command.ts";
import type { Connection, Connector } from "../../src/core/connector.ts";
import { openChain } from "../../src/engine/host/chain.ts";
import { parseHostName } from "../../src/inventory/parse.ts";
import { connectorContext } from "../support/connectors.ts";
import { needTools } from "../support/machine.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";

setDefaultTimeout(120_000);
await needTools({ sshd: "openssh-server", ssh: "openssh-client", "ssh-keygen": "openssh-client" });

const MB = 1024 * 1024;
const TOTAL = 64 * MB;
/** As much as may be under way: windows of channels, and what the system keeps for each socket and pipe. */
const MOST = 24 * MB;

let server: Sshd;
let ssh: Connector;
beforeAll(async () => {
  server = await startSshd();
  const config = [
    `Host bastion\n HostName 127.0.0.1\n Port ${server.port}\n IdentityFile ${server.key}`,
    "Host jumped\n ProxyJump bastion",
    `Host program\n ProxyCommand ${process.execPath} ${join(import.meta.dir, "../support/pipe-to.ts")} %h %p`,
  ];
  await Bun.write(join(server.home, ".ssh/config"), `${config.join("\n")}\n`);
  await Bun.$`chmod 600 ${join(server.home, ".ssh/config")}`.quiet();
  ssh = createSshConnector({
    home: server.home,
    env: { SHELL: "/bin/sh", PATH: process.env.PATH },
    systemConfigFile: "/nonexistent",
  });
});
afterAll(async () => {
  await ssh.close?.();
  await server.stop();
});

const open = (name: string, data: Readonly<Record<string, unknown>> = {}): Promise<Connection> =>
  openChain(parseHostName(name), {
    connectors: new Map([...createConnectors(), ["ssh", ssh]]),
    connectorContext: connectorContext(),
    data: { ...server.data, ...data },
    timeout: 30,
    signal: new AbortController().signal,
  });

describe("a command whose output is taken slowly is held up", () => {
  for (const [what, name, data] of [
    ["on this machine", "@local", {}],
    ["over SSH", "@ssh/web", {}],
    ["over the ssh program", "@ssh/web", { sshTransport: "openssh" }],
    ["behind a jump host", "@ssh/jumped", {}],
    ["behind a program", "@ssh/program", {}],
    ["through another connection", "@ssh/web/@ssh/web", {}],
  ] as const)
    test(what, async () => {
      const known = join(server.home, ".ssh/known_hosts");
      const connection = await open(
        name,
        "sshTransport" in data ? { ...data, sshConfigFile: "none", sshKnownHostsFile: known } : data,
      );
      const progress = join(server.directory, `progress-${what.replaceAll(" ", "-")}`);
      let taken = 0;
      let most = 0;
      let taking = Promise.resolve();
      const result = await connection.run(
        sh`i=0; while [ $i -lt ${TOTAL / MB} ]; do head -c ${MB} /dev/zero; i=$((i+1)); echo "$i" >${progress}; done`,
        {
          capture: false,
          onOutput(_, chunk) {
            const { length } = chunk;
            // One after the other, as a disk would.
            return (taking = taking.then(async () => {
              await Bun.sleep(1);
              if (existsSync(progress)) most = Math.max(most, Number(readFileSync(progress, "utf8")) * MB - taken);
              taken += length;
            }));
          },
        },
      );
      expect(result.exitCode).toBe(0);
      expect(taken).toBe(TOTAL);
      expect(most).toBeLessThan(MOST);
      await connection.close();
    });
});

test("all output has been taken when a command is told to have ended, and one that cannot be taken ends it", async () => {
  for (const name of ["@local", "@ssh/web", "@ssh/web/@ssh/web"]) {
    const connection = await open(name);
    let taken = "";
    await connection.run(sh`echo one; echo two`, {
      async onOutput(_, chunk) {
        const text = Buffer.from(chunk).toString();
        await Bun.sleep(20);
        taken += text;
      },
    });
    expect(taken).toBe("one\ntwo\n");
    for (const onOutput of [
      () => Promise.reject(new Error("The disk is full")),
      () => {
        throw new Error("The disk is full");
      },
    ]) {
      const failing = connection.run(sh`echo one; sleep 1000`, { onOutput });
      expect((await failing.catch(error => error)).message).toBe("The disk is full");
    }
    await connection.close();
  }
});

test("a command on a terminal of this machine, which cannot be held up, is ended before its output fills the memory", async () => {
  const connection = await open("@local");
  let waiting = 0;
  const running = connection.run(sh`exec cat /dev/zero`, {
    pty: true,
    capture: false,
    onOutput(_, chunk) {
      waiting += chunk.length;
      return new Promise(() => {});
    },
  });
  const error = await running.catch(thrown => thrown);
  expect(error).toMatchObject({ message: "Output came faster than it was taken, and 64 MiB of it waited" });
  expect(waiting).toBeLessThan(TOTAL + MOST);
  await connection.close();
});

test("a tunnel that nobody reads from holds up who writes into it", async () => {
  let sent = 0;
  const flood = createServer((client: Socket) => {
    client.on("error", () => {});
    const block = Buffer.alloc(MB);
    const more = (): void => {
      if (sent === TOTAL) return void client.end();
      sent += MB;
      client.write(block, more);
    };
    more();
  });
  await new Promise<void>(resolve => flood.listen(0, "127.0.0.1", resolve));
  const { port } = flood.address() as { port: number };
  for (const [name, connection] of [
    ["local", localConnection({})],
    ["ssh", await open("@ssh/web")],
  ] as const) {
    sent = 0;
    const { socket } = openTunnel(connection, { hostname: "127.0.0.1", port });
    let taken = 0;
    let most = 0;
    for await (const chunk of socket) {
      taken += (chunk as Buffer).length;
      await Bun.sleep(1);
      most = Math.max(most, sent - taken);
    }
    expect([name, taken]).toEqual([name, TOTAL]);
    expect(most).toBeLessThan(MOST);
    await connection.close();
  }
  flood.close();
  await once(flood, "close");
});
