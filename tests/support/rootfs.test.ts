import { afterAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mustRun } from "./apply.ts";
import { busyboxRootfs, debianRootfs, removeRootfs } from "./rootfs.ts";
import { chrootHost } from "./test-host.ts";

const roots: string[] = [];
afterAll(() => roots.forEach(removeRootfs));

test("two Debian root file systems share nothing that is written", async () => {
  const [one, other] = await Promise.all([debianRootfs(), debianRootfs()]);
  roots.push(one, other);
  await mustRun(chrootHost(one), "echo one > /etc/motd; dpkg -s dpkg");
  expect(await mustRun(chrootHost(other), "cat /etc/motd 2>/dev/null || echo none")).not.toBe("one\n");
  expect(await mustRun(chrootHost(one), "cat /etc/motd; tty >/dev/null || ls /proc/self/status")).toBe(
    "one\n/proc/self/status\n",
  );
}, 300_000);

test("a busybox root file system has busybox and no more", async () => {
  const root = await busyboxRootfs();
  roots.push(root);
  expect(await mustRun(chrootHost(root), "readlink /bin/cat; command -v bash || echo no bash")).toBe(
    "/bin/busybox\nno bash\n",
  );
}, 60_000);

test("a removed root file system is gone with its mounts", async () => {
  const root = await busyboxRootfs();
  removeRootfs(root);
  expect(existsSync(root)).toBe(false);
  expect(await Bun.file("/proc/self/mounts").text()).not.toContain(root);
}, 60_000);
