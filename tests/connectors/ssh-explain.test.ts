/** `tsinfra ssh explain`: what is told about the way to a host. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { type Sshd, startSshd } from "../support/sshd.ts";
import { needTools } from "../support/machine.ts";

setDefaultTimeout(60_000);
await needTools({ sshd: "openssh-server", "ssh-keygen": "openssh-client" });

let outer: Sshd;
let inner: Sshd;
let config: string;
beforeAll(async () => {
  [outer, inner] = await Promise.all([startSshd(), startSshd({ hostKeys: ["rsa"] })]);
  config = join(outer.directory, "config");
  await Bun.write(
    config,
    `Host bastion\n HostName 127.0.0.1\n Port ${outer.port}\n User ${outer.user}\n IdentityFile ${outer.key}\n UserKnownHostsFile ${outer.home}/.ssh/known_hosts\n` +
      `Host app\n HostName 127.0.0.1\n Port ${inner.port}\n IdentityFile ${inner.key}\n ProxyJump bastion\n UserKnownHostsFile ${inner.home}/.ssh/known_hosts\n` +
      `Host *\n IdentitiesOnly yes\n`,
  );
});
afterAll(() => Promise.all([outer.stop(), inner.stop()]));

async function explain(...words: string[]) {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "../../src/main.ts"), "ssh", "explain", ...words], {
    env: { ...process.env, SSH_AUTH_SOCK: "" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { stdout, stderr, exitCode };
}
const json = async (...words: string[]) => {
  const { stdout, exitCode } = await explain(...words, "--json", "--data", `sshConfigFile=${config}`);
  return {
    exitCode,
    ...(Object.values(JSON.parse(stdout))[0] as { hops: Record<string, unknown>[]; commandsAtOnce: number }),
  };
};

test("each hop is told with where it was said, its keys, its host key and its algorithms", async () => {
  const { exitCode, hops, commandsAtOnce } = await json("app");
  expect([exitCode, hops.length, commandsAtOnce]).toEqual([0, 2, 8]);
  const [bastion, app] = hops;
  expect(bastion).toMatchObject({
    name: "bastion",
    address: `127.0.0.1:${outer.port}`,
    addressFrom: `${config}:2`,
    port: outer.port,
    portFrom: `${config}:3`,
    user: outer.user,
    userFrom: `${config}:4`,
    through: "nothing",
    hostKeyStatus: "known",
    strictHostKeyChecking: "ask",
    connected: "yes",
    algorithms: { kex: "curve25519-sha256", hostKey: "ssh-ed25519", cipher: "aes128-gcm@openssh.com" },
    keys: [expect.stringContaining(`key ${outer.key} (${config}:5, ED25519 SHA256:`)],
    knownHostKeys: [expect.stringContaining(`(${outer.home}/.ssh/known_hosts:1)`)],
    software: expect.stringMatching(/^OpenSSH_/),
    login: expect.stringContaining(outer.key),
  });
  expect(app).toMatchObject({
    name: "app",
    through: "the jump host bastion",
    throughFrom: `${config}:11`,
    hostKey: expect.stringMatching(/^RSA SHA256:/),
    connected: "yes",
  });
});

test("a hop that cannot be reached says why, and those behind it are not tried", async () => {
  await Bun.write(
    `${config}-broken`,
    (await Bun.file(config).text()).replace(`${outer.home}/.ssh/known_hosts`, "/nonexistent"),
  );
  const broken = await explain("app", "--json", "--data", `sshConfigFile=${config}-broken`);
  const [bastion, app] = (Object.values(JSON.parse(broken.stdout))[0] as { hops: Record<string, unknown>[] }).hops;
  expect(broken.exitCode).toBe(1);
  expect(bastion).toMatchObject({
    connected: "no",
    hostKeyStatus: "unknown",
    error: expect.stringContaining("is not known"),
  });
  expect(app).toMatchObject({ connected: "not tried" });
});

test("text says the same, indented", async () => {
  const { stdout, exitCode } = await explain("bastion", "--data", `sshConfigFile=${config}`);
  expect(exitCode).toBe(0);
  expect(stdout).toStartWith("bastion\n  transport: embedded\n  hops\n    - name: bastion\n");
  expect(stdout).toContain("\n      host key status: known\n");
});

test("the ssh program is asked about itself", async () => {
  const { stdout, exitCode } = await explain(
    "bastion",
    "--json",
    "--data",
    `sshConfigFile=${config}`,
    "--data",
    "sshTransport=openssh",
  );
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    bastion: { transport: "openssh", settings: { hostname: "127.0.0.1", port: `${outer.port}` }, connected: "yes" },
  });
});

test("what is not reached over SSH is not explained", async () => {
  expect((await explain("@local")).exitCode).toBe(2);
  expect((await explain()).stderr).toContain("There is no host to explain");
});
