/** Who is let in, and what is said when nobody is: against a real sshd. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Server } from "ssh2";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { Secret, sh } from "../../src/core/command.ts";
import type { Connection } from "../../src/core/connector.ts";
import type { ConnectError } from "../../src/core/errors.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { spawn } from "../support/test-host.ts";
import { startAgent } from "../support/ssh-agent.ts";
import { createKey, keygen, type KeyType, type Sshd, startSshd } from "../support/sshd.ts";
import { needTools } from "../support/machine.ts";

setDefaultTimeout(60_000);
await needTools({ sshd: "openssh-server", "ssh-keygen": "openssh-client", openssl: "openssl" });

type Data = Readonly<Record<string, unknown>>;
type Setup = {
  readonly answers?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly home?: string;
};

describe("logging in", () => {
  let server: Sshd;
  let directory: string;
  beforeAll(async () => {
    server = await startSshd();
    directory = await mkdtemp(join(tmpdir(), "tsinfra-login-"));
  });
  afterAll(async () => {
    await server.stop();
    await rm(directory, { recursive: true });
  });

  async function connect(data: Data, { answers = {}, env = {}, home = server.home }: Setup = {}) {
    const connector = createSshConnector({ home, env, systemConfigFile: "/nonexistent" });
    const context = connectorContext(answers);
    const target = targetFor("web-1", { ...server.data, sshKey: undefined, ...data });
    try {
      const connection: Connection = await connector.connect!(target, context);
      const { stdout } = await connection.run(sh`echo in`);
      await connection.close();
      return { output: new TextDecoder().decode(stdout).trim(), ...context };
    } finally {
      await connector.close?.();
    }
  }
  const failure = async (data: Data, setup: Setup = {}): Promise<ConnectError> => {
    try {
      await connect(data, setup);
    } catch (error) {
      return error as ConnectError;
    }
    throw new Error("The login succeeded");
  };
  let keys = 0;
  async function key(type: KeyType, options: Parameters<typeof createKey>[2] = {}): Promise<string> {
    const path = await createKey(join(directory, `key-${keys++}`), type, options);
    await server.authorize(await Bun.file(`${path}.pub`).text());
    return path;
  }

  for (const type of ["ed25519", "ecdsa", "rsa"] as const) {
    test(`a key of the type ${type} in OpenSSH's format lets in`, async () => {
      expect((await connect({ sshKey: await key(type) })).output).toBe("in");
    });
    test(`an encrypted key of the type ${type} lets in with its passphrase`, async () => {
      expect(
        (
          await connect({
            sshKey: await key(type, { passphrase: "open sesame" }),
            sshKeyPassword: new Secret("open sesame"),
          })
        ).output,
      ).toBe("in");
    });
  }
  for (const type of ["ecdsa", "rsa"] as const) {
    for (const format of ["PEM", "PKCS8"] as const) {
      test(`a key of the type ${type} in the format ${format} lets in, encrypted or not`, async () => {
        expect((await connect({ sshKey: await key(type, { args: ["-m", format] }) })).output).toBe("in");
        expect(
          (
            await connect({
              sshKey: await key(type, { args: ["-m", format], passphrase: "open sesame" }),
              sshKeyPassword: "open sesame",
            })
          ).output,
        ).toBe("in");
      });
    }
  }
  test("an ed25519 key in the format PKCS8 lets in", async () => {
    const path = join(directory, "pkcs8");
    await Bun.$`openssl genpkey -algorithm ed25519 -out ${path} && chmod 600 ${path}`.quiet();
    const { createPrivateKey, createPublicKey } = await import("node:crypto");
    const x = Buffer.from(
      createPublicKey(createPrivateKey(await Bun.file(path).text())).export({ format: "jwk" }).x ?? "",
      "base64url",
    );
    const word = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
    await server.authorize(
      `ssh-ed25519 ${Buffer.concat([word(Buffer.from("ssh-ed25519")), word(x)]).toString("base64")}`,
    );
    expect((await connect({ sshKey: path })).output).toBe("in");
  });

  test("a passphrase is asked once for all hosts", async () => {
    const path = await key("ed25519", { passphrase: "open sesame" });
    const connector = createSshConnector({ home: server.home, env: {}, systemConfigFile: "/nonexistent" });
    const context = connectorContext({ Passphrase: "open sesame" });
    const connections = await Promise.all(
      [1, 2, 3].map(number =>
        connector.connect!(targetFor(`web-${number}`, { ...server.data, sshKey: path }), context),
      ),
    );
    expect(context.asked.map(({ kind, text }) => ({ kind, text }))).toEqual([
      { kind: "secret", text: `Passphrase of the key ${path}` },
    ]);
    await Promise.all(connections.map(connection => connection.close()));
  });

  test("a wrong passphrase is named as the reason", async () => {
    const error = await failure({
      sshKey: await key("ed25519", { passphrase: "open sesame" }),
      sshKeyPassword: "shut sesame",
    });
    expect(error.message).toMatch(/key-\d+ \(sshKey, ED25519 SHA256:.*\): cannot be used: .*passphrase/);
  });

  test("a key that lives in a device is left to the other transport", async () => {
    const word = (bytes: Buffer | string) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), Buffer.from(bytes)]);
    const publicKey = Buffer.concat([word("sk-ssh-ed25519@openssh.com"), word(Buffer.alloc(32, 1)), word("ssh:")]);
    const blob = Buffer.concat([
      Buffer.from("openssh-key-v1\0"),
      word("none"),
      word("none"),
      word(""),
      Buffer.from([0, 0, 0, 1]),
      word(publicKey),
      word(""),
    ]);
    const path = join(directory, "sk");
    await Bun.write(
      path,
      `-----BEGIN OPENSSH PRIVATE KEY-----\n${blob.toString("base64")}\n-----END OPENSSH PRIVATE KEY-----\n`,
    );
    const error = await failure({ sshKey: path });
    expect(error.message).toContain("keys of the type sk-ssh-ed25519@openssh.com cannot be used here");
    expect(error.hint).toContain('sshTransport: "openssh"');
  });

  test("the default keys are looked for, unless that is switched off", async () => {
    const home = await mkdtemp(join(directory, "home-"));
    await Bun.write(join(home, ".ssh/known_hosts"), server.knownHosts);
    const path = await createKey(join(home, ".ssh/id_ed25519"), "ed25519");
    await server.authorize(await Bun.file(`${path}.pub`).text());
    expect((await connect({}, { home })).output).toBe("in");
    const error = await failure({ sshLookForKeys: false }, { home });
    expect(error.message).toContain("there was nothing to try");
  });

  test("what was tried, where it came from and what the server allows is said", async () => {
    const home = await mkdtemp(join(directory, "home-"));
    await Bun.write(join(home, ".ssh/known_hosts"), server.knownHosts);
    const path = await createKey(join(home, ".ssh/id_ed25519"), "ed25519");
    await Bun.write(join(home, ".ssh/config"), "IdentityFile ~/.ssh/id_ed25519\nIdentityFile ~/.ssh/missing\n");
    const error = await failure({}, { home });
    expect(error.code).toBe("E_CONNECT");
    expect(error.retryable).toBe(false);
    expect(error.message).toMatch(
      /^Cannot log in to web-1 \(127\.0\.0\.1:\d+\) as \w+: the server allows publickey; tried key /,
    );
    expect(error.message).toContain(`key ${path} (${join(home, ".ssh/config")}:1, ED25519 SHA256:`);
    expect(error.message).toContain("): refused");
    expect(error.message).toContain(`${join(home, ".ssh/missing")} (${join(home, ".ssh/config")}:2): does not exist`);
  });

  test("a key file that does not exist is an error at once", async () => {
    const error = await failure({ sshKey: "/nonexistent/key" });
    expect(error.message).toBe('The private key "/nonexistent/key" of web-1 does not exist');
  });

  test("a key that is none says so", async () => {
    const path = join(directory, "nonsense");
    await Bun.write(path, "hello\n");
    expect((await failure({ sshKey: path })).message).toContain("nonsense (sshKey): cannot be used");
  });

  test("a value of the wrong type is an error that names it", async () => {
    const error = await failure({ sshPort: "many" });
    expect(error.code).toBe("E_CONNECTOR_DATA");
    expect(error.message).toBe('The host data sshPort of web-1 is "many", but must be a number');
  });

  test("a user certificate beside the key lets in", async () => {
    const authority = await createKey(join(directory, "user-ca"), "ed25519");
    await using certified = await startSshd({ config: [`TrustedUserCAKeys ${authority}.pub`] });
    for (const type of ["ed25519", "rsa", "ecdsa"] as const) {
      const path = await createKey(join(directory, `certified-${type}`), type);
      await keygen(["-q", "-s", authority, "-I", "a-test", "-n", certified.user, `${path}.pub`]);
      expect((await connect({ ...certified.data, sshKey: path }, { home: certified.home })).output).toBe("in");
    }
  });

  test("an agent's key lets in, and can be left unused", async () => {
    await using agent = await startAgent(directory);
    await agent.add(await key("ecdsa"));
    await agent.add(await key("rsa"));
    const env = { SSH_AUTH_SOCK: agent.socket };
    expect((await connect({}, { env })).output).toBe("in");
    expect((await failure({ sshAllowAgent: false }, { env })).message).not.toContain("agent");
  });

  test("an agent's certificate lets in", async () => {
    const authority = await createKey(join(directory, "agent-ca"), "ed25519");
    await using certified = await startSshd({ config: [`TrustedUserCAKeys ${authority}.pub`] });
    const path = await createKey(join(directory, "agent-certified"), "rsa");
    await keygen(["-q", "-s", authority, "-I", "a-test", "-n", certified.user, `${path}.pub`]);
    await using agent = await startAgent(directory);
    await agent.add(path);
    expect(
      (
        await connect(
          { ...certified.data, sshKey: undefined },
          { home: certified.home, env: { SSH_AUTH_SOCK: agent.socket } },
        )
      ).output,
    ).toBe("in");
  });

  test("with a named key the agent offers no other", async () => {
    await using agent = await startAgent(directory);
    await agent.add(await key("ed25519"));
    const other = await createKey(join(directory, "unauthorized"), "ed25519");
    const error = await failure({ sshKey: other }, { env: { SSH_AUTH_SOCK: agent.socket } });
    expect(error.message).not.toContain("agent,");
  });

  test("an agent that does not answer is named", async () => {
    const error = await failure({}, { env: { SSH_AUTH_SOCK: "/nonexistent/agent" } });
    expect(error.message).toContain("The agent at /nonexistent/agent cannot be reached");
  });

  test("the agent is forwarded where that is wanted, and never to a host whose key has changed", async () => {
    await using agent = await startAgent(directory);
    await agent.add(await key("ed25519"));
    const changed = { sshStrictHostKeyChecking: "no", sshKnownHostsFile: join(directory, "changed") };
    await Bun.write(
      changed.sshKnownHostsFile,
      `[127.0.0.1]:${server.port} ${(await Bun.file(`${await key("ed25519")}.pub`).text()).trim()}\n`,
    );
    const connector = createSshConnector({
      home: server.home,
      env: { SSH_AUTH_SOCK: agent.socket },
      systemConfigFile: "/nonexistent",
    });
    for (const [data, expected] of [
      [{ sshForwardAgent: true }, "ED25519"],
      [{ sshForwardAgent: false }, ""],
      [{ sshForwardAgent: true, ...changed }, ""],
    ] as const) {
      const connection = await connector.connect!(
        targetFor("web-1", { ...server.data, sshKey: undefined, ...data }),
        connectorContext(),
      );
      const { stdout } = await connection.run(sh`ssh-add -l 2>/dev/null`);
      expect(/\((.*)\)/.exec(new TextDecoder().decode(stdout))?.[1] ?? "").toBe(expected);
      await connection.close();
    }
    await connector.close?.();
  });
});

describe("logging in with words", () => {
  let directory: string;
  beforeAll(async () => void (directory = await mkdtemp(join(tmpdir(), "tsinfra-words-"))));
  afterAll(() => rm(directory, { recursive: true }));
  async function configFile(text: string): Promise<string> {
    const path = join(await mkdtemp(join(directory, "config-")), "config");
    await Bun.write(path, text);
    return path;
  }
  /** What sshd would need PAM and real users for. */
  async function fakeServer(
    methods: readonly string[],
    secrets: { readonly password?: string; readonly code?: string; readonly runs?: false; readonly open?: true },
  ) {
    const hostKey = await createKey(join(await mkdtemp(join(tmpdir(), "tsinfra-words-")), "host"), "ed25519");
    const tried: string[] = [];
    const server = new Server({ hostKeys: [await Bun.file(hostKey).text()] }, client => {
      client.on("error", () => {});
      client.on("authentication", context => {
        tried.push(context.method);
        if (context.method === "none" && secrets.open) return context.accept();
        if (context.method === "password" && context.password === secrets.password) return context.accept();
        if (context.method === "keyboard-interactive" && methods.includes("keyboard-interactive")) {
          const prompts = [
            ...(secrets.password ? [{ prompt: "Password: ", echo: false }] : []),
            ...(secrets.code ? [{ prompt: "Code: ", echo: true }] : []),
          ];
          return context.prompt(prompts, answers => {
            const expected = [secrets.password, secrets.code].filter(Boolean);
            if (answers.join(" ") === expected.join(" ")) context.accept();
            else context.reject(methods as never);
          });
        }
        context.reject(methods as never);
      });
      client.on("session", accept =>
        accept().on("exec", (acceptExec, reject, { command }) => {
          if (secrets.runs === false) return reject();
          const channel = acceptExec();
          void spawn(["sh", "-c", command]).then(({ stdout, stderr, exitCode }) => {
            channel.write(stdout);
            channel.stderr.write(stderr);
            channel.exit(exitCode);
            channel.end();
          });
        }),
      );
    });
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    return {
      tried,
      data: {
        sshHostname: "127.0.0.1",
        sshPort: port,
        sshUser: "ada",
        sshStrictHostKeyChecking: "accept-new",
        sshKnownHostsFile: "/dev/null",
        sshConfigFile: "none",
        sshLookForKeys: false,
      },
      async [Symbol.asyncDispose]() {
        server.close();
        await rm(join(hostKey, ".."), { recursive: true });
      },
    };
  }
  async function connect(data: Data, answers: Readonly<Record<string, string>> = {}) {
    const connector = createSshConnector({ home: "/nonexistent", env: {}, systemConfigFile: "/nonexistent" });
    const context = connectorContext(answers);
    try {
      const connection = await connector.connect!(targetFor("web-1", data), context);
      const { stdout } = await connection.run(sh`echo in`);
      await connection.close();
      return { output: new TextDecoder().decode(stdout), asked: context.asked };
    } finally {
      await connector.close?.();
    }
  }

  test("a password given as host data lets in", async () => {
    await using server = await fakeServer(["password"], { password: "s3cret" });
    expect((await connect({ ...server.data, sshPassword: new Secret("s3cret") })).output).toBe("in\n");
    expect(server.tried).toEqual(["none", "password"]);
  });

  test("a wrong password is tried once, and is not in the error", async () => {
    await using server = await fakeServer(["password"], { password: "s3cret" });
    const error = await connect({ ...server.data, sshPassword: "wr0ng" }).catch(error => error);
    expect(error.message).toMatch(
      /^Cannot log in to web-1 \(127\.0\.0\.1:\d+\) as ada: the server allows password; tried password \(sshPassword\): refused$/,
    );
    expect(server.tried).toEqual(["none", "password"]);
  });

  test("a password is asked for where there is a terminal", async () => {
    await using server = await fakeServer(["password"], { password: "s3cret" });
    const { output, asked } = await connect(server.data, { "Password of ada": "s3cret" });
    expect(output).toBe("in\n");
    expect(asked.map(({ kind }) => kind)).toEqual(["secret"]);
  });

  test("the password answers a dialogue that asks for one", async () => {
    await using server = await fakeServer(["keyboard-interactive"], { password: "s3cret" });
    expect((await connect({ ...server.data, sshPassword: "s3cret" })).output).toBe("in\n");
  });

  test("a one-time code is asked for", async () => {
    await using server = await fakeServer(["keyboard-interactive"], { password: "s3cret", code: "123456" });
    const { output, asked } = await connect({ ...server.data, sshPassword: "s3cret" }, { "Code:": "123456" });
    expect(output).toBe("in\n");
    expect(asked.map(({ text }) => text)).toEqual(["web-1: Code:"]);
  });

  test("without a terminal and a password nothing is tried, and that is said", async () => {
    await using server = await fakeServer(["password"], { password: "s3cret" });
    const error = await connect(server.data).catch(error => error);
    expect(error.message).toContain("the server allows password; there was nothing to try");
    expect(error.hint).toContain("sshPassword");
  });

  test("a server that refuses to run commands is an error, and not a wait", async () => {
    await using server = await fakeServer(["password"], { password: "s3cret", runs: false });
    const error = await connect({ ...server.data, sshPassword: "s3cret" }).catch(error => error);
    expect(error.code).toBe("E_CONNECT");
    expect(error.message).toBe("The server refuses to run commands on web-1: it gave no reason");
  });

  test("a password at hand is given without asking first what the server allows", async () => {
    await using server = await fakeServer(["password"], { password: "s3cret" });
    await connect({ ...server.data, sshPassword: "s3cret" });
    // Without a key there is nothing to begin with; the password is next.
    expect(server.tried).toEqual(["none", "password"]);
    server.tried.length = 0;
    await connect({
      ...server.data,
      sshPassword: "s3cret",
      sshConfigFile: await configFile("PreferredAuthentications password\n"),
    });
    expect(server.tried).toEqual(["password"]);
  });

  test("a server that wants nothing lets in, even those who have tried something", async () => {
    await using server = await fakeServer(["password"], { open: true });
    await connect({
      ...server.data,
      sshPassword: "wr0ng",
      sshConfigFile: await configFile("PreferredAuthentications password\n"),
    });
    expect(server.tried).toEqual(["password", "none"]);
  });

  test("ways to log in that only ssh itself has are named where the server has them, and not elsewhere", async () => {
    const sshConfigFile = await configFile("GSSAPIAuthentication yes\n");
    for (const methods of [["password"], ["gssapi-with-mic", "password"]]) {
      await using server = await fakeServer(methods, { password: "s3cret" });
      const error = await connect({ ...server.data, sshConfigFile }).catch(error => error);
      expect(error.message.includes("gssapiauthentication")).toBe(methods.length === 2);
      expect(error.hint.includes('sshTransport: "openssh"')).toBe(methods.length === 2);
    }
  });
});
