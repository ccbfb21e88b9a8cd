/** Files over SFTP: the same contract, and what the user sees where there is none. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { Secret, sh } from "../../src/core/command.ts";
import type { Connection } from "../../src/core/connector.ts";
import type { TsinfraError } from "../../src/core/errors.ts";
import { localTransfers } from "../../src/deploy/local-transfers.ts";
import { Session } from "../../src/engine/host/session.ts";
import { testSession } from "../contracts/session.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { escalationSubject } from "../support/escalation.ts";
import { needTools } from "../support/machine.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";
import { upload } from "../support/upload.ts";

setDefaultTimeout(120_000);
await needTools({ sshd: "openssh-server", "ssh-keygen": "openssh-client", doas: "opendoas" });

const SFTP = { sshFileTransferProtocol: "sftp" };
const subject = escalationSubject({
  name: "ssh, files over SFTP",
  sshTransport: "embedded",
  data: SFTP,
  hasDoas: true,
});
testSession(subject);

const plain = { shell: "sh", env: {} } as const;

/** A session on a server of its own, and what it takes to look at it. */
async function setUp(server: Sshd, data: Readonly<Record<string, unknown>> = {}, transfers = localTransfers) {
  const connector = createSshConnector({ home: server.home, env: {}, systemConfigFile: "/nonexistent" });
  const connect = (): Promise<Connection> =>
    connector.connect!(
      targetFor("web-1", { ...server.data, sshConfigFile: "none", ...SFTP, ...data }, { name: "web-1" }),
      connectorContext(),
    );
  const session = new Session({
    host: "web-1",
    fast: true,
    connect,
    context: connectorContext(),
    transfers,
    onMayHaveChanged: () => {},
    onTransfer: () => {},
  });
  return {
    session,
    async [Symbol.asyncDispose]() {
      await session.disconnect();
      await connector.close?.();
    },
  };
}
const failure = (promise: Promise<unknown>): Promise<TsinfraError> =>
  promise.then(
    () => Promise.reject(new Error("It worked")),
    error => error,
  );

