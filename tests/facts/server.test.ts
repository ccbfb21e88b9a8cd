import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { Secret } from "../../src/core/command.ts";
import type { CommandFact } from "../../src/core/fact.ts";
import * as server from "../../src/facts/server/index.ts";
import { parseLoginTime } from "../../src/facts/server/login-time.ts";
import { askFact } from "../support/apply.ts";
import { HOSTILE_NAMES, onUserlands } from "../support/userlands.ts";

const parse = <A extends object, T>(fact: CommandFact<A, T>, text: string, args: A): T =>
  fact.parse(text.split("\n"), args);

onUserlands("every fact of server is answered", userland => {
  const questions: Readonly<Record<string, object>> = {
    Command: { command: "echo one; echo two" },
    Which: { command: "sh" },
    Port: { port: 1 },
    AuthorizedKeys: { user: "root" },
  };
  for (const [name, fact] of Object.entries(server)) {
    if (typeof fact !== "object") continue;
    test(name, async () => {
      const answer: unknown = await askFact(fact as CommandFact<object, unknown>, questions[name] ?? {}, userland.host);
      if (name in EXPECTED) expect(answer).toEqual(EXPECTED[name]);
    });
  }

  test("a name that is no name never becomes a command", async () => {
    for (const text of HOSTILE_NAMES.filter(one => one !== "!")) {
      expect(await askFact(server.Which, { command: text }, userland.host)).toBeUndefined();
      expect(await askFact(server.Home, { user: text }, userland.host)).toBeUndefined();
      expect(await askFact(server.AuthorizedKeys, { user: text }, userland.host)).toEqual([]);
      expect(await askFact(server.Sysctl, { keys: [text] }, userland.host)).toEqual({});
    }
    expect((await userland.host.exec("ls pwned /tmp/pwned")).stdout).toBe("");
  });

  test("keys are read from any file, comments aside", async () => {
    const path = `${userland.fresh()}/it's keys`;
    writeFileSync(userland.here(path), "# mine\n\nssh-ed25519 AAAA ada@x\n  ssh-rsa BBBB\n");
    expect(await askFact(server.AuthorizedKeys, { user: "root", path }, userland.host)).toEqual([
      "ssh-ed25519 AAAA ada@x",
      "ssh-rsa BBBB",
    ]);
  });

  test("the process that asks is among the processes, and can be asked for alone", async () => {
    const all = await askFact(server.Processes, {}, userland.host);
    expect(Object.keys(all).length).toBeGreaterThan(1);
    const [pid = "", first] = Object.entries(all)[0] ?? [];
    const one = await askFact(server.Processes, { pid: Number(pid) }, userland.host);
    expect(Object.keys(one)).toEqual([pid]);
    expect(one[pid]?.command).toBe(first?.command ?? "");
    expect(await askFact(server.Processes, { pid: 4_194_303 }, userland.host)).toEqual({});
  });
});

const EXPECTED: Readonly<Record<string, unknown>> = {
  Command: "one\ntwo",
  Kernel: "Linux",
  Os: "Linux",
  User: "root",
  Home: "/root",
  HasGui: false,
  Port: undefined,
  MacosVersion: undefined,
};

describe("server.Date", () => {
  test("keeps the host's offset, whatever the control machine's zone is", () => {
    const date = parse(server.Date, "2026-03-01T00:30:00-0930", {});
    expect(date?.getTime()).toBe(Date.UTC(2026, 2, 1, 10, 0, 0));
    expect(date?.offsetMinutes).toBe(-570);
    expect(JSON.stringify(date)).toBe('"2026-03-01T00:30:00-09:30"');
  });

  test("refuses what is no date", () => {
    expect(() => parse(server.Date, "Sun Mar  1 00:30:00 UTC 2026", {})).toThrow(SyntaxError);
  });
});

test("a login without a year has no time: the control machine's clock does not guess it", () => {
  expect(parseLoginTime("Mon Jan  5 11:03:32 +0100 2026")).toBe("2026-01-05T11:03:32+01:00");
  expect(parseLoginTime("Thu Sep 21 15:38:03 2023")).toBe("2023-09-21T15:38:03");
  expect(parseLoginTime("Thu Sep 21 15:38")).toBeUndefined();
});

