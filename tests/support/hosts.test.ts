import { expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { CACHE } from "./machine.ts";
import { type Hosts, raiseHosts } from "./hosts.ts";
import { mustRun, spawn } from "./test-host.ts";

const ssh = (fleet: Hosts, user: string, host: string, line: string) =>
  spawn(["ssh", "-F", fleet.sshConfig, "-o", "BatchMode=yes", `${user}@${host}`, line]);

test("hosts have their own names, files and keys, and take users in", async () => {
  await using fleet = await raiseHosts({ count: 3 });
  const [one] = fleet.hosts;
  if (!one) throw new Error("No host");
  await mustRun(one, "echo mine > /etc/only-here");
  expect((await ssh(fleet, "root", "h1", "hostname; cat /etc/only-here")).stdout).toBe("h1\nmine\n");
  expect((await ssh(fleet, "root", "h2", "hostname; cat /etc/only-here")).stdout).toBe("h2\n");
  expect((await ssh(fleet, "ops", "h3", "sudo -n id -u")).stdout).toBe("0\n");
  expect((await ssh(fleet, "pw", "h3", "sudo -n id -u")).exitCode).not.toBe(0);
  expect((await ssh(fleet, "pw", "h3", "echo pw | sudo -S -p '' id -u")).stdout).toBe("0\n");

  await one.stop();
  expect((await ssh(fleet, "root", "h1", "true")).exitCode).toBe(255);
  await one.start();
  expect((await ssh(fleet, "root", "h1", "cat /etc/only-here")).stdout).toBe("mine\n");
  expect((await spawn(["ip", "route", "get", fleet.nobody])).stdout).not.toContain(" via ");
}, 300_000);

test("a host reaches the mirror when asked to, and nothing else", async () => {
  await using fleet = await raiseHosts({ count: 1, apt: true });
  const [host] = fleet.hosts;
  if (!host) throw new Error("No host");
  await mustRun(host, "apt-get update -qq && apt-get install -y -qq hello >/dev/null 2>&1");
  expect(await mustRun(host, "hello")).toBe("Hello, world!\n");
  expect(await mustRun(host, "ip route")).not.toContain("default");
}, 300_000);

test("a host with systemd has booted", async () => {
  await using fleet = await raiseHosts({ count: 1, init: "systemd" });
  const [host] = fleet.hosts;
  if (!host) throw new Error("No host");
  expect((await ssh(fleet, "root", "h1", "systemctl is-system-running --wait")).stdout).toMatch(/running|degraded/);
  expect(await mustRun(host, "cat /proc/1/comm")).toBe("systemd\n");

  await mustRun(host, "echo kept > /etc/kept; touch /run/gone");
  await host.rebootedBy(() => ssh(fleet, "root", "h1", "systemctl reboot"));
  expect(await mustRun(host, "cat /etc/kept; ls /run/gone 2>&1 || true")).toMatch(/^kept\nls: cannot access/);
}, 300_000);

test("hosts that are down leave nothing", async () => {
  const own = () => readdirSync(join(CACHE, "runs")).filter(name => name.startsWith(`${process.pid}-`));
  const fleet = await raiseHosts({ count: 1 });
  expect(own()).toHaveLength(1);
  await fleet.down();
  expect(own()).toEqual([]);
  expect(existsSync(fleet.identityFile)).toBe(false);
  expect((await spawn(["ip", "netns", "list"])).stdout).not.toContain(`tst${fleet.nobody.split(".")[2]}-`);
}, 300_000);
