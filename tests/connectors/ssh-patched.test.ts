/** What `patches/` changes in ssh2. What is sent without waiting for an answer is seen by holding the answers back until it has come. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { exists, mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, connect as dial, createServer, type Server as TcpServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AuthContext, type Connection as ServerConnection, Server } from "ssh2";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { sh } from "../../src/core/command.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { startAgent } from "../support/ssh-agent.ts";
import { createKey, startSshd } from "../support/sshd.ts";
import { until } from "../support/until.ts";

let directory: string;
let hostKey: string;
let key: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tsinfra-patched-"));
  hostKey = await createKey(join(directory, "host"), "ed25519");
  key = await createKey(join(directory, "key"), "ed25519");
});
afterAll(() => rm(directory, { recursive: true }));

/** A server behind a wire whose way back can be held. */
async function startServer(onConnection: (client: ServerConnection, wire: Wire) => void) {
  const wire = new Wire();
  const server = new Server(
    { hostKeys: [await readFile(hostKey, "utf8")], ident: "OpenSSH_9.9" },
    (client: ServerConnection) => {
      client.on("error", () => {});
      onConnection(client, wire);
    },
  );
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const port = await wire.listen((server.address() as AddressInfo).port);
  const known = join(directory, `known-${port}`);
  await Bun.write(known, `[127.0.0.1]:${port} ${await readFile(`${hostKey}.pub`, "utf8")}`);
  return {
    data: {
      sshHostname: "127.0.0.1",
      sshPort: port,
      sshUser: "ada",
      sshKey: key,
      sshKnownHostsFile: known,
      sshConfigFile: "none",
    },
    async [Symbol.asyncDispose]() {
      wire.close();
      server.close();
    },
  };
}

/** A wire between client and server. */
class Wire {
  #isHeld = false;
  readonly #held: (() => void)[] = [];
  readonly #sockets = new Set<Socket>();
  #listener: TcpServer | undefined;

  /** Keep what the server says from now on. */
  hold(): void {
    this.#isHeld = true;
  }
  release(): void {
    this.#isHeld = false;
    for (const pass of this.#held.splice(0)) pass();
  }

  async listen(target: number): Promise<number> {
    const listener = createServer(client => {
      const server = dial(target, "127.0.0.1");
      for (const socket of [client, server]) this.#sockets.add(socket.on("error", () => {}));
      client.on("data", chunk => server.write(chunk)).on("close", () => server.destroy());
      const back = (pass: () => void): void => void (this.#isHeld ? this.#held.push(pass) : pass());
      server.on("data", chunk => back(() => client.write(chunk))).on("close", () => back(() => client.destroy()));
    });
    this.#listener = listener;
    await new Promise<void>(resolve => listener.listen(0, "127.0.0.1", resolve));
    return (listener.address() as AddressInfo).port;
  }

  close(): void {
    this.#listener?.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

const connect = async (data: Readonly<Record<string, unknown>>, { home = "/nonexistent", env = {} } = {}) =>
  createSshConnector({ home, env, systemConfigFile: "/nonexistent" }).connect!(
    targetFor("web-1", data),
    connectorContext(),
  );

test("the first attempt to log in comes before the server has said that it may, with the signature of the only key", async () => {
  const attempts: string[] = [];
  await using server = await startServer((client, wire) => {
    client.on("handshake", () => wire.hold());
    client.on("authentication", (context: AuthContext) => {
      attempts.push(`${context.method}${context.method === "publickey" && context.signature ? ", signed" : ""}`);
      context.accept();
      wire.release();
    });
  });
  await (await connect(server.data)).close();
  expect(attempts).toEqual(["publickey, signed"]);
});

test("an RSA key signs with SHA-2, though the server has not said yet that it takes it", async () => {
  const rsa = await createKey(join(directory, "rsa"), "rsa");
  const hashes: unknown[] = [];
  await using server = await startServer((client, wire) => {
    client.on("handshake", () => wire.hold());
    client.on("authentication", (context: AuthContext) => {
      hashes.push(context.method === "publickey" && context.hashAlgo);
      context.accept();
      wire.release();
    });
  });
  await (await connect({ ...server.data, sshKey: rsa })).close();
  expect(hashes).toEqual(["sha512"]);
});

test("a command and its input come before the server has said that it runs it", async () => {
  const received: string[] = [];
  await using server = await startServer((client, wire) => {
    client.on("authentication", context => context.accept());
    client.on("session", accept => {
      accept().on("exec", acceptExec => {
        wire.hold();
        const channel = acceptExec();
        channel.on("data", (chunk: Buffer) => received.push(chunk.toString()));
        channel.on("end", () => {
          wire.release();
          channel.write("out");
          channel.exit(0);
          channel.end();
        });
      });
    });
  });
  const connection = await connect(server.data);
  // This server is no shell, and the answer is not that of one; what counts is what has come to it by then.
  await expect(connection.run(sh`cat`, { stdin: Buffer.from("in") })).rejects.toThrow("does not run commands");
  await connection.close();
  expect(received.join("")).toContain("in");
});

test("a key that is half of what a server wants is followed by the other half", async () => {
  const attempts: string[] = [];
  await using server = await startServer(client => {
    client.on("authentication", (context: AuthContext) => {
      attempts.push(context.method);
      if (context.method === "publickey") context.reject(["password"], true);
      else if (context.method === "password" && attempts.includes("publickey")) context.accept();
      else context.reject(["publickey"]);
    });
  });
  await (await connect({ ...server.data, sshPassword: "s3cret" })).close();
  expect(attempts).toEqual(["publickey", "password"]);
});

test("a server that forwards no agent runs the command all the same", async () => {
  await using agent = await startAgent(directory);
  await using server = await startSshd({ config: ["AllowAgentForwarding no"] });
  const connection = await connect(
    { ...server.data, sshForwardAgent: true },
    { home: server.home, env: { SSH_AUTH_SOCK: agent.socket } },
  );
  const answered = Promise.withResolvers<void>();
  // The rest of the input is written when the refusal has been read: what it is answered with comes after that.
  const input = async function* () {
    yield Buffer.from("one ");
    await answered.promise;
    yield Buffer.from("two");
  };
  const { stdout } = await connection.run(sh`cat`, { stdin: input(), onOutput: () => answered.resolve() });
  await connection.close();
  expect(new TextDecoder().decode(stdout)).toBe("one two");
});
