/** KnownHostsCommand: run as ssh runs it, and believed as a known_hosts file is. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { needTools } from "../support/machine.ts";
import { createKey, type Sshd, startSshd } from "../support/sshd.ts";

setDefaultTimeout(60_000);
await needTools({ sshd: "openssh-server", ssh: "openssh-client" });

let server: Sshd;
let directory: string;
let count = 0;
beforeAll(async () => {
  server = await startSshd();
  directory = await mkdtemp(join(tmpdir(), "tsinfra-known-"));
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true });
});

/** A program, and a configuration that names it. */
async function program(body: string, args = "", more = ""): Promise<string> {
  const path = join(directory, `program-${count++}`);
  await Bun.write(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return await config(`KnownHostsCommand ${path} ${args}\n${more}`);
}
async function config(text: string): Promise<string> {
  const path = join(directory, `config-${count++}`);
  await Bun.write(
    path,
    `${text}\nUserKnownHostsFile /dev/null\nGlobalKnownHostsFile /dev/null\nStrictHostKeyChecking yes\n`,
  );
  return path;
}
/** Connect with that configuration alone; `in`, or what went wrong. */
async function connect(sshConfigFile: string): Promise<string> {
  const connector = createSshConnector({
    home: join(directory, "nobody"),
    env: process.env,
    systemConfigFile: "/nonexistent",
  });
  const { sshKey, sshUser, sshPort } = server.data;
  try {
    const connection = await connector.connect!(
      targetFor("127.0.0.1", { sshKey, sshUser, sshPort, sshAllowAgent: false, sshConfigFile }, { name: "web-1" }),
      connectorContext(),
    );
    await connection.close();
    return "in";
  } catch (error) {
    return (error as Error).message;
  } finally {
    await connector.close?.();
  }
}
/** The same by ssh: true if it got in. */
async function sshConnects(file: string): Promise<boolean> {
  const child = Bun.spawn(
    [
      "ssh",
      "-F",
      file,
      "-o",
      "BatchMode=yes",
      "-o",
      "IdentityAgent=none",
      "-i",
      server.key,
      "-p",
      `${server.port}`,
      `${server.user}@127.0.0.1`,
      "true",
    ],
    { env: process.env, stdin: "ignore", stdout: "ignore", stderr: "ignore" },
  );
  return (await child.exited) === 0;
}
const line = (): string => server.knownHosts.trim();

test("a host that the program knows is known, to ssh as to us", async () => {
  const file = await program(`echo '# hosts'; echo '${line()}'`);
  expect([await connect(file), await sshConnects(file)]).toEqual(["in", true]);
});

test("a host that it knows without its port is not known, to ssh as to us", async () => {
  const file = await program(`echo '${line().replace(/^\S+/, "127.0.0.1")}'`);
  expect(await connect(file)).toContain("is not known");
  expect(await sshConnects(file)).toBe(false);
});

test("a host that it does not know, or knows with another key, is refused", async () => {
  const silent = await program("true");
  expect(await connect(silent)).toContain("is not known");
  expect(await sshConnects(silent)).toBe(false);
  const other = (await Bun.file(`${await createKey(join(directory, "other"), "ed25519")}.pub`).text()).trim();
  const changed = await program(`echo '[127.0.0.1]:${server.port} ${other}'`);
  expect(await connect(changed)).toMatch(
    /has changed, or somebody pretends to be it; expected ED25519 SHA256:\S+ \(KnownHostsCommand \(\S+config-\d+:1\):1\)/,
  );
  expect(await sshConnects(changed)).toBe(false);
  const revoked = await program(`echo '${line()}'; echo '@revoked * ${line().split(" ").slice(1).join(" ")}'`);
  expect(await connect(revoked)).toContain("is revoked by KnownHostsCommand");
});

test("it is given the words and tokens that ssh gives it", async () => {
  const log = join(directory, "log");
  const args = `'one word' "%% %h" %H %I %t %f %K %n %p %r %u %d %C \${TESTED_HOME} #no\\ comment`;
  const said: string[] = [];
  const file = await program(`printf '<%s>' "$@" >>${log}; echo >>${log}; echo '${line()}'`, args);
  process.env.TESTED_HOME = "a value";
  try {
    for (const run of [() => connect(file), () => sshConnects(file)]) {
      await rm(log, { force: true });
      expect(["in", true]).toContain(await run());
      said.push(await Bun.file(log).text());
    }
  } finally {
    delete process.env.TESTED_HOME;
  }
  // Its name in the inventory is another one, and its home as the test has it.
  const alike = (text: string): string =>
    text.replaceAll(`<${join(directory, "nobody")}>`, "<home>").replaceAll(`<${process.env.HOME}>`, "<home>");
  expect(alike(said[0]!)).toBe(alike(said[1]!));
  expect(said[0]).toContain(`<one word><% 127.0.0.1><127.0.0.1><ORDER><NONE><NONE><NONE>`);
  expect(said[0]).toContain("<HOSTNAME><ssh-ed25519><SHA256:");
  expect(said[0]).toContain("<a value><#no comment>\n");
});

test("a program that fails or cannot be run ends the connection", async () => {
  const failing = await program(`echo '${line()}'; echo 'no database' >&2; exit 3`);
  expect(await connect(failing)).toMatch(/^KnownHostsCommand \(\S+:1\) ended with exit code 3: no database$/);
  expect(await sshConnects(failing)).toBe(false);
  expect(await connect(await config("KnownHostsCommand /nonexistent/program"))).toContain("cannot be run: ");
  expect(await connect(await config("KnownHostsCommand program"))).toContain(
    'names "program", which is not an absolute path',
  );
  expect(await connect(await config("KnownHostsCommand none"))).toContain("is not known");
  expect(await connect(await program("true", "%x"))).toStartWith('The token "%x" is unknown here');
});
