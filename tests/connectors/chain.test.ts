/** Connectors through connectors, as the engine makes them of a host's name. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { createConnectors } from "../../src/connectors/index.ts";
import { localConnection } from "../../src/connectors/program/program.ts";
import { openTunnel } from "../../src/connectors/shared/tunnel.ts";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { sh } from "../../src/core/command.ts";
import type { Connection, Connector } from "../../src/core/connector.ts";
import { openChain } from "../../src/engine/host/chain.ts";
import { parseHostName } from "../../src/inventory/parse.ts";
import { testConnector } from "../contracts/connector.ts";
import { testSession } from "../contracts/session.ts";
import { connectorContext } from "../support/connectors.ts";
import { localSession } from "../support/local-session.ts";
import { needTools } from "../support/machine.ts";
import { busyboxRootfs, removeRootfs } from "../support/rootfs.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";

setDefaultTimeout(60_000);
await needTools({ sshd: "openssh-server", "ssh-keygen": "openssh-client", nc: "netcat-openbsd" });

let root = "";
let server: Sshd;
let ssh: Connector;
const rig = async (): Promise<void> => {
  root ||= await busyboxRootfs();
  server ??= await startSshd();
  ssh ??= createSshConnector({ home: server.home, env: {}, systemConfigFile: "/nonexistent" });
};
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const options = (data: Readonly<Record<string, unknown>> = {}) => ({
  connectors: new Map<string, Connector>([...createConnectors(), ["ssh", ssh]]),
  connectorContext: connectorContext(),
  data: { ...server.data, ...data },
  timeout: 30,
  signal: new AbortController().signal,
});
const open = async (name: string, data?: Readonly<Record<string, unknown>>): Promise<Connection> => {
  await rig();
  return await openChain(parseHostName(name.replace("ROOT", root)), options(data));
};

/** The names of an interface's members. */
function membersOf(file: string, name: string): readonly string[] {
  const path = join(import.meta.dir, "../..", file);
  const tree = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest);
  const found = tree.statements.find(one => ts.isInterfaceDeclaration(one) && one.name.text === name);
  return (found as ts.InterfaceDeclaration).members.map(member => (member.name as ts.Identifier).text);
}

beforeAll(rig, 60_000);
afterAll(async () => {
  await ssh.close?.();
  await server.stop();
  removeRootfs(root);
});

testConnector({
  name: "ssh, then chroot",
  can: { pty: true, rsync: false },
  open: () => open("@ssh/target/@chroot/ROOT"),
});
testConnector({
  name: "chroot, then ssh",
  can: { pty: true, rsync: false },
  open: () => open("@chroot/ROOT/@ssh/target"),
});
testSession({ name: "ssh, then chroot", open: () => open("@ssh/target/@chroot/ROOT") });

