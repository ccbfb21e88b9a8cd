/** A connection that is cut, reset or stalled at every stage: what the user sees, and what is left on the host. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Sshd, startSshd } from "../support/sshd.ts";

setDefaultTimeout(120_000);

let server: Sshd;
let directory: string;
beforeAll(async () => {
  server = await startSshd();
  directory = await mkdtemp(join(tmpdir(), "tsinfra-cut-"));
  await Bun.write(join(directory, "big"), Buffer.alloc(20_000_000, "x"));
  await Bun.write(join(directory, "config"), "ServerAliveInterval 1\nServerAliveCountMax 1\n");
  // Where nothing is meant to be lost: a busy machine may be silent for a while.
  await Bun.write(join(directory, "patient"), "ServerAliveInterval 0\n");
  await Bun.write(join(directory, "known"), server.knownHosts.replace(/^\[127\.0\.0\.1\]:\d+/gm, "127.0.0.1"));
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true });
});

/** What becomes of a connection. */
const ENDS = {
  closed: (client: Socket, host: Socket) => void (client.destroy(), host.destroy()),
  reset: (client: Socket, host: Socket) => void (client.resetAndDestroy(), host.resetAndDestroy()),
  // Nothing passes any more, and nobody says so; the host learns it when the test is over.
  stalled: (client: Socket, host: Socket) => void (client.unpipe(), host.unpipe(), client.pause(), host.pause()),
} as const;

/** A way to the server that ends the first connection as soon as `isTime`. */
async function gate(end: keyof typeof ENDS, isTime: (sent: number) => boolean, delay = 0) {
  const sockets = new Set<Socket>();
  let hasEnded = false;
  const listener = createServer(client => {
    const host = connect(server.port, server.address);
    for (const socket of [client, host]) {
      sockets.add(socket);
      socket.on("error", () => {});
    }
    const later = (to: Socket) => (chunk: Buffer) =>
      void (delay === 0 ? to.write(chunk) : setTimeout(() => to.write(chunk), delay));
    let sent = 0;
    const look = (): void => {
      if (hasEnded || !isTime(sent)) return;
      hasEnded = true;
      clearInterval(timer);
      client.removeAllListeners("data");
      host.removeAllListeners("data");
      ENDS[end](client, host);
    };
    const timer = setInterval(look, 5);
    client.on("data", chunk => {
      sent += chunk.length;
      later(host)(chunk);
      look();
    });
    host.on("data", later(client));
    client.on("close", () => (clearInterval(timer), host.destroy()));
    host.on("close", () => client.destroy());
  });
  await new Promise<void>(resolve => listener.listen(0, "127.0.0.1", resolve));
  return {
    port: (listener.address() as { port: number }).port,
    hasEnded: () => hasEnded,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => listener.close(resolve));
    },
  };
}

async function tsinfra(
  port: number,
  { transport, config = "config" }: { readonly transport: string; readonly config?: string },
  ...words: string[]
) {
  const data = {
    sshHostname: "127.0.0.1",
    sshPort: port,
    sshUser: server.user,
    sshKey: server.key,
    sshKnownHostsFile: join(directory, "known"),
    sshConfigFile: join(directory, config),
    sshConnectRetries: 0,
    sshTransport: transport,
  };
  const child = Bun.spawn(
    [
      process.execPath,
      join(import.meta.dir, "../../src/main.ts"),
      "web-1",
      ...words,
      "-y",
      "--json",
      ...Object.entries(data).flatMap(([key, value]) => ["--data", `${key}=${value}`]),
    ],
    {
      env: { ...process.env, SSH_AUTH_SOCK: "" },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const [stdout, exitCode] = await Promise.all([child.stdout.text(), child.exited]);
  const events = stdout
    .trim()
    .split("\n")
    .map(line => JSON.parse(line) as Record<string, unknown> & { type: string });
  return {
    exitCode,
    events,
    outcomes: events.filter(({ type }) => type === "operation:host:end").map(({ outcome }) => outcome),
    said: stdout,
  };
}

for (const transport of ["embedded", "openssh"]) {
  describe(`over the transport ${transport}`, () => {
    for (const end of ["closed", "reset", "stalled"] as const) {
      test(`a connection that is ${end} right after the login loses the host, or is made again`, async () => {
        const before = readFileSync(join(server.directory, "log"), "utf8").length;
        await using way = await gate(end, () =>
          readFileSync(join(server.directory, "log"), "utf8").slice(before).includes("Accepted publickey"),
        );
        const { exitCode, outcomes, said } = await tsinfra(
          way.port,
          { transport },
          "server.shell",
          `commands=touch ${directory}/after-login`,
        );
        expect(way.hasEnded()).toBe(true);
        // Nothing has run yet: another connection may be made, and else the host is lost. Never half of both.
        if (exitCode !== 0) expect(said).toMatch(/E_CONNECTION_LOST|E_CONNECT/);
        expect({
          exitCode,
          outcomes: outcomes.includes("changed"),
          isThere: existsSync(`${directory}/after-login`),
        }).toEqual({ exitCode, outcomes: exitCode === 0, isThere: exitCode === 0 });
        await rm(`${directory}/after-login`, { force: true });
      });

      test(`a connection that is ${end} during a command fails the operation`, async () => {
        const marker = join(directory, "begun");
        await using way = await gate(end, () => existsSync(marker));
        const { exitCode, outcomes, said } = await tsinfra(
          way.port,
          { transport },
          "server.shell",
          `commands=touch ${marker}; sleep 30; touch ${marker}-ended`,
        );
        expect({ exitCode, outcomes }).toEqual({ exitCode: 1, outcomes: ["failed"] });
        expect(said).toContain("E_CONNECTION_LOST");
        await rm(marker);
      });

      test(`a connection that is ${end} during an upload leaves the old file, and nothing else`, async () => {
        const remote = join(directory, `remote-${transport}-${end}`);
        await mkdir(remote);
        await Bun.write(join(remote, "file"), "old");
        const { exitCode, outcomes } = await (async () => {
          await using way = await gate(end, sent => sent > 5_000_000);
          const result = await tsinfra(
            way.port,
            { transport },
            "files.put",
            `src=${directory}/big`,
            `dest=${remote}/file`,
          );
          expect(way.hasEnded()).toBe(true);
          return result;
        })();
        expect({ exitCode, outcomes }).toEqual({ exitCode: 1, outcomes: ["failed"] });
        expect(await Bun.file(join(remote, "file")).text()).toBe("old");
        // The host tidies up when it notices.
        for (let wait = 0; wait < 600 && (await readdir(remote)).length > 1; wait++) await Bun.sleep(50);
        expect(await readdir(remote)).toEqual(["file"]);
      });
    }

    test("a round trip of 200 ms changes nothing but the time", async () => {
      await using way = await gate("closed", () => false, 100);
      const { exitCode, outcomes } = await tsinfra(
        way.port,
        { transport, config: "patient" },
        "files.put",
        `src=${directory}/config`,
        `dest=${directory}/slow-${transport}`,
      );
      expect({ exitCode, outcomes }).toEqual({ exitCode: 0, outcomes: ["changed"] });
      expect(await Bun.file(`${directory}/slow-${transport}`).text()).toBe(
        await Bun.file(`${directory}/config`).text(),
      );
    });
  });
}
