/** What goes wrong on the way: refusals, drops, stalls, limits. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { raw, Secret, sh } from "../../src/core/command.ts";
import type { Connection } from "../../src/core/connector.ts";
import type { ConnectError } from "../../src/core/errors.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { type Sshd, type SshdOptions, startSshd } from "../support/sshd.ts";
import { needTools } from "../support/machine.ts";
import { joined, proxy } from "../support/tcp-proxy.ts";

setDefaultTimeout(60_000);
await needTools({ sshd: "openssh-server", "ssh-keygen": "openssh-client" });

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();

/** A connector that is closed with its server. */
async function setUp(options: SshdOptions = {}) {
  const server = await startSshd(options);
  const connector = createSshConnector({ home: server.home, env: {}, systemConfigFile: "/nonexistent" });
  const context = connectorContext();
  return {
    server,
    context,
    connect: (
      data: Readonly<Record<string, unknown>> = {},
      more: Parameters<typeof targetFor>[2] = {},
    ): Promise<Connection> =>
      connector.connect!(targetFor("web-1", { ...server.data, ...data }, { name: "web-1", ...more }), context),
    async [Symbol.asyncDispose]() {
      await connector.close?.();
      await server.stop();
    },
  };
}

/** Behind another port the host has the same keys. */
const through = (server: Sshd, port: number) => ({
  sshPort: port,
  sshKnownHostsFile: join(server.home, ".ssh/known_any"),
});
const knowAnyPort = (server: Sshd) =>
  Bun.write(join(server.home, ".ssh/known_any"), server.knownHosts.replace(/^\[127\.0\.0\.1\]:\d+/gm, "127.0.0.1"));
const failure = (promise: Promise<unknown>): Promise<ConnectError> =>
  promise.then(
    () => Promise.reject(new Error("It worked")),
    error => error,
  );