test("accounts are read with comments that hold bars, empty fields and secondary groups", () => {
  const users = parse(
    server.Users,
    "ada:x:1000:100:Ada | L:/home/ada:/bin/bash|users|users sudo docker|ada pts/0 10.0.0.1 Mon Jan 5 11:03:32 +0100 2026|$6$salt$hash\ngames:x:5:60::/usr/games:|games|games|games **Never logged in**|*",
    {},
  );
  expect(users["ada"]).toMatchObject({
    home: "/home/ada",
    comment: "Ada | L",
    shell: "/bin/bash",
    group: "users",
    groups: ["sudo", "docker"],
    uid: 1000,
    gid: 100,
    lastlog: "Mon Jan 5 11:03:32 +0100 2026",
    loginTime: "2026-01-05T11:03:32+01:00",
  });
  expect(users["ada"]?.password.reveal()).toBe("$6$salt$hash");
  expect(users["games"]).toEqual({
    home: "/usr/games",
    group: "games",
    groups: [],
    uid: 5,
    gid: 60,
    password: expect.any(Secret),
  });
  expect(JSON.stringify(users)).not.toContain("hash");
});

test("mounts: escaped characters, options said twice, and what FreeBSD prints", async () => {
  const line =
    "36 35 98:0 /mnt1 /mnt/my\\040disk rw,noatime master:1 shared:7 - ext3 /dev/my\\054root rw,errors=continue";
  expect(parse(server.Mounts, line, {})).toEqual({
    "/mnt/my disk": { device: "/dev/my,root", type: "ext3", options: ["rw", "noatime", "errors=continue"] },
  });
  expect(() => parse(server.Mounts, "36 35 98:0", {})).toThrow(SyntaxError);
  const freebsd = server.Mounts.variant?.choose("FreeBSD", {});
  const json =
    '{"mount": {"fstab": [{"device":"zroot/ROOT/default","mntpoint":"/","fstype":"zfs","opts":"rw, noatime","dump":0,"pass":0}]}}';
  expect(freebsd && parse(freebsd, json, {})).toEqual({
    "/": { device: "zroot/ROOT/default", type: "zfs", options: ["rw", "noatime"] },
  });
});

describe("ports", () => {
  const flavour = (tool: string) => server.Ports.variant?.choose(tool, {}) ?? server.Ports;

  test("as ss lists them", () => {
    const text =
      'udp   UNCONN 0 0    127.0.0.53%lo:53 0.0.0.0:* users:(("systemd-resolve",pid=414,fd=13))\ntcp   LISTEN 0 511  [::]:443 [::]:* users:(("nginx: master",pid=9,fd=3),("nginx",pid=10,fd=3))\ntcp   LISTEN 0 128  *:9100 *:*';
    expect(parse(flavour("ss"), text, {})).toEqual([
      { port: 53, ip: "127.0.0.53", protocol: "udp", process: "systemd-resolve", pid: 414 },
      { port: 443, ip: "::", protocol: "tcp", process: "nginx: master", pid: 9 },
      { port: 9100, ip: "*", protocol: "tcp" },
    ]);
  });

  test("as netstat lists them", () => {
    const text =
      "Active Internet connections (only servers)\nProto Recv-Q Send-Q Local Address   Foreign Address  State   PID/Program name\ntcp        0      0 0.0.0.0:22      0.0.0.0:*        LISTEN  812/sshd: /usr/sbin\ntcp6       0      0 :::80           :::*             LISTEN  -\nudp        0      0 0.0.0.0:68      0.0.0.0:*                411/dhclient";
    expect(parse(flavour("netstat"), text, {})).toEqual([
      { port: 22, ip: "0.0.0.0", protocol: "tcp", process: "sshd: /usr/sbin", pid: 812 },
      { port: 80, ip: "::", protocol: "tcp" },
      { port: 68, ip: "0.0.0.0", protocol: "udp", process: "dhclient", pid: 411 },
    ]);
  });

  test("as sockstat lists them", () => {
    const text =
      "USER     COMMAND    PID   FD PROTO  LOCAL ADDRESS         FOREIGN ADDRESS\nroot     sshd       812   3  tcp6   *:22                  *:*\nroot     syslogd    700   6  udp4   *:514                 *:*";
    expect(parse(flavour("sockstat"), text, {})).toEqual([
      { port: 22, ip: "*", protocol: "tcp", process: "sshd", pid: 812 },
      { port: 514, ip: "*", protocol: "udp", process: "syslogd", pid: 700 },
    ]);
  });

  test("a port belongs to whoever listens on that very number", () => {
    const netstat = server.Port.variant?.choose("netstat", { port: 22 });
    expect(
      netstat &&
        parse(netstat, "tcp 0 0 0.0.0.0:2222 0.0.0.0:* LISTEN 1/other\ntcp 0 0 0.0.0.0:22 0.0.0.0:* LISTEN 2/sshd", {
          port: 22,
        }),
    ).toEqual({ process: "sshd", pid: 2 });
    expect(
      parse(server.Port, 'UNCONN 0 0 0.0.0.0:53 0.0.0.0:* users:(("named",pid=7,fd=1))', { port: 53, protocol: "udp" }),
    ).toEqual({ process: "named", pid: 7 });
    expect(server.Port.command({ port: 53, protocol: "udp" }).wire()).toBe("ss -lpunH 'src :53'");
  });
});

