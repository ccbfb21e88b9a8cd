/** Servers that say something else than they should before anybody has logged in: what they said is told. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";

setDefaultTimeout(60_000);

/** What connecting to a server that does this comes to. */
async function failure(serve: (socket: Socket) => void, timeout = 8): Promise<string> {
  const server = createServer(socket => {
    socket.on("error", () => {});
    serve(socket);
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const connector = createSshConnector({ home: "/nonexistent", env: {}, systemConfigFile: "/nonexistent" });
  const data = {
    sshHostname: "127.0.0.1",
    sshPort: port,
    sshUser: "root",
    sshConfigFile: "none",
    sshAllowAgent: false,
    sshConnectRetries: 0,
  };
  try {
    await connector.connect!(targetFor("web-1", data, { timeout }), connectorContext());
    return "connected";
  } catch (error) {
    return (error as Error).message;
  } finally {
    await connector.close?.();
    server.close();
  }
}

/** A packet before keys are exchanged. */
function packet(payload: Buffer): Buffer {
  const padding = 8 - ((payload.length + 5) % 8) + 8;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(payload.length + padding + 1);
  head[4] = padding;
  return Buffer.concat([head, payload, Buffer.alloc(padding)]);
}
const text = (words: string): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(words));
  return Buffer.concat([length, Buffer.from(words)]);
};

test("a server that says goodbye is quoted, in a line that steers no terminal", async () => {
  const goodbye = `Go away \x1b[2J\n  web-1  Changed ${"x".repeat(1000)}`;
  const said = await failure(socket => {
    socket.write("SSH-2.0-OpenSSH_9\r\n");
    socket.end(packet(Buffer.concat([Buffer.from([1, 0, 0, 0, 11]), text(goodbye), text("")])));
  });
  expect(said).toContain("ended the connection before the login: Go away ?[2J web-1 Changed xxx");
  expect(said).not.toMatch(/[\x00-\x1f]/);
  expect(said.length).toBeLessThan(500);
});

test("a server that is none is quoted", async () => {
  const said = await failure(socket => socket.end("HTTP/1.1 400 Bad\x1b[2J Request\r\n\r\n"));
  expect(said).toContain('closed the connection before the handshake: it said "HTTP/1.1 400 Bad?[2J Request"');
});

test("what is waited for after the greeting is the key exchange", async () => {
  expect(await failure(socket => void socket.write("SSH-2.0-OpenSSH_9\r\n"), 1)).toMatch(
    /within 1 seconds: still waiting for the key exchange with 127\.0\.0\.1:\d+, which has greeted$/,
  );
});

test("messages without end that mean nothing are read until the time is over, and not kept", async () => {
  const nothing = packet(Buffer.concat([Buffer.from([2]), text("a".repeat(4096))]));
  const many = Buffer.concat(Array.from({ length: 16 }, () => nothing));
  const before = process.memoryUsage.rss();
  const said = await failure(socket => {
    socket.write("SSH-2.0-OpenSSH_9\r\n");
    const more = (): void => {
      while (!socket.destroyed && socket.write(many));
      socket.once("drain", more);
    };
    more();
  }, 3);
  expect(said).toContain("still waiting for the key exchange");
  expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 1024 * 1024);
});