describe("files over SFTP", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "tsinfra-sftp-"));
    await Bun.write(join(directory, "big"), randomBytes(3_000_000));
  });
  afterAll(() => rm(directory, { recursive: true }));
  const signal = new AbortController().signal;
  /** The host's directory for temporary files is one of the test's own. */
  const start = async (config: readonly string[] = []): Promise<Sshd & { readonly temporary: string }> => {
    const temporary = await mkdtemp(join(directory, "tmp-"));
    return Object.assign(await startSshd({ config: [...config, `SetEnv TMPDIR=${temporary} HOME=${temporary}`] }), {
      temporary,
    });
  };
  const uploadBig = (session: Session, dest: string, more: { readonly signal?: AbortSignal } = {}) =>
    upload(session.transfers, { path: join(directory, "big") }, dest, {}, { surroundings: plain, signal, ...more });

  test("reach the host, and nothing of them stays elsewhere", async () => {
    await using server = await start();
    await using made = await setUp(server);
    const dest = join(directory, "arrived");
    await uploadBig(made.session, dest);
    await made.session.transfers.download(dest, join(directory, "back"), { surroundings: plain, signal });
    expect(
      Buffer.from(await Bun.file(join(directory, "back")).bytes()).equals(
        Buffer.from(await Bun.file(join(directory, "big")).bytes()),
      ),
    ).toBe(true);
    expect(await server.log()).toContain("sftp");
    expect(await readdir(server.temporary)).toEqual([]);
  });

  test("many at once", async () => {
    await using server = await start();
    await using made = await setUp(server);
    await Promise.all(
      Array.from({ length: 12 }, (_, index) => uploadBig(made.session, join(directory, `many-${index}`))),
    );
    for (let index = 0; index < 12; index++) expect(Bun.file(join(directory, `many-${index}`)).size).toBe(3_000_000);
    expect(await readdir(server.temporary)).toEqual([]);
  });

  test("a connection that is cut on the way leaves the old file, and nothing else", async () => {
    await using server = await start();
    const sockets: Socket[] = [];
    const cut = createServer(client => {
      const host = connectTcp(server.port, server.address);
      for (const socket of [client, host]) sockets.push(socket.on("error", () => {}));
      client.pipe(host).pipe(client);
      client.on("close", () => host.destroy());
    });
    await new Promise<void>(resolve => cut.listen(0, "127.0.0.1", resolve));
    const knownHosts = join(directory, "known");
    await Bun.write(knownHosts, server.knownHosts.replace(/^\[127\.0\.0\.1\]:\d+/gm, "127.0.0.1"));
    const source = {
      ...localTransfers,
      size: async () => 10_000_000,
      small: async () => undefined,
      async *read() {
        yield new Uint8Array(1_000_000);
        while ((await readdir(server.temporary)).length === 0);
        for (const socket of sockets) socket.destroy();
        await new Promise(() => {});
      },
    };
    await using made = await setUp(
      server,
      { sshPort: (cut.address() as { port: number }).port, sshKnownHostsFile: knownHosts },
      source,
    );
    const dest = join(await mkdtemp(join(directory, "cut-")), "file");
    await Bun.write(dest, "old");
    expect((await failure(uploadBig(made.session, dest))).code).toBe("E_CONNECTION_LOST");
    expect(await Bun.file(dest).text()).toBe("old");
    while ((await readdir(server.temporary)).length > 0) await Bun.sleep(20);
    expect(await readdir(join(dest, ".."))).toEqual(["file"]);
    cut.close();
  });

  test("a server without SFTP says so", async () => {
    await using server = await start(["Subsystem sftp /bin/false"]);
    await using made = await setUp(server);
    const error = await failure(uploadBig(made.session, join(directory, "never")));
    expect(error.message).toMatch(/^(The server gives web-1 no session for SFTP|SFTP on web-1 )/);
    expect(error.hint).toContain('sshFileTransferProtocol: "shell"');
    expect(await readdir(server.temporary)).toEqual([]);
  });

  test("a server with too few sessions says so", async () => {
    await using server = await start(["MaxSessions 1"]);
    await using made = await setUp(server);
    const error = await failure(uploadBig(made.session, join(directory, "never")));
    expect(error.message).toStartWith("The server gives web-1 no session for SFTP: ");
    expect(await readdir(server.temporary)).toEqual([]);
  });

  test("an SFTP that sees other directories than the shell says so", async () => {
    const jail = await mkdtemp(join(tmpdir(), "tsinfra-jail-"));
    await using server = await start([`Subsystem sftp internal-sftp -d ${jail} -P open`]);
    await using made = await setUp(server);
    const error = await failure(uploadBig(made.session, join(directory, "never")));
    expect(error.message).toMatch(/^SFTP on web-1 cannot open \/\S+: /);
    expect(error.hint).toContain('sshFileTransferProtocol: "shell"');
    await rm(jail, { recursive: true });
  });

  test("the other transport refuses, and so does a word that is none", async () => {
    await using server = await start();
    for (const [data, message] of [
      [{ sshTransport: "openssh" }, 'Files of web-1 are to travel over SFTP, which the transport "openssh" cannot'],
      [
        { sshFileTransferProtocol: "scp" },
        'The host data sshFileTransferProtocol of web-1 is "scp", but must be "shell" or "sftp"',
      ],
    ] as const) {
      await using made = await setUp(server, data);
      expect((await failure(made.session.run(sh`true`, { surroundings: plain, signal }))).message).toBe(message);
    }
  });
});

test("files over SFTP go to users who could not read what the login user wrote", async () => {
  const { sudoers } = subject;
  const session = new Session({
    host: "h1",
    fast: true,
    connect: sudoers!.asked,
    context: connectorContext(),
    transfers: localTransfers,
    onMayHaveChanged: () => {},
    onTransfer: () => {},
  });
  const signal = new AbortController().signal;
  const asNobody = {
    ...plain,
    sudo: { user: "nobody", login: false, preserveEnv: false, password: new Secret(sudoers!.password) },
  };
  const content = randomBytes(1_000_000);
  const directory = await mkdtemp(join(tmpdir(), "tsinfra-sftp-"));
  try {
    await upload(session.transfers, { content }, "/tmp/nobodys", { mode: "600" }, { surroundings: asNobody, signal });
    const { stdout } = await session.run(sh`stat -c '%U %a' /tmp/nobodys`, { surroundings: asNobody, signal });
    expect(Buffer.from(stdout).toString()).toBe("nobody 600\n");
    await session.transfers.download("/tmp/nobodys", join(directory, "back"), { surroundings: asNobody, signal });
    expect(Buffer.from(await Bun.file(join(directory, "back")).bytes()).equals(content)).toBe(true);
  } finally {
    await session.disconnect();
    await rm(directory, { recursive: true });
  }
});