describe("a chain", () => {
  test("may go through ssh twice", async () => {
    const connection = await open("@ssh/target/@ssh/target");
    expect(text((await connection.run(sh`echo "$SSH_CONNECTION" | cut -d' ' -f4`)).stdout)).toBe(`${server.port}\n`);
    await connection.close();
  });

  for (const sshTransport of ["embedded", "openssh"])
    test(`may go through a server that gives one session, over the transport ${sshTransport}`, async () => {
      await using few = await startSshd({ config: ["MaxSessions 1"] });
      await rig();
      const connector = createSshConnector({
        home: few.home,
        env: { PATH: process.env.PATH },
        systemConfigFile: "/nonexistent",
      });
      const sshKnownHostsFile = join(few.home, ".ssh/known_hosts");
      const data = { ...few.data, sshTransport, sshConfigFile: "none", sshKnownHostsFile };
      const session = localSession({
        connect: () =>
          openChain(parseHostName(`@ssh/target/@chroot/${root}`), {
            ...options(data),
            connectors: new Map<string, Connector>([...createConnectors(), ["ssh", connector]]),
          }),
      });
      const plain = { surroundings: { shell: "sh", env: {} }, signal: new AbortController().signal };
      const printed = async (more: object): Promise<string> =>
        text((await session.run(sh`cat; echo done`, { ...plain, ...more })).stdout);
      expect(await printed({})).toBe("done\n");
      expect(await printed({ stdin: Buffer.from("in\n") })).toBe("in\ndone\n");
      expect(await Promise.all([printed({ alone: true }), printed({ alone: true })])).toEqual(["done\n", "done\n"]);
      expect(await printed({})).toBe("done\n");
      await session.disconnect();
      await connector.close?.();
    });

  test("may have three parts", async () => {
    const inner = `${root}/inner`;
    mkdirSync(inner);
    for (const directory of ["bin", "tmp"]) await Bun.$`cp -a ${root}/${directory} ${inner}`.quiet();
    const connection = await open("@ssh/target/@chroot/ROOT/@chroot/inner");
    expect(text((await connection.run(sh`ls /`)).stdout)).toBe("bin\ntmp\n");
    await connection.close();
  });

  test("closes what it has opened when a later part fails", async () => {
    const closed: string[] = [];
    const outer: Connector = {
      name: "outer",
      summary: "",
      can: { pty: false, rsync: false },
      dataKeys: {},
      connect: async () => ({
        run: async () => ({ exitCode: 1, stdout: new Uint8Array(), stderr: Buffer.from("no such place\n") }),
        close: async () => void closed.push("outer"),
      }),
    };
    const chained = openChain(parseHostName("@outer/@chroot/nowhere"), {
      ...options(),
      connectors: new Map([...createConnectors(), ["outer", outer]]),
    });
    expect((await chained.catch(error => error)).message).toBe('Cannot change root to "/nowhere": no such place');
    expect(closed).toEqual(["outer"]);
  });

  test("keeps every ability of its last part", async () => {
    const closed: string[] = [];
    const made = { path: "/t", write: async () => {}, read: async () => {}, [Symbol.asyncDispose]: async () => {} };
    const nothing = { exitCode: 0, stdout: new Uint8Array(), stderr: new Uint8Array() };
    const part = (name: string, abilities: Partial<Connection>): Connector => ({
      name,
      summary: "",
      can: { pty: true, rsync: true, through: true },
      dataKeys: {},
      connect: async () => ({ run: async () => nothing, close: async () => void closed.push(name), ...abilities }),
    });
    const chained = await openChain(parseHostName("@outer/a/@inner/b"), {
      ...options(),
      connectors: new Map([
        ["outer", part("outer", {})],
        ["inner", part("inner", { rsync: async () => nothing, stage: async () => made })],
      ]),
    });
    expect(await chained.stage?.(new AbortController().signal)).toBe(made);
    expect(await chained.rsync?.("a", "b", [])).toBe(nothing);
    await chained.close();
    expect(closed).toEqual(["inner", "outer"]);
  });

  test("says which part cannot be reached", async () => {
    const error = await open("@chroot/ROOT/@ssh/target", { sshPort: 1 }).catch(error => error);
    expect([error.code, error.message]).toEqual([
      "E_CONNECT",
      expect.stringMatching(/^The connection that @chroot\/.* goes through ended before the handshake: .*refused/),
    ]);
    const other = await open("@chroot/ROOT/@ssh/target", { sshTransport: "openssh" }).catch(error => error);
    expect([other.code, other.hint]).toEqual(["E_CONNECTOR_DATA", expect.stringContaining("ProxyJump")]);
    const wrong = await openChain(
      { name: "x", connector: "local", address: "", through: [{ connector: "ssh", address: "target" }] },
      options(),
    ).catch(error => error);
    expect(wrong.message).toBe('The connector "@local" cannot go through another connection');
  });

  test("carries ssh with what a host has", async () => {
    for (const program of ["nc", "socat", "bash"]) {
      const found = Bun.which(program);
      if (!found) continue;
      const bin = await mkdtemp(join(tmpdir(), "tsinfra-bin-"));
      for (const name of ["cat", program]) await symlink(Bun.which(name)!, join(bin, name));
      const { socket, complaint } = openTunnel(localConnection({ env: { PATH: bin } }), {
        hostname: server.address,
        port: server.port,
      });
      const [greeting] = (await once(socket, "data")) as [Buffer];
      expect(greeting.toString()).toStartWith("SSH-2.0-");
      // The server hangs up on what is no answer, and that ends the stream.
      if (program === "nc") socket.destroy();
      else socket.write("nonsense\r\n");
      if (!socket.destroyed) await once(socket, "close");
      await complaint;
      await rm(bin, { recursive: true });
    }
  });

  test("keeps every ability of its last part", async () => {
    const used: string[] = [];
    // All members that a connection may have, whichever they are by now.
    const members = membersOf("src/core/connector.ts", "Connection");
    expect(members).toContain("stage");
    const last = Object.fromEntries(members.map(name => [name, async () => void used.push(name)]));
    const part = (name: string, connection: object): Connector => ({
      name,
      summary: "",
      can: { pty: false, rsync: true, through: true },
      dataKeys: {},
      connect: async () => connection as Connection,
    });
    const plain = { run: async () => undefined, close: async () => undefined };
    const chained = async (connection: object): Promise<Readonly<Record<string, () => unknown>>> =>
      (await openChain(parseHostName("@first/a/@last/b"), {
        ...options(),
        connectors: new Map([
          ["first", part("first", plain)],
          ["last", part("last", connection)],
        ]),
      })) as unknown as Readonly<Record<string, () => unknown>>;
    const connection = await chained(last);
    expect(Object.keys(connection).sort()).toEqual([...members].sort());
    for (const name of members) await connection[name]!();
    expect(used).toEqual([...members]);
    expect(Object.keys(await chained(plain)).sort()).toEqual(["close", "run"]);
  });

  test("carries files over SFTP, where that is wanted", async () => {
    const connection = await open("@ssh/target/@ssh/target", { sshFileTransferProtocol: "sftp" });
    await using file = await connection.stage!(new AbortController().signal);
    await file.write(Buffer.from("content"));
    expect(text((await connection.run(sh`cat ${file.path}`)).stdout)).toBe("content");
    await file[Symbol.asyncDispose]();
    await connection.close();
  });

  for (const [thrown, message] of [
    [
      new TypeError("undefined is not a function"),
      'web cannot be connected to: the connector "@mine" threw TypeError: undefined is not a function',
    ],
    [new Error("the tunnel is not up"), "web cannot be connected to: the tunnel is not up"],
    ["no reason", 'web cannot be connected to: the connector "@mine" threw "no reason"'],
  ] as const)
    test(`whose connector throws ${String(thrown)} has a connection error`, async () => {
      const mine: Connector = {
        name: "mine",
        summary: "",
        can: { pty: false, rsync: false },
        dataKeys: {},
        connect() {
          throw thrown;
        },
      };
      const connecting = openChain(
        { name: "web", connector: "mine", address: "" },
        { ...options(), connectors: new Map([["mine", mine]]) },
      );
      const error = await connecting.catch(error => error);
      expect([error.code, error.host, error.message]).toEqual(["E_CONNECT", "web", message]);
    });

  test("is lost as a whole", async () => {
    const connection = await open("@ssh/target/@chroot/ROOT");
    // The nearest sshd above the command is the one of this connection.
    const running = connection.run(
      sh`p=$$; until grep -q '^Name:.sshd' /proc/$p/status; do p=$(sed -n 's/^PPid:.//p' /proc/$p/status); done; kill -KILL $p; sleep 2`,
    );
    expect((await running.catch(error => error)).code).toBe("E_CONNECTION_LOST");
    await connection.close();
  });
});
