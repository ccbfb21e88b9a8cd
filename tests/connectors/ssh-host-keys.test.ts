/** Host keys: what is trusted, what is refused, what is asked and remembered. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createConfirmation } from "../../src/connectors/ssh/host-keys/confirm.ts";
import { hashName, parseKnownHosts, speaksOf } from "../../src/connectors/ssh/host-keys/known-hosts.ts";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import type { ConnectError } from "../../src/core/errors.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { createKey, keygen, type Sshd, startSshd } from "../support/sshd.ts";
import { needTools } from "../support/machine.ts";

setDefaultTimeout(60_000);
await needTools({ sshd: "openssh-server", "ssh-keygen": "openssh-client" });

describe("known_hosts", () => {
  const key = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
  const names = (line: string, name: string) =>
    parseKnownHosts(`${line} ssh-ed25519 ${key} comment\n`, "f").some(known => speaksOf(known, name));

  test("names, lists, patterns and negations are matched, whatever the case", () => {
    expect(names("web-1,web-2", "WEB-2")).toBe(true);
    expect(names("*.example,!bad.example", "good.example")).toBe(true);
    expect(names("*.example,!bad.example", "bad.example")).toBe(false);
    expect(names("[web-1]:2222", "[web-1]:2222")).toBe(true);
    expect(names("[web-1]:2222", "web-1")).toBe(false);
  });
  test("hashed names are recognised, as ssh-keygen hashes them", () => {
    expect(names(hashName("web-1", Buffer.alloc(20, 7)), "web-1")).toBe(true);
    expect(names(hashName("web-1", Buffer.alloc(20, 7)), "web-2")).toBe(false);
    expect(names("|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg=", "192.168.1.61")).toBe(true);
  });
  test("lines that cannot be read are left out, and the others keep their numbers", () => {
    const text = `# comment\n\nnonsense\nweb ssh-rsa ${key}\n@strange web ssh-ed25519 ${key}\n@revoked web ssh-ed25519 ${key}\nweb ssh-ed25519 ${key}\n`;
    expect(parseKnownHosts(text, "f").map(({ marker, line }) => [marker, line])).toEqual([
      ["revoked", 6],
      [undefined, 7],
    ]);
  });
});

test("hosts whose keys are unknown share one question, which lists them; who was trusted is not asked about again", async () => {
  const { confirm } = createConfirmation();
  const context = connectorContext({ "web-1": "yes" });
  const unknown = ["web-1", "web-2", "web-3"].map(name => ({ name, host: name, key: `ED25519 SHA256:${name}` }));
  expect(await Promise.all(unknown.map(one => confirm(one, context)))).toEqual([true, true, true]);
  expect(context.asked.map(({ text }) => text)).toEqual([
    "The host keys of these 3 hosts are not known:\n  web-1: ED25519 SHA256:web-1\n  web-2: ED25519 SHA256:web-2\n  web-3: ED25519 SHA256:web-3\nTrust them and remember?",
  ]);
  expect(await confirm(unknown[1]!, context)).toBe(true);
  expect(await confirm({ ...unknown[1]!, key: "ED25519 SHA256:another" }, context)).toBe(false);
  expect(context.asked).toHaveLength(2);
});

describe("host keys", () => {
  let server: Sshd;
  let directory: string;
  let files = 0;
  beforeAll(async () => {
    server = await startSshd({ hostKeys: ["ed25519", "rsa", "ecdsa"] });
    directory = await mkdtemp(join(tmpdir(), "tsinfra-host-keys-"));
  });
  afterAll(async () => {
    await server.stop();
    await rm(directory, { recursive: true });
  });

  const knownHosts = async (text: string): Promise<string> => {
    const path = join(directory, `known-${files++}`);
    await Bun.write(path, text);
    return path;
  };
  const lineOf = (type: string): string => server.knownHosts.split("\n").find(line => line.includes(type)) ?? "";
  const name = () => `[127.0.0.1]:${server.port}`;

  async function connect(
    data: Readonly<Record<string, unknown>>,
    answers: Readonly<Record<string, string>> = {},
    from: Sshd = server,
  ) {
    const connector = createSshConnector({ home: from.home, env: {}, systemConfigFile: "/nonexistent" });
    const context = connectorContext(answers);
    try {
      const connection = await connector.connect!(targetFor("web-1", { ...from.data, ...data }), context);
      await connection.close();
      return context;
    } finally {
      await connector.close?.();
    }
  }
  async function refusal(
    data: Readonly<Record<string, unknown>>,
    answers: Readonly<Record<string, string>> = {},
    from: Sshd = server,
  ): Promise<ConnectError> {
    const error: unknown = await connect(data, answers, from).catch(error => error);
    if (!(error instanceof Error)) throw new Error("The host was accepted");
    return error as ConnectError;
  }

  for (const type of ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256"]) {
    test(`a host of several keys is recognised by the one that is known: ${type}`, async () => {
      await connect({ sshKnownHostsFile: await knownHosts(`${lineOf(type)}\n`) });
    });
  }

  test("a hashed file made by ssh-keygen is understood", async () => {
    const file = await knownHosts(server.knownHosts);
    await keygen(["-H", "-f", file]);
    expect(await Bun.file(file).text()).toStartWith("|1|");
    await connect({ sshKnownHostsFile: file });
  });

  test("a key filed without the port counts where none is filed with it", async () => {
    await connect({ sshKnownHostsFile: await knownHosts(server.knownHosts.replaceAll(name(), "127.0.0.1")) });
  });

  test("a changed key is refused, naming file, line and both fingerprints", async () => {
    const other = await createKey(join(directory, "other"), "ed25519");
    const [type, base64] = (await Bun.file(`${other}.pub`).text()).split(" ");
    const file = await knownHosts(`# first\n${name()} ${type} ${base64}\n`);
    const expected = (await keygen(["-l", "-f", other])).split(" ")[1];
    const found = (await keygen(["-l", "-f", join(server.directory, "host_ed25519")])).split(" ")[1];
    for (const sshStrictHostKeyChecking of ["ask", "yes", "accept-new"]) {
      const error = await refusal({ sshKnownHostsFile: file, sshStrictHostKeyChecking }, { "": "yes" });
      expect(error.code).toBe("E_HOST_KEY");
      expect(error.retryable).toBe(false);
      expect(error.message).toBe(
        `The host key of web-1 (${name()}) has changed, or somebody pretends to be it; expected ED25519 ${expected} (${file}:2): found ED25519 ${found}`,
      );
      expect(error.hint).toContain(`ssh-keygen -f ${file} -R '${name()}'`);
    }
    expect(await Bun.file(file).text()).toBe(`# first\n${name()} ${type} ${base64}\n`);
  });

  test("a key of another type than the known one is a changed key", async () => {
    const other = await createKey(join(directory, "other-ecdsa"), "ecdsa", { args: ["-b", "521"] });
    const [type, base64] = (await Bun.file(`${other}.pub`).text()).split(" ");
    expect(
      (
        await refusal({
          sshKnownHostsFile: await knownHosts(`${name()} ${type} ${base64}\n`),
          sshStrictHostKeyChecking: "accept-new",
        })
      ).code,
    ).toBe("E_HOST_KEY");
  });

  test("a revoked key is refused", async () => {
    const file = await knownHosts(
      `@revoked * ${lineOf("ssh-ed25519").split(" ").slice(1).join(" ")}\n${lineOf("ssh-ed25519")}\n`,
    );
    const error = await refusal({ sshKnownHostsFile: file });
    expect(error.code).toBe("E_HOST_KEY");
    expect(error.message).toContain(`is revoked by ${file}:1`);
  });

  test("an unknown key is refused without a terminal, with advice", async () => {
    const file = await knownHosts("");
    const error = await refusal({ sshKnownHostsFile: file });
    expect(error.code).toBe("E_HOST_KEY");
    expect(error.message).toMatch(
      /^The host key of web-1 \(\[127\.0\.0\.1\]:\d+\) is not known: found ED25519 SHA256:/,
    );
    expect(error.hint).toContain('sshStrictHostKeyChecking: "accept-new"');
    expect(await Bun.file(file).text()).toBe("");
  });

  test("an unknown key that a person confirms is remembered", async () => {
    const file = await knownHosts("# kept without a newline");
    const { asked, warnings } = await connect({ sshKnownHostsFile: file }, { "not known": "yes" });
    expect(asked.map(({ kind }) => kind)).toEqual(["confirm"]);
    expect(asked[0]?.text).toContain("ED25519 SHA256:");
    expect(warnings).toEqual([]);
    expect(await Bun.file(file).text()).toBe(`# kept without a newline\n${lineOf("ssh-ed25519")}\n`);
    await connect({ sshKnownHostsFile: file, sshStrictHostKeyChecking: "yes" });
  });

  test("yes refuses unknown keys without asking", async () => {
    const connector = createSshConnector({ home: server.home, env: {}, systemConfigFile: "/nonexistent" });
    const context = connectorContext({ "": "yes" });
    const error = await connector.connect!(
      targetFor("web-1", { ...server.data, sshKnownHostsFile: await knownHosts(""), sshStrictHostKeyChecking: "yes" }),
      context,
    ).catch(error => error);
    expect(error.code).toBe("E_HOST_KEY");
    expect(context.asked).toEqual([]);
  });

  test("accept-new accepts, remembers and says so", async () => {
    const file = join(directory, "new", "folder", "known_hosts");
    const { warnings } = await connect({ sshKnownHostsFile: file, sshStrictHostKeyChecking: "accept-new" });
    expect(await Bun.file(file).text()).toBe(`${lineOf("ssh-ed25519")}\n`);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`accepted and added to ${file}: ED25519 SHA256:`);
  });

  test("what is accepted and goes to /dev/null is not said to be added", async () => {
    const { warnings } = await connect({ sshKnownHostsFile: "/dev/null", sshStrictHostKeyChecking: "accept-new" });
    expect(warnings).toEqual([
      expect.stringMatching(/^The unknown host key of web-1 was accepted and is not remembered: ED25519 SHA256:\S+$/),
    ]);
  });

  test("what many hosts have that are connected to at once is said in one line", async () => {
    const file = await knownHosts("");
    // Each has an entry of its own, though they are one server.
    const sshConfigFile = join(directory, "aliases");
    const aliases = Array.from(
      { length: 7 },
      (_, index) => `Host web-${index + 1}\nHostname 127.0.0.1\nHostKeyAlias w${index + 1}\n`,
    );
    await Bun.write(sshConfigFile, aliases.join(""));
    const accepting = async (
      hosts: number,
      expected: number,
      sshKnownHostsFile: string,
    ): Promise<readonly string[]> => {
      const connector = createSshConnector({ home: server.home, env: {}, systemConfigFile: "/nonexistent" });
      const context = connectorContext();
      connector.expect!(expected);
      const data = { ...server.data, sshKnownHostsFile, sshStrictHostKeyChecking: "accept-new", sshConfigFile };
      for (let index = 1; index <= hosts; index++)
        await (
          await connector.connect!(targetFor(`web-${index}`, { ...data, sshHostname: `web-${index}` }), context)
        ).close();
      await connector.close?.();
      return context.warnings;
    };
    const names = "web-1, web-2, web-3, web-4, web-5 and 2 more";
    expect(await accepting(7, 7, file)).toEqual([
      `The unknown host keys of 7 hosts were accepted and added to ${file}: ${names}`,
    ]);
    expect(await accepting(7, 7, "/dev/null")).toEqual([
      `The unknown host keys of 7 hosts were accepted and are not remembered: ${names}`,
    ]);
    // One that never comes keeps nothing from being said.
    expect(await accepting(2, 3, "/dev/null")).toEqual([
      "The unknown host keys of 2 hosts were accepted and are not remembered: web-1, web-2",
    ]);
  });

  test("names are hashed where the configuration wants it, and ssh-keygen finds them", async () => {
    const file = await knownHosts("");
    const sshConfigFile = join(directory, "hash-config");
    await Bun.write(sshConfigFile, "HashKnownHosts yes\n");
    await connect({ sshKnownHostsFile: file, sshStrictHostKeyChecking: "accept-new", sshConfigFile });
    expect(await Bun.file(file).text()).toStartWith("|1|");
    expect(await keygen(["-F", name(), "-f", file])).toContain("ssh-ed25519");
  });

  test("many hosts with one address ask one question and write one line", async () => {
    const file = await knownHosts("");
    const connector = createSshConnector({ home: server.home, env: {}, systemConfigFile: "/nonexistent" });
    const context = connectorContext({ "not known": "yes" });
    const connections = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        connector.connect!(targetFor(`web-${index}`, { ...server.data, sshKnownHostsFile: file }), context),
      ),
    );
    await Promise.all(connections.map(connection => connection.close()));
    await connector.close?.();
    expect(await Bun.file(file).text()).toBe(`${lineOf("ssh-ed25519")}\n`);
    expect(context.asked).toHaveLength(1);
  });

  test("a changed key is tolerated under no, with a warning and without passwords", async () => {
    const other = await createKey(join(directory, "other-no"), "ed25519");
    const [type, base64] = (await Bun.file(`${other}.pub`).text()).split(" ");
    const data = {
      sshKnownHostsFile: await knownHosts(`${name()} ${type} ${base64}\n`),
      sshStrictHostKeyChecking: "no",
    };
    const { warnings } = await connect(data);
    expect(warnings.join()).toContain("has changed");
  });

  test("a strictness that does not exist is an error that lists those that do", async () => {
    expect((await refusal({ sshStrictHostKeyChecking: "often" })).message).toContain(
      'must be "yes", "ask", "accept-new" or "no"',
    );
  });

  describe("certificates", () => {
    let authority: string;
    beforeAll(async () => {
      authority = await createKey(join(directory, "host-ca"), "ecdsa");
    });
    async function certified(
      type: "ed25519" | "ecdsa" | "rsa",
      sign: readonly string[],
      body: (from: Sshd, file: string) => Promise<void>,
    ): Promise<void> {
      const hostKey = await createKey(join(directory, `certified-${files++}`), type);
      await keygen(["-q", "-s", authority, "-h", "-I", "web-1", ...sign, `${hostKey}.pub`]);
      const [caType, caKey] = (await Bun.file(`${authority}.pub`).text()).split(" ");
      const file = await knownHosts(`@cert-authority 127.0.0.*,[127.0.0.1]:* ${caType} ${caKey}\n`);
      await using from = await startSshd({ config: [`HostKey ${hostKey}`, `HostCertificate ${hostKey}-cert.pub`] });
      await body(from, file);
    }
    for (const type of ["ed25519", "ecdsa", "rsa"] as const) {
      test(`a host with a certificate of a trusted authority is known: ${type}`, () =>
        certified(type, ["-n", "127.0.0.1"], async (from, file) => {
          await connect({ sshKnownHostsFile: file, sshStrictHostKeyChecking: "yes" }, {}, from);
        }));
    }
    const bad: readonly (readonly [why: string, sign: readonly string[], message: string])[] = [
      ["of another host", ["-n", "db-1"], 'is for "db-1", not for "127.0.0.1"'],
      ["that has expired", ["-n", "127.0.0.1", "-V", "20200101:20200102"], "has expired"],
      ["that is not valid yet", ["-n", "127.0.0.1", "-V", "20990101:20990102"], "is not valid yet"],
    ];
    for (const [why, sign, message] of bad) {
      test(`a certificate ${why} is refused`, () =>
        certified("ed25519", sign, async (from, file) => {
          const error = await refusal({ sshKnownHostsFile: file, sshStrictHostKeyChecking: "accept-new" }, {}, from);
          expect(error.code).toBe("E_HOST_KEY");
          expect(error.message).toContain(message);
        }));
    }
  });
});