test("processes as procps and as busybox list them", () => {
  const full =
    "  1 systemd\n 42 tmux: server\n--- full\n  1 root Ss 0.1 0.2 /sbin/init splash\n 42 ada S 0.0 0.0 tmux new -s main";
  expect(parse(server.Processes, full, {})).toEqual({
    1: { user: "root", state: "Ss", cpuPercent: 0.1, memPercent: 0.2, command: "systemd", args: "/sbin/init splash" },
    42: { user: "ada", state: "S", cpuPercent: 0, memPercent: 0, command: "tmux: server", args: "tmux new -s main" },
  });
  const brief = "PID   COMMAND\n    1 init\n--- brief\nPID   USER     STAT COMMAND\n    1 root     S    /sbin/init";
  expect(parse(server.Processes, brief, {})).toEqual({
    1: { user: "root", state: "S", command: "init", args: "/sbin/init" },
  });
});

test("uptime on Linux, FreeBSD and OpenBSD", () => {
  expect(parse(server.Uptime, "3600", {})).toBe(3600);
  expect(parse(server.Uptime, "1700003600\n{ sec = 1700000000, usec = 123 } Tue Nov 14 22:13:20 2023", {})).toBe(3600);
  expect(parse(server.Uptime, "1700003600\n1700000000", {})).toBe(3600);
  expect(() => parse(server.Uptime, "up 3 days", {})).toThrow(SyntaxError);
});

test("a time zone is the name that was set", () => {
  for (const [text, zone] of [
    ["/usr/share/zoneinfo/Europe/Oslo", "Europe/Oslo"],
    ["../usr/share/zoneinfo/posix/UTC", "UTC"],
    ["/var/db/timezone/zoneinfo/America/New_York", "America/New_York"],
    ["Asia/Tokyo", "Asia/Tokyo"],
  ]) {
    expect(parse(server.Timezone, text ?? "", {})).toBe(zone ?? "");
  }
});