describe("connecting", () => {
  test("a refused connection is retried a few times, then an error that can be retried", async () => {
    await using ssh = await setUp();
    const closed = createServer();
    await new Promise<void>(resolve => closed.listen(0, "127.0.0.1", resolve));
    const { port } = closed.address() as { port: number };
    await new Promise(resolve => closed.close(resolve));
    const error = await failure(ssh.connect({ sshPort: port, sshConnectRetries: 2, sshConnectRetryMinDelay: 0.01 }));
    expect(error.code).toBe("E_CONNECT");
    expect(error.message).toBe(`web-1 (127.0.0.1:${port}) refuses connections (tried 3 times)`);
    expect(error.retryable).toBe(true);
  });

  test("a server that drops the first connections is connected to in the end", async () => {
    await using ssh = await setUp();
    await knowAnyPort(ssh.server);
    await using gate = await proxy(ssh.server, (client, server, number) =>
      number <= 5 ? (number % 2 ? client.destroy() : client.resetAndDestroy()) : joined(client, server()),
    );
    const connection = await ssh.connect({
      ...through(ssh.server, gate.port),
      sshConnectRetries: 0,
      sshConnectRetryMinDelay: 0.01,
    });
    expect(text((await connection.run(sh`echo in`)).stdout)).toBe("in");
    expect(gate.count()).toBe(6);
    await connection.close();
  });

  test("more hosts than the server starts at once all get in", async () => {
    await using ssh = await setUp({ config: ["MaxStartups 2:90:5"] });
    const connections = await Promise.all(Array.from({ length: 20 }, () => ssh.connect()));
    const results = await Promise.all(connections.map(connection => connection.run(sh`exit 0`)));
    expect(results.every(({ exitCode }) => exitCode === 0)).toBe(true);
    await Promise.all(connections.map(connection => connection.close()));
  });

  test("a server that says nothing is given up in time, saying what was waited for", async () => {
    await using ssh = await setUp();
    await using mute = await proxy(ssh.server, () => {});
    const error = await failure(ssh.connect(through(ssh.server, mute.port), { timeout: 2 }));
    expect(error.message).toBe(
      `No connection to web-1 within 2 seconds: still waiting for the greeting of 127.0.0.1:${mute.port}`,
    );
    expect(error.retryable).toBe(true);
  });

  test("a server that stalls during the login is given up in time", async () => {
    await using ssh = await setUp();
    await knowAnyPort(ssh.server);
    await using stalling = await proxy(ssh.server, (client, open) => {
      const server = open();
      server.pipe(client);
      let packets = 0;
      // The greeting and the key exchange pass; the login does not.
      client.on("data", chunk => ++packets <= 3 && server.write(chunk));
    });
    const error = await failure(ssh.connect(through(ssh.server, stalling.port), { timeout: 2 }));
    expect(error.message).toContain("No connection to web-1 within 2 seconds: still waiting for ");
  });

  test("a server that greets and hangs up is an error, not a wait", async () => {
    await using ssh = await setUp();
    await using rude = await proxy(ssh.server, client => client.end("SSH-2.0-Rude\r\n"));
    const error = await failure(
      ssh.connect({ ...through(ssh.server, rude.port), sshConnectRetryMinDelay: 0.05 }, { timeout: 2 }),
    );
    expect(error.message).toContain("closed the connection before the handshake");
    expect(error.retryable).toBe(true);
  });

  test("something else than SSH is an error", async () => {
    await using ssh = await setUp();
    await using web = await proxy(ssh.server, client => client.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    const error = await failure(
      ssh.connect({ ...through(ssh.server, web.port), sshConnectRetryMinDelay: 0.05 }, { timeout: 2 }),
    );
    expect(error.code).toBe("E_CONNECT");
  });

  test("a name that does not exist says so", async () => {
    await using ssh = await setUp();
    const error = await failure(ssh.connect({ sshHostname: "no-such-host.invalid" }));
    expect(error.message).toMatch(
      /^The name "no-such-host.invalid" of web-1 cannot be resolved: this machine and its name servers give no address/,
    );
  });

  test("aborting ends the attempt", async () => {
    await using ssh = await setUp();
    const controller = new AbortController();
    const reason = new Error("enough");
    await using mute = await proxy(ssh.server, () => controller.abort(reason));
    expect(await failure(ssh.connect(through(ssh.server, mute.port), { signal: controller.signal }))).toBe(
      reason as ConnectError,
    );
  });

  test("algorithms that nobody shares are an error with advice", async () => {
    await using ssh = await setUp({ config: ["Ciphers chacha20-poly1305@openssh.com"] });
    const error = await failure(ssh.connect());
    expect(error.message).toContain("no matching C->S cipher");
    expect(error.retryable).toBe(false);
    expect(error.hint).toContain("Ciphers");
  });
});

describe("a connection", () => {
  test("that is cut during a command is an error, never a success", async () => {
    await using ssh = await setUp();
    await knowAnyPort(ssh.server);
    const clients: Socket[] = [];
    await using cut = await proxy(ssh.server, (client, server) => {
      clients.push(client);
      joined(client, server());
    });
    const connection = await ssh.connect(through(ssh.server, cut.port));
    const running = connection.run(sh`echo begun; sleep 1000`, { onOutput: () => void clients[0]?.resetAndDestroy() });
    const waiting = connection.run(sh`sleep 1000`);
    for (const error of [await failure(running), await failure(waiting), await failure(connection.run(sh`true`))]) {
      expect(error.code).toBe("E_CONNECTION_LOST");
      expect(error.message).toStartWith("Lost the connection to web-1 before the command ended: ");
    }
    await connection.close();
  });

  /** End the sshd that a command runs below. */
  const KILL_SERVER =
    "p=$$; while p=$(ps -o ppid= -p $p); do case $(ps -o comm= -p $p) in sshd*) kill -9 $p; break;; esac; done";

  test("whose server dies is an error", async () => {
    await using ssh = await setUp();
    const connection = await ssh.connect();
    const error = await failure(connection.run(sh`${raw(KILL_SERVER)}; sleep 1000`));
    expect(error.code).toBe("E_CONNECTION_LOST");
  });

  test("that is dead without a word is noticed", async () => {
    await using ssh = await setUp();
    await knowAnyPort(ssh.server);
    let isDead = false;
    await using dead = await proxy(ssh.server, (client, open) => {
      const server = open();
      client.on("data", chunk => isDead || server.write(chunk));
      server.on("data", chunk => isDead || client.write(chunk));
    });
    const sshConfigFile = join(ssh.server.directory, "keepalive");
    await Bun.write(sshConfigFile, "ServerAliveInterval 1\nServerAliveCountMax 1\n");
    const connection = await ssh.connect({ ...through(ssh.server, dead.port), sshConfigFile });
    const error = await failure(connection.run(sh`echo begun; sleep 1000`, { onOutput: () => void (isDead = true) }));
    expect(error.code).toBe("E_CONNECTION_LOST");
    expect(error.message).toContain("no sign of life");
  });

  for (const sessions of [1, 2]) {
    test(`to a server that allows ${sessions} ${sessions === 1 ? "session" : "sessions"} runs many commands at once all the same`, async () => {
      await using ssh = await setUp({ config: [`MaxSessions ${sessions}`] });
      const connection = await ssh.connect();
      const results = await Promise.all(Array.from({ length: 12 }, (_, index) => connection.run(sh`echo ${index}`)));
      expect(results.map(({ stdout }) => text(stdout))).toEqual(Array.from({ length: 12 }, (_, index) => `${index}`));
      await connection.close();
    });
  }

  test("to a server that allows no sessions is an error", async () => {
    await using ssh = await setUp({ config: ["MaxSessions 0"] });
    const connection = await ssh.connect();
    expect((await failure(connection.run(sh`true`))).message).toBe(
      "The server refuses to run commands on web-1: open failed",
    );
    await connection.close();
  });

  test("is not disturbed by what start-up files print", async () => {
    await using ssh = await setUp();
    const connection = await ssh.connect();
    const home = join(ssh.server.directory, "noisy");
    await mkdir(home);
    await Bun.write(join(home, "rc"), "echo Welcome; echo Beware >&2\n");
    const forced = await setUp({ config: [`ForceCommand . ${home}/rc; eval "$SSH_ORIGINAL_COMMAND"`] });
    const noisy = await forced.connect();
    const { stdout, stderr } = await noisy.run(sh`echo out; echo err >&2`);
    expect([text(stdout), text(stderr)]).toEqual(["out", "err"]);
    await noisy.close();
    await connection.close();
    await forced[Symbol.asyncDispose]();
  });

  /** A login shell that does what `script` says. */
  async function loginShell(script: string) {
    const directory = await mkdtemp(join(tmpdir(), "tsinfra-shell-"));
    const path = join(directory, "shell");
    await Bun.write(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    return { path, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
  }

  /** What the first command throws. */
  async function refusedCommand(ssh: Awaited<ReturnType<typeof setUp>>, sshTransport: string): Promise<ConnectError> {
    const sshKnownHostsFile = join(ssh.server.home, ".ssh/known_hosts");
    const connection = await ssh.connect({ sshTransport, sshConfigFile: "none", sshKnownHostsFile });
    const error = await failure(connection.run(sh`echo mine`));
    await connection.close();
    expect(error.code).toBe("E_CONNECT");
    return error;
  }

  const WORDS = "Welcome\nNo commands before noon\n";
  for (const [what, options] of Object.entries({
    "with a forced command": { config: [`ForceCommand printf '${WORDS.replaceAll("\n", "\\n")}'; exit 3`] },
    "whose login shell refuses, and says why on stderr": `printf '${WORDS.replaceAll("\n", "\\n")}' >&2; exit 3`,
    "whose login shell does something else, and calls it a success": `printf '${WORDS.replaceAll("\n", "\\n")}'; exit 0`,
    "whose login shell says much": `yes Beware of the dog | head -c 300000; printf '\n${WORDS.replaceAll("\n", "\\n")}'; exit 3`,
  }))
    for (const transport of ["embedded", "openssh"])
      test(`to a host ${what} is none that runs commands (${transport})`, async () => {
        await using shell = await loginShell(typeof options === "string" ? options : "");
        await using ssh = await setUp(typeof options === "string" ? { shell: shell.path } : options);
        const error = await refusedCommand(ssh, transport);
        expect(error.message).toContain("No commands before noon");
        expect(error.message).toMatch(/exit code [03]\b/);
        expect(error.message).not.toMatch(/[0-9a-f]{16}|tsinfra-/);
      });

  for (const transport of ["embedded", "openssh"])
    for (const stream of ["1", "2"])
      test(`to a host whose login shell prints without end is given up (${transport}, descriptor ${stream})`, async () => {
        await using shell = await loginShell(`exec yes >&${stream}`);
        await using ssh = await setUp({ shell: shell.path });
        const error = await refusedCommand(ssh, transport);
        expect(error.message).toMatch(
          / printed more than 1024 KiB before it said that the command had begun: whether it ran is not known$/,
        );
      });

  for (const transport of ["embedded", "openssh"])
    test(`to a host whose login shell repeats what it is told shows neither marks nor secrets (${transport})`, async () => {
      const shell = join(await mkdtemp(join(tmpdir(), "tsinfra-shell-")), "shell");
      await Bun.write(shell, `#!/bin/sh\necho "fatal: unrecognized command '$2'" >&2; exit 128\n`);
      await chmod(shell, 0o755);
      await using ssh = await setUp({ shell });
      const known = join(ssh.server.home, ".ssh/known_hosts");
      const connection = await ssh.connect({
        sshTransport: transport,
        sshConfigFile: "none",
        sshKnownHostsFile: known,
      });
      const error = await failure(connection.run(sh`echo ${new Secret("hush")}\necho ${new Secret("hush")}`));
      expect(error.message).toContain("fatal: unrecognized command '…");
      expect(error.message).toContain("exit code 128");
      expect(error.message).not.toMatch(/[0-9a-f]{16}|hush/);
      await connection.close();
      await rm(join(shell, ".."), { recursive: true });
    });
});

describe("Diffie-Hellman groups", () => {
  // Milliseconds of processor time for a connection: testing the prime took 400 (group 14) to 26000 (group 18), in one piece.
  const MOST = {
    "diffie-hellman-group14-sha256": 350,
    "diffie-hellman-group16-sha512": 1500,
    "diffie-hellman-group18-sha512": 1500,
    "diffie-hellman-group-exchange-sha256": 1500,
  };
  for (const [kex, most] of Object.entries(MOST)) {
    test(`${kex} connects without holding other hosts up`, async () => {
      await using ssh = await setUp({ config: [`KexAlgorithms ${kex}`] });
      const before = process.cpuUsage();
      const connection = await ssh.connect();
      const { user, system } = process.cpuUsage(before);
      expect((await connection.run(sh`exit 9`)).exitCode).toBe(9);
      await connection.close();
      expect((user + system) / 1000).toBeLessThan(most);
    });
  }
});

describe("jump hosts", () => {
  let outer: Sshd;
  let inner: Sshd;
  let home: string;
  beforeAll(async () => {
    [outer, inner] = await Promise.all([startSshd({ config: ["MaxSessions 50"] }), startSshd()]);
    home = await mkdtemp(join(tmpdir(), "tsinfra-jump-"));
    await Bun.write(join(home, ".ssh/known_hosts"), outer.knownHosts + inner.knownHosts);
    await Bun.write(join(home, ".ssh/any_port"), inner.knownHosts.replace(/^\[127\.0\.0\.1\]:\d+/gm, "127.0.0.1"));
    await Bun.write(
      join(home, ".ssh/config"),
      `Host bastion\n HostName 127.0.0.1\n Port ${outer.port}\n User ${outer.user}\n IdentityFile ${outer.key}\n IdentitiesOnly yes\n` +
        `Host app-*\n HostName 127.0.0.1\n Port ${inner.port}\n User ${inner.user}\n IdentityFile ${inner.key}\n IdentitiesOnly yes\n ProxyJump bastion\n` +
        `Host direct\n HostName 127.0.0.1\n Port ${inner.port}\n IdentityFile ${inner.key}\n ProxyJump none\n` +
        `Host command\n HostName 127.0.0.1\n Port ${inner.port}\n IdentityFile ${inner.key}\n ProxyCommand ${process.execPath} ${join(import.meta.dir, "../support/pipe-to.ts")} %h %p\n` +
        `Host broken\n HostName 127.0.0.1\n ProxyCommand echo no way >&2; exit 1\n` +
        `Host twice\n HostName 127.0.0.1\n Port ${inner.port}\n IdentityFile ${inner.key}\n ProxyJump bastion,app-1\n` +
        `Host loop-a\n ProxyJump loop-b\nHost loop-b\n ProxyJump loop-a\n`,
    );
    await Bun.$`chmod 600 ${join(home, ".ssh/config")}`.quiet();
  });
  afterAll(async () => {
    await Promise.all([outer.stop(), inner.stop(), rm(home, { recursive: true })]);
  });
  async function run<T>(
    names: readonly string[],
    body: (connections: readonly Connection[]) => Promise<T>,
    data: Readonly<Record<string, unknown>> = {},
  ): Promise<T> {
    const connector = createSshConnector({ home, env: { SHELL: "/bin/sh" }, systemConfigFile: "/nonexistent" });
    try {
      const connections = await Promise.all(
        names.map(name =>
          connector.connect!(targetFor(name, { sshConnectRetryMinDelay: 0.01, ...data }), connectorContext()),
        ),
      );
      return await body(connections);
    } finally {
      await connector.close?.();
    }
  }
  const answer = async ([connection]: readonly Connection[]) => text((await connection!.run(sh`echo in`)).stdout);
  const logins = async (server: Sshd) => (await server.log()).match(/Accepted publickey/g)?.length ?? 0;

  test("one connection to a jump host serves all hosts behind it", async () => {
    const before = await logins(outer);
    const results = await run(["app-1", "app-2", "app-3"], connections =>
      Promise.all(connections.map(connection => connection.run(sh`echo in`))),
    );
    expect(results.map(({ stdout }) => text(stdout))).toEqual(["in", "in", "in"]);
    expect((await logins(outer)) - before).toBe(1);
  });

  test("two hops, and a hop's own jump, lead there", async () => {
    expect(await run(["twice"], answer)).toBe("in");
  });

  test("none goes straight", async () => {
    const before = await logins(outer);
    expect(await run(["direct"], answer)).toBe("in");
    expect(await logins(outer)).toBe(before);
  });

  test("a ProxyCommand carries the connection", async () => {
    expect(await run(["command"], answer)).toBe("in");
  });

  test("what a failing ProxyCommand says is shown", async () => {
    expect((await failure(run(["broken"], answer, { sshConnectRetries: 0 }))).message).toBe(
      "The ProxyCommand of broken ended before the handshake: no way",
    );
  });

  test("jump hosts that lead back are an error", async () => {
    expect((await failure(run(["loop-a"], answer))).message).toStartWith("The jump hosts of");
  });

  test("the host's own password and key are not shown to the jump host", async () => {
    const outerLog = await outer.log();
    await run(["app-1"], answer, { sshKey: inner.key, sshPassword: "s3cret" });
    const said = (await outer.log()).slice(outerLog.length);
    const fingerprint = (await Bun.$`ssh-keygen -l -f ${inner.key}`.text()).split(" ")[1] ?? "?";
    expect(said).not.toContain(fingerprint);
    expect(said).not.toContain("Failed password");
  });

  test("a host that goes down behind a jump host is lost at once", async () => {
    let end: (() => void) | undefined;
    await using way = await proxy(inner, (client, open) => {
      const server = open();
      client.pipe(server);
      // The host's side alone ends, as when its network goes down with it.
      server.on("data", chunk => client.write(chunk));
      end = () => client.end();
    });
    const running = run(
      ["app-1"],
      ([connection]) => connection!.run(sh`echo begun; sleep 1000`, { onOutput: () => end?.() }),
      { sshPort: way.port, sshKnownHostsFile: join(home, ".ssh/any_port") },
    );
    expect((await failure(running)).code).toBe("E_CONNECTION_LOST");
  });

  test("a jump host with a changed key is refused", async () => {
    const file = join(home, ".ssh/known_hosts");
    const good = await Bun.file(file).text();
    const swapped = inner.knownHosts.replace(`:${inner.port} `, `:${outer.port} `) + inner.knownHosts;
    await Bun.write(file, swapped);
    try {
      const error = await failure(run(["app-1"], answer));
      expect(error.code).toBe("E_HOST_KEY");
      expect(error.message).toStartWith("The host key of bastion");
    } finally {
      await Bun.write(file, good);
    }
  });

  test("a host that the jump host cannot reach says so", async () => {
    const error = await failure(run(["app-1"], answer, { sshPort: 1, sshConnectRetries: 0 }));
    expect(error.message).toContain("cannot be reached from the jump host bastion: ");
  });
});
