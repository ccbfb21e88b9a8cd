/** What the configuration says is what is done: tokens as ssh replaces them, and settings seen from the server's side. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer, connect as connectTcp, type Socket } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join, normalize } from "node:path";
import { algorithmsFor, allowedHostKeyAlgorithms } from "../../src/connectors/ssh/algorithms.ts";
import { createConfigFiles, hostSettings, type HostQuery } from "../../src/connectors/ssh/config/index.ts";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { localUser } from "../../src/connectors/shared/local-user.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { needTools } from "../support/machine.ts";
import { startAgent } from "../support/ssh-agent.ts";
import { createKey, keygen, type Sshd, startSshd } from "../support/sshd.ts";

setDefaultTimeout(60_000);
await needTools({ sshd: "openssh-server", ssh: "openssh-client", "ssh-agent": "openssh-client" });

const { name: user, uid } = await localUser();
let directory: string;
let count = 0;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tsinfra-honoured-"));
});
afterAll(() => rm(directory, { recursive: true }));

async function file(text: string): Promise<string> {
  const path = join(directory, `config-${count++}`);
  await Bun.write(path, text);
  return path;
}
const settingsOf = (only: string, question: HostQuery) =>
  hostSettings(question, {
    files: createConfigFiles(),
    surroundings: { home: homedir(), user, uid, env: process.env },
    only,
    systemFile: "/nonexistent",
    resolve: async () => undefined,
    succeeds: async command => (await Bun.spawn(["/bin/sh", "-c", command], { stdin: "ignore" }).exited) === 0,
  });
/** What ssh says while it connects to nothing. */
async function sshTells(config: string, ...args: string[]): Promise<string> {
  const child = Bun.spawn(["ssh", "-v", "-F", config, ...args], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const [said] = await Promise.all([child.stderr.text(), child.exited]);
  return said;
}

describe("tokens", () => {
  const LETTERS = [..."CLdhiklnpru"];

  test("of key and certificate files are replaced as ssh replaces them", async () => {
    const lines = LETTERS.map(letter => `IdentityFile /keys/%${letter}/%%\nCertificateFile ~/certs/%${letter}\n`).join(
      "",
    );
    const config = await file(
      `HostName db.example\nPort 2201\nHostKeyAlias cluster\n${lines}IdentityFile \${HOME}/in-home\n`,
    );
    const settings = await settingsOf(config, { host: "Web", user: "ada" });
    const said = await sshTells(config, "-o", "ProxyCommand=false", "ada@Web");
    // Several tokens may stand for the same, and a file is named once.
    const once = (paths: readonly string[]) => [...new Set(paths.map(path => normalize(path)))];
    const told = (what: string) =>
      [...said.matchAll(new RegExp(`^debug1: ${what} file (.*) type -?\\d+$`, "gm"))].map(match => match[1] ?? "");
    expect(once((settings.identityFiles ?? []).map(({ path }) => path))).toEqual(
      once(told("identity").filter(path => !path.endsWith("-cert"))),
    );
    expect(once(settings.certificateFiles.map(({ path }) => path))).toEqual(once(told("certificate")));
  });

  test("of Match exec are replaced as ssh replaces them", async () => {
    const log = join(directory, "exec");
    const config = await file(
      `HostName db.example\nPort 2202\nHostKeyAlias cluster\nMatch exec "echo ${LETTERS.map(letter => `%${letter}`).join(" ")} >>${log}"\n User found\n`,
    );
    expect((await settingsOf(config, { host: "Web" })).user).toBe("found");
    await Bun.spawn(["ssh", "-G", "-F", config, "Web"], { stdin: "ignore", stdout: "ignore" }).exited;
    const [ours, ...theirs] = (await Bun.file(log).text()).trim().split("\n");
    expect(theirs.length).toBeGreaterThan(0);
    expect(new Set(theirs)).toEqual(new Set([ours!]));
  });

  test("of ProxyCommand are replaced as ssh replaces them", async () => {
    const log = join(directory, "proxy");
    const config = await file(
      `HostName DB.example\nPort 2203\nUser ada\nProxyCommand sh -c 'echo "$@" >>${log}' x %h %n %p %r %% # no comment\n`,
    );
    await sshTells(config, "Web");
    const { proxyCommand } = await settingsOf(config, { host: "Web" });
    await Bun.spawn(["/bin/sh", "-c", `exec ${proxyCommand}`], { stdin: "ignore" }).exited;
    expect(await Bun.file(log).text()).toBe("db.example Web 2203 ada %\n".repeat(2));
  });
});

describe("algorithm lists", () => {
  const KEYWORDS = { kexalgorithms: "kex", ciphers: "cipher", macs: "hmac" } as const;
  const LISTS = {
    kexalgorithms: [
      "+diffie-hellman-group14-sha1",
      "-ecdh-*",
      "^diffie-hellman-group16-sha512",
      "curve25519-sha256,ecdh-sha2-nistp521",
    ],
    ciphers: ["+aes256-cbc", "-aes128*,aes192*", "^aes256-ctr,aes128-ctr", "aes192-ctr,aes128-gcm@openssh.com"],
    macs: ["-*-etm@openssh.com", "^hmac-sha2-512", "hmac-sha1,hmac-sha2-256"],
  };
  for (const keyword of ["kexalgorithms", "ciphers", "macs"] as const) {
    for (const list of LISTS[keyword]) {
      test(`mean what they mean to ssh: ${keyword} ${list}`, async () => {
        const config = await file(`${keyword} ${list}\n`);
        const ours = algorithmsFor(await settingsOf(config, { host: "web" }))[KEYWORDS[keyword]];
        const all = algorithmsFor(
          await settingsOf(await file(`${keyword} +${list.replace(/^[-+^]/, "").replaceAll("*", "x")}\n`), {
            host: "web",
          }),
        )[KEYWORDS[keyword]];
        const said = Bun.spawnSync(["ssh", "-G", "-F", config, "web"]).stdout.toString();
        const theirs = (new RegExp(`^${keyword} (.*)$`, "m").exec(said)?.[1] ?? "")
          .split(",")
          .filter(name => all.includes(name));
        // ssh's usual order is another one; what a list names comes in the order of the list.
        const isOrdered = !/^[-+]/.test(list);
        const named = list.replace(/^\^/, "").split(",").length;
        expect(ours.toSorted()).toEqual(theirs.toSorted());
        if (isOrdered) expect(ours.slice(0, named)).toEqual(theirs.slice(0, named));
      });
    }
  }

  test("of host keys that leave nothing are an error with what is possible", async () => {
    const settings = await settingsOf(await file("HostKeyAlgorithms ssh-dss\n"), { host: "web" });
    expect(() => allowedHostKeyAlgorithms(settings)).toThrow("names nothing that can be used");
  });
});

describe("settings", () => {
  let server: Sshd;
  beforeAll(async () => {
    server = await startSshd({ hostKeys: ["ed25519", "ecdsa", "rsa"] });
  });
  afterAll(() => server.stop());

  /** Connect with a configuration; what `ssh explain` tells of it, or the error. */
  async function explain(
    text: string,
    {
      data = {},
      port = server.port,
      known = server.knownHosts,
      env = {},
    }: {
      readonly data?: Readonly<Record<string, unknown>>;
      readonly port?: number;
      readonly known?: string;
      readonly env?: Readonly<Record<string, string>>;
    } = {},
  ) {
    const home = await mkdtemp(join(directory, "home-"));
    await mkdir(join(home, ".ssh"));
    await Bun.write(join(home, ".ssh/known_hosts"), known);
    const connector = createSshConnector({ home, env, systemConfigFile: "/nonexistent" });
    const sshConfigFile = await file(`${text}\nHostName 127.0.0.1\nPort ${port}\nUser ${server.user}\n`);
    try {
      const told = await connector.explain!(
        targetFor("web-1", { sshConfigFile, ...data }, { name: "web-1" }),
        connectorContext(),
      );
      return (told.hops as readonly Readonly<Record<string, unknown>>[])[0]!;
    } finally {
      await connector.close?.();
    }
  }
  const key = () => `IdentityFile ${server.key}\nIdentitiesOnly yes`;
  /** A port through which the server is reached, and the addresses that come to it. */
  async function door(
    treat: (client: Socket) => void = client =>
      void client
        .pipe(connectTcp(server.port, server.address))
        .on("error", () => {})
        .pipe(client.on("error", () => {})),
  ) {
    const from: (string | undefined)[] = [];
    const sockets: Socket[] = [];
    const listener = createServer(client => {
      sockets.push(client);
      from.push(client.remoteAddress);
      treat(client);
    });
    await new Promise<void>(resolve => listener.listen(0, "127.0.0.1", resolve));
    return {
      from,
      port: (listener.address() as { port: number }).port,
      async [Symbol.asyncDispose]() {
        for (const socket of sockets) socket.destroy();
        await new Promise(resolve => listener.close(resolve));
      },
    };
  }
  const knownAt = (port: number): string => server.knownHosts.replaceAll(`:${server.port} `, `:${port} `);

  test("IdentityFile, IdentitiesOnly, User, Port and HostName lead in", async () => {
    expect(await explain(key())).toMatchObject({ connected: "yes", hostKeyStatus: "known" });
  });

  test("BindAddress is where the connection comes from", async () => {
    await using way = await door();
    expect(
      await explain(`${key()}\nBindAddress 127.0.0.9`, { port: way.port, known: knownAt(way.port) }),
    ).toMatchObject({ connected: "yes" });
    expect(way.from).toEqual(["127.0.0.9"]);
  });

  test("AddressFamily leaves other addresses out", async () => {
    const { connected, error } = await explain(`AddressFamily inet6\n${key()}`);
    expect([connected, error]).toEqual(["no", 'The name "127.0.0.1" of web-1 has no address of the family inet6']);
    expect(await explain(`AddressFamily inet\n${key()}`)).toMatchObject({ connected: "yes" });
  });

  test("ConnectTimeout is when a silent server is given up", async () => {
    await using mute = await door(() => {});
    expect((await explain(`${key()}\nConnectTimeout 1`, { port: mute.port })).error).toStartWith(
      "No connection to web-1 within 1 seconds: still waiting for ",
    );
  });

  test("Ciphers, MACs, KexAlgorithms and Compression are what the server is offered", async () => {
    const told = await explain(
      `${key()}\nCiphers ^aes256-ctr\nMACs hmac-sha2-512\nKexAlgorithms ecdh-sha2-nistp384\nCompression yes`,
    );
    expect(told.algorithms).toMatchObject({
      cipher: "aes256-ctr",
      mac: "hmac-sha2-512",
      kex: "ecdh-sha2-nistp384",
      compression: "zlib@openssh.com",
    });
  });

  test("HostKeyAlgorithms decides which of the host's keys is asked for", async () => {
    for (const [algorithm, name] of [
      ["rsa-sha2-256", "RSA"],
      ["ecdsa-sha2-nistp256", "ECDSA"],
    ] as const) {
      expect(await explain(`${key()}\nHostKeyAlgorithms ${algorithm}`)).toMatchObject({
        connected: "yes",
        hostKey: expect.stringMatching(new RegExp(`^${name} `)),
      });
    }
  });

  test("HostKeyAlias is the name that the key is filed under", async () => {
    const known = server.knownHosts.replaceAll(/^\S+/gm, "cluster");
    expect(await explain(`${key()}\nHostKeyAlias cluster`, { known })).toMatchObject({
      connected: "yes",
      hostKeyStatus: "known",
    });
    expect(await explain(key(), { known })).toMatchObject({ connected: "no", hostKeyStatus: "unknown" });
  });

  test("UserKnownHostsFile and GlobalKnownHostsFile are all read", async () => {
    const [one, two] = [await file("# nothing\n"), await file(server.knownHosts)];
    expect(await explain(`${key()}\nUserKnownHostsFile ${one} ${two}`, { known: "" })).toMatchObject({
      connected: "yes",
    });
    expect(
      await explain(`${key()}\nUserKnownHostsFile ${one}\nGlobalKnownHostsFile ${one} ${two}`, { known: "" }),
    ).toMatchObject({ connected: "yes" });
    expect(await explain(`${key()}\nUserKnownHostsFile none\nGlobalKnownHostsFile ${one}`)).toMatchObject({
      connected: "no",
    });
  });

  test("NoHostAuthenticationForLocalhost lets this machine pass", async () => {
    expect(await explain(`${key()}\nNoHostAuthenticationForLocalhost yes`, { known: "" })).toMatchObject({
      connected: "yes",
    });
  });

  test("CertificateFile is offered with its key", async () => {
    const authority = await createKey(join(directory, "ca"), "ed25519");
    const own = await createKey(join(directory, "certified"), "ecdsa");
    await keygen(["-q", "-s", authority, "-I", "ada", "-n", server.user, `${own}.pub`]);
    const elsewhere = join(directory, "elsewhere.pub");
    await Bun.write(elsewhere, Bun.file(`${own}-cert.pub`));
    await rm(`${own}-cert.pub`);
    await using trusting = await startSshd({ config: [`TrustedUserCAKeys ${authority}.pub`] });
    const told = await explain(`IdentityFile ${own}\nCertificateFile ${elsewhere}`, {
      port: trusting.port,
      known: trusting.knownHosts,
    });
    expect(told).toMatchObject({ connected: "yes", login: expect.stringContaining("certificate elsewhere.pub") });
  });

  test("IdentityAgent names the agent, and none leaves it out", async () => {
    await using agent = await startAgent(directory);
    await agent.add(server.key);
    expect(await explain(`IdentityAgent ${agent.socket}\nIdentityFile none`)).toMatchObject({
      connected: "yes",
      login: expect.stringContaining("(agent, ED25519"),
    });
    const env = { SSH_AUTH_SOCK: agent.socket };
    expect(await explain("IdentityAgent none\nIdentityFile none", { env })).toMatchObject({ connected: "no" });
  });

  test("PubkeyAuthentication no, and PreferredAuthentications without publickey, offer no key", async () => {
    for (const line of ["PubkeyAuthentication no", "PreferredAuthentications password"]) {
      const { connected, error } = await explain(`${key()}\n${line}`);
      expect([connected, String(error).includes("there was nothing to try")]).toEqual(["no", true]);
    }
  });

  test("BatchMode asks nothing", async () => {
    expect(await explain(`${key()}\nBatchMode yes`, { known: "" })).toMatchObject({
      connected: "no",
      hostKeyStatus: "unknown",
    });
  });
});