describe("server.LinuxDistribution", () => {
  const of = (files: Readonly<Record<string, string>>) =>
    parse(
      server.LinuxDistribution,
      Object.entries(files)
        .map(([path, text]) => `/etc/${path}\n${text}${text && "\n"}---`)
        .join("\n"),
      {},
    );
  const named = (files: Readonly<Record<string, string>>) => {
    const { name, major, minor } = of(files);
    return [name, major, minor];
  };

  test("by os-release", () => {
    expect(
      named({
        "os-release":
          'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION="12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian',
      }),
    ).toEqual(["Debian", 12, undefined]);
    expect(
      named({
        "alpine-release": "3.19.1",
        "os-release": 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.19.1\nPRETTY_NAME="Alpine Linux v3.19"',
      }),
    ).toEqual(["Alpine", 3, 19]);
    expect(
      named({ "os-release": 'NAME="openSUSE Leap"\nVERSION="15.5"\nID="opensuse-leap"\nVERSION_ID="15.5"' }),
    ).toEqual(["openSUSE", 15, 5]);
    expect(
      named({
        "redhat-release": "Red Hat Enterprise Linux release 9.0 (Plow)",
        "os-release": 'NAME="Red Hat Enterprise Linux"\nVERSION="9.0 (Plow)"\nID="rhel"\nVERSION_ID="9.0"',
      }),
    ).toEqual(["RedHat", 9, 0]);
    expect(named({ "arch-release": "", "os-release": "NAME='Arch Linux'\nID=arch\nBUILD_ID=rolling" })).toEqual([
      "Arch Linux",
      undefined,
      undefined,
    ]);
    expect(of({ "os-release": 'NAME=X\nVERSION="1, Big Bird"\nQUOTED="a \\"b\\" \\$c"' }).releaseMeta).toEqual({
      NAME: "X",
      VERSION: "1, Big Bird",
      QUOTED: 'a "b" $c',
      CODENAME: "Big Bird",
    });
  });

  test("by the files of older releases", () => {
    expect(named({ "redhat-release": "Red Hat Enterprise Linux Server release 6.10 (Santiago)" })).toEqual([
      "RedHat",
      6,
      10,
    ]);
    expect(
      named({
        "fedora-release": "Fedora release 23 (Twenty Three)",
        "system-release": "Fedora release 23 (Twenty Three)",
      }),
    ).toEqual(["Fedora", 23, undefined]);
    expect(named({ "gentoo-release": "Gentoo Base System release 2.2" })).toEqual(["Gentoo", 2, 2]);
    expect(named({ "slackware-version": "Slackware 14.2" })).toEqual(["Slackware", 14, 2]);
    expect(of({ "os-release": "" })).toEqual({ releaseMeta: {} });
  });
});

test("settings of the kernel: numbers, lists, text, and what is too large for a number", () => {
  expect(
    parse(
      server.Sysctl,
      "fs.inode-state = 44565\t360\nkernel.hostname = h1\nkernel.shmmax = 18446744073692774399\nkern.boottime: { sec = 1 }\nkernel.domainname =\nnoise",
      {},
    ),
  ).toEqual({
    "fs.inode-state": [44565, 360],
    "kernel.hostname": "h1",
    "kernel.shmmax": "18446744073692774399",
    "kern.boottime: { sec": "1 }",
  });
});

test("limits: comments at the end of a line are not their value, and half a line is an error", () => {
  expect(parse(server.SecurityLimits, "@ops hard nofile 10 # why\n\n", {})).toEqual([
    { domain: "@ops", limitType: "hard", item: "nofile", value: "10" },
  ]);
  expect(() => parse(server.SecurityLimits, "ada hard", {})).toThrow(SyntaxError);
});

test("a module's size, users and state", () => {
  expect(
    parse(server.KernelModules, "ip_tables 32768 2 iptable_nat,iptable_filter, Live 0x0000000000000000 (E)", {}),
  ).toEqual({
    ip_tables: { size: "32768", instances: 2, state: "Live", depends: ["iptable_nat", "iptable_filter"] },
  });
});

test("SELinux, release and locale as their tools print them", () => {
  expect(
    parse(server.Selinux, "SELinux status:                 enabled\nSELinuxfs mount:  /sys/fs/selinux", {}),
  ).toEqual({ mode: "enabled" });
  expect(
    parse(
      server.LsbRelease,
      "Distributor ID:\tUbuntu\nDescription:\tUbuntu 18.04.2 LTS\nRelease:\t18.04\nCodename:\tbionic\nNo LSB modules",
      {},
    ),
  ).toEqual({ id: "Ubuntu", description: "Ubuntu 18.04.2 LTS", release: "18.04", codename: "bionic" });
  expect(parse(server.Locales, "C\nC.utf8\nen_GB.utf8", {})).toEqual(["C", "C.UTF-8", "en_GB.UTF-8"]);
});
