import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { ssh } from "../../src/operations/index.ts";
import { apply, applyTwice, mustRun } from "../support/apply.ts";
import { type Hosts, raiseHosts, type RaisedHost } from "../support/hosts.ts";

setDefaultTimeout(120_000);
let hosts: Hosts;
let [one, two]: RaisedHost[] = [];
const on = () => ({ host: one! });
const login = (): ssh.KeyscanArguments => ({ hostname: two!.address });

beforeAll(async () => {
  hosts = await raiseHosts({ count: 2 });
  [one, two] = hosts.hosts;
  await mustRun(one!, "umask 077; cat > /root/.ssh/id_ed25519", readFileSync(hosts.identityFile));
}, 300_000);
afterAll(() => hosts.down());

test("ssh.keyscan makes another host known, once, and anew when forced", async () => {
  await mustRun(one!, "chmod 755 /root/.ssh");
  await expect(apply(ssh.command, { ...login(), command: "true" }, on())).rejects.toThrow(
    "Host key verification failed",
  );
  await applyTwice(ssh.keyscan, login(), on());
  expect(await mustRun(one!, "stat -c %a /root/.ssh")).toBe("700\n");
  const known = await mustRun(one!, "cat /root/.ssh/known_hosts");
  const key = readFileSync(hosts.knownHosts, "utf8")
    .split("\n")
    .find(line => line.includes(two!.address))
    ?.split(" ")
    .slice(1)
    .join(" ");
  expect(known).toContain(`${two!.address} ${key}`);
  expect((await apply(ssh.keyscan, { ...login(), force: true }, on())).commands).toEqual([
    `ssh-keygen -R ${two!.address}`,
    `ssh-keyscan -p 22 ${two!.address} >> /root/.ssh/known_hosts`,
  ]);
  expect(await mustRun(one!, "cat /root/.ssh/known_hosts")).toBe(known);
});

test("ssh.keyscan tells ports and longer names apart", async () => {
  await mustRun(two!, "setsid /usr/sbin/sshd -p 2222");
  await mustRun(one!, `echo 'x.${two!.address} ssh-ed25519 AAAA' > /root/.ssh/known_hosts`);
  await applyTwice(ssh.keyscan, { ...login(), port: 2222 }, on());
  await applyTwice(ssh.keyscan, login(), on());
  const names = (await mustRun(one!, "cut -d' ' -f1 /root/.ssh/known_hosts | sort -u")).trim().split("\n");
  expect(names).toEqual([two!.address, `[${two!.address}]:2222`, `x.${two!.address}`]);
});

test("ssh.command runs a line in the other host's shell", async () => {
  const ran = await apply(ssh.command, { ...login(), user: "ops", command: 'echo "it\'s $(id -un)"; exit 0' }, on());
  expect(ran.stdout).toBe("it's ops");
  expect((await apply(ssh.command, { ...login(), port: 2222, command: "echo here" }, on())).stdout).toBe("here");
  await expect(apply(ssh.command, { hostname: "-oProxyCommand=reboot", command: "true" }, on())).rejects.toThrow(
    "cannot be the name of a host",
  );
  await expect(apply(ssh.command, { ...login(), command: "exit 3" }, on())).rejects.toThrow("exit code 3");
});

test("ssh.upload and ssh.download carry files", async () => {
  await mustRun(one!, "cd /root; echo \"it's one\" > 'a $file:1'; echo dash > -dash");
  await apply(ssh.upload, { ...login(), filename: "/root/a $file:1", remoteFilename: "/tmp/b $file" }, on());
  expect(await mustRun(two!, "cat '/tmp/b $file'")).toBe("it's one\n");
  await apply(
    ssh.upload,
    { ...login(), filename: "-dash", remoteFilename: "/tmp/dash" },
    { ...on(), globals: { _chdir: "/root" } },
  );
  expect(await mustRun(two!, "cat /tmp/dash")).toBe("dash\n");
  await apply(
    ssh.upload,
    {
      ...login(),
      user: "ops",
      filename: "/root/a $file:1",
      remoteFilename: "/etc/it's mine",
      useRemoteSudo: true,
      port: 2222,
    },
    on(),
  );
  expect(await mustRun(two!, 'cat "/etc/it\'s mine"; ls /tmp/tsinfra* 2>/dev/null || true')).toBe("it's one\n");

  await applyTwice(
    ssh.download,
    { ...login(), filename: "/tmp/b $file", localFilename: "/root/c:d e" },
    { ...on(), globals: { _chdir: "/root" } },
  );
  expect(await mustRun(one!, "cat '/root/c:d e'")).toBe("it's one\n");
  await mustRun(two!, "echo newer > '/tmp/b $file'");
  await apply(ssh.download, { ...login(), filename: "/tmp/b $file", localFilename: "/root/c:d e", force: true }, on());
  expect(await mustRun(one!, "cat '/root/c:d e'")).toBe("newer\n");
  await expect(apply(ssh.download, { ...login(), filename: "/tmp/x", localFilename: "/root" }, on())).rejects.toThrow(
    "is not a file",
  );
  await mustRun(one!, "rm /root/.ssh/known_hosts");
  await apply(
    ssh.download,
    { ...login(), filename: "/tmp/dash", localFilename: "/root/fetched", sshKeyscan: true },
    on(),
  );
  expect(await mustRun(one!, "cat /root/fetched")).toBe("dash\n");
});
