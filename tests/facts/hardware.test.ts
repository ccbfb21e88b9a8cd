import { describe, expect, test } from "bun:test";
import type { CommandFact } from "../../src/core/fact.ts";
import { EFIBootMgr } from "../../src/facts/efibootmgr.ts";
import * as hardware from "../../src/facts/hardware/index.ts";
import { askFact } from "../support/apply.ts";
import { onUserlands } from "../support/userlands.ts";

const parse = <T>(fact: CommandFact<Record<never, never>, T>, text: string): T => fact.parse(text.split("\n"), {});

onUserlands("every fact of hardware is answered", userland => {
  for (const [name, fact] of Object.entries(hardware)) {
    if (typeof fact !== "object") continue;
    test(name, async () => {
      const answer: unknown = await askFact(fact as CommandFact<object, unknown>, {}, userland.host);
      if (name === "Ipv4Addrs") expect(answer).toMatchObject({ lo: ["127.0.0.1"] });
      if (name === "Cpus" && answer !== undefined) expect(answer).toBeGreaterThan(0);
    });
  }
});

describe("network devices", () => {
  test("as ip prints them: several addresses, a metric, a peer's number in the name", () => {
    const text = `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
    inet6 ::1/128 scope host noprefixroute
3: eth0@if12: <BROADCAST,MULTICAST> mtu 1400 qdisc noop state DOWN group default
    link/ether 02:fc:00:00:00:01 brd ff:ff:ff:ff:ff:ff link-netnsid 0
    inet 192.0.2.2/20 metric 100 brd 192.0.15.255 scope global dynamic eth0
    inet 198.51.100.7/32 scope global eth0`;
    expect(parse(hardware.NetworkDevices, text)).toEqual({
      lo: {
        mtu: 65536,
        state: "UP",
        ipv4: { address: "127.0.0.1", maskBits: 8, netmask: "255.0.0.0" },
        ipv6: { address: "::1", maskBits: 128 },
      },
      "eth0@if12": {
        ether: "02:fc:00:00:00:01",
        mtu: 1400,
        state: "DOWN",
        ipv4: {
          address: "192.0.2.2",
          maskBits: 20,
          netmask: "255.255.240.0",
          broadcast: "192.0.15.255",
          additionalIps: [{ address: "198.51.100.7", maskBits: 32, netmask: "255.255.255.255" }],
        },
      },
    });
  });

  test("as busybox and old net-tools print them", () => {
    const text = `eth0      Link encap:Ethernet  HWaddr 02:42:AC:11:00:02
          inet addr:172.17.0.2  Bcast:172.17.255.255  Mask:255.255.0.0
          inet6 addr: fe80::42:acff:fe11:2/64 Scope:Link
          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1
lo        Link encap:Local Loopback
          inet addr:127.0.0.1  Mask:255.0.0.0
          UP LOOPBACK RUNNING  MTU:65536  Metric:1`;
    const devices = parse(hardware.NetworkDevices, text);
    expect(devices["eth0"]).toEqual({
      ether: "02:42:AC:11:00:02",
      mtu: 1500,
      state: "UP",
      ipv4: { address: "172.17.0.2", maskBits: 16, netmask: "255.255.0.0", broadcast: "172.17.255.255" },
      ipv6: { address: "fe80::42:acff:fe11:2", maskBits: 64 },
    });
    expect(hardware.Ipv4Addresses.derive(devices as never, {})).toEqual({ eth0: "172.17.0.2", lo: "127.0.0.1" });
  });

  test("as the BSDs print them", () => {
    const text =
      "em0: flags=8863<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500\n\tether 08:00:27:aa:bb:cc\n\tinet 10.0.2.15 netmask 0xffffff00 broadcast 10.0.2.255\n\tinet6 fe80::a00:27ff:feaa:bbcc%em0 prefixlen 64 scopeid 0x1";
    expect(parse(hardware.NetworkDevices, text)).toEqual({
      em0: {
        ether: "08:00:27:aa:bb:cc",
        mtu: 1500,
        state: "UP",
        ipv4: { address: "10.0.2.15", maskBits: 24, netmask: "255.255.255.0", broadcast: "10.0.2.255" },
        ipv6: { address: "fe80::a00:27ff:feaa:bbcc", maskBits: 64 },
      },
    });
  });
});

test("memory of Linux, and of the BSDs from their pages", () => {
  expect(parse(hardware.Memory, "     12334524 K total memory\n      1234 K used memory")).toBe(12045);
  expect(parse(hardware.Memory, "     4096 bytes per page\n  1000000 pages managed\n  5 pages free")).toBe(3906);
  expect(
    parse(
      hardware.Memory,
      "     4096 bytes per page\n  500000 pages active\n  300000 pages inactive\n  100000 pages wired down\n  100000 pages free",
    ),
  ).toBe(3906);
  expect(parse(hardware.Memory, "nothing of that kind")).toBeUndefined();
});

test("file systems of Linux and macOS, with spaces in where they are mounted", () => {
  const linux =
    "Filesystem     1K-blocks    Used Available Use% Mounted on\n/dev/sda1       40325900  836392  39489508   3% /my disk\nnone 1 1 1 1% /none\nnas:/export 10 5 5 50% /net";
  expect(parse(hardware.BlockDevices, linux)).toEqual({
    "/dev/sda1": { blocks: "40325900", used: "836392", available: "39489508", usedPercent: "3", mount: "/my disk" },
    "nas:/export": { blocks: "10", used: "5", available: "5", usedPercent: "50", mount: "/net" },
  });
  expect(
    parse(hardware.BlockDevices, "/dev/disk1s1 976490576 20 955 3%  488411 4882 0%   /System/Volumes/Data")[
      "/dev/disk1s1"
    ]?.mount,
  ).toBe("/System/Volumes/Data");
});

test("processors: a number, or nothing", () => {
  expect(parse(hardware.Cpus, "8")).toBe(8);
  expect(parse(hardware.Cpus, "undefined")).toBeUndefined();
  expect(
    parse(hardware.CpuInfo, "Architecture:        x86_64\nFlags:               fpu vme\nNUMA node0 CPU(s):   0,1"),
  ).toEqual({ Architecture: "x86_64", Flags: ["fpu", "vme"], "NUMA node0 CPU(s)": "0,1" });
});

test("boot settings: entries that are not active, and what is no boot setting", () => {
  expect(
    parse(
      EFIBootMgr,
      "BootCurrent: 000A\nTimeout: 0 seconds\nBootOrder: 000A,0001\nBoot0001  Old disk\nBoot000A* debian\nMirroredPercentageAbove4G: 0.00",
    ),
  ).toEqual({
    BootCurrent: 10,
    Timeout: 0,
    BootOrder: [10, 1],
    Entries: { 1: [false, "Old disk"], 10: [true, "debian"] },
  });
  expect(() => parse(EFIBootMgr, "EFI variables are not supported on this system.")).toThrow(SyntaxError);
});
