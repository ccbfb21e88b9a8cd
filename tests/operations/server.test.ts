import { describe, expect, test } from "bun:test";
import { Secret, sh } from "../../src/core/command.ts";
import { ConnectError, HostKeyError } from "../../src/core/errors.ts";
import type { HostControl } from "../../src/core/host.ts";
import { Crontab } from "../../src/facts/crontab.ts";
import { Directory, File, FindInFile, Link } from "../../src/facts/files/index.ts";
import { PkgPackage, ServiceScript, ServiceStatus, Sysrc } from "../../src/facts/freebsd.ts";
import {
  Groups,
  Home,
  Hostname,
  Kernel,
  KernelModules,
  Locales,
  Mounts,
  Os,
  Sysctl,
  Users,
  Which,
} from "../../src/facts/server/index.ts";
import { crontab, freebsd, server } from "../../src/operations/index.ts";
import { foresee, type Stated } from "../support/fact-host.ts";

const homeIsThere: Stated = [Directory, { type: "directory", user: "ada", group: "ada", mode: "0755", size: 0 }];
const account = {
  home: "/home/ada",
  shell: "/bin/sh",
  group: "ada",
  groups: [],
  uid: 1,
  gid: 1,
  password: new Secret("old"),
};

describe("server.user", () => {
  const on = (os: string, users: object): readonly Stated[] => [[Users, users], [Groups, []], [Os, os], homeIsThere];

  test("a password is compared, set where it differs, and never shown", async () => {
    const changed = await foresee(server.user, { user: "ada", password: "it's $new" }, on("Linux", { ada: account }));
    expect(changed.commands).toEqual([`usermod -p 'it'"'"'s $new' ada`]);
    expect(String(changed.steps[0])).toBe("usermod -p *** ada");
    expect(
      (await foresee(server.user, { user: "ada", password: new Secret("old") }, on("Linux", { ada: account })))
        .commands,
    ).toEqual([]);
    expect(
      (await foresee(server.user, { user: "ada", password: "x", shell: "/bin/zsh" }, on("FreeBSD", { ada: account })))
        .commands,
    ).toEqual(["echo x | pw usermod -n ada -H 0", "pw usermod -n ada -s /bin/zsh"]);
  });

  test("secondary groups are replaced or added to, and left alone when none are given", async () => {
    const groups = async (args: object) =>
      (await foresee(server.user, { user: "ada", ...args }, on("Linux", { ada: { ...account, groups: ["a", "b"] } })))
        .commands;
    expect(await groups({})).toEqual([]);
    expect(await groups({ groups: ["b", "a"] })).toEqual([]);
    expect(await groups({ groups: ["a"] })).toEqual(["usermod -G a ada"]);
    expect(await groups({ groups: ["a"], append: true })).toEqual([]);
    expect(await groups({ groups: ["a", "c"], append: true })).toEqual(["usermod -a -G a,c ada"]);
  });

  test("who is not there need not be removed", async () => {
    expect((await foresee(server.user, { user: "ada", present: false }, on("Linux", {}))).noops).toEqual([
      "user ada does not exist",
    ]);
    expect(
      (
        await foresee(server.group, { group: "x", present: false }, [
          [Groups, []],
          [Os, "Linux"],
        ])
      ).noops,
    ).toEqual(["group x does not exist"]);
    expect((await foresee(server.user, { user: "toString" }, on("Linux", {}))).commands[0]).toBe(
      "useradd -d /home/toString -M toString",
    );
  });

  test("keys go to the home of a user who is yet to be made", async () => {
    const facts: readonly Stated[] = [
      [Home, undefined],
      [Directory, { type: "absent" }],
      [File, { type: "absent" }],
      [Link, { type: "absent" }],
      [FindInFile, []],
    ];
    const { commands } = await foresee(
      server.userAuthorizedKeys,
      { user: "new", publicKeys: "ssh-ed25519 AAAA x" },
      facts,
    );
    expect(commands[0]).toBe("mkdir -p /home/new/.ssh");
  });
});

test("mounts: devices, options that are there already, and how FreeBSD changes them", async () => {
  const mounted = { "/data": { device: "/dev/ada1", type: "ufs", options: ["rw", "noatime"] } };
  const commands = async (args: object, kernel = "Linux") =>
    (
      await foresee(server.mount, { path: "/data", ...args }, [
        [Mounts, mounted],
        [Kernel, kernel],
      ])
    ).commands;
  expect(await commands({ options: ["noatime"] })).toEqual([]);
  expect(await commands({ options: ["noatime", "ro"] })).toEqual(["mount -o remount,noatime,ro /data"]);
  expect(await commands({ options: ["ro"] }, "FreeBSD")).toEqual(["mount -o update,ro -t ufs /dev/ada1 /data"]);
  expect(commands({ options: ["ro,rw"] })).rejects.toThrow("one option per item");
});

test("modules by either spelling of their names", async () => {
  const loaded: readonly Stated[] = [[KernelModules, { br_netfilter: {}, overlay: {} }]];
  expect((await foresee(server.modprobe, { module: ["br-netfilter", "overlay"] }, loaded)).commands).toEqual([]);
  expect((await foresee(server.modprobe, { module: ["overlay", "-x"], force: true }, loaded)).commands).toEqual([
    "modprobe -f -a -- -x",
  ]);
});

test("kernel settings compare as what they say, not as how they are written", async () => {
  const at = async (value: string | readonly number[], existing: unknown) =>
    (await foresee(server.sysctl, { key: "k.x", value }, [[Sysctl, { "k.x": existing }]])).commands;
  expect(await at("1 2", [1, 2])).toEqual([]);
  expect(await at([5], 5)).toEqual([]);
  expect(await at("18446744073709551615", "18446744073709551615")).toEqual([]);
  expect(await at("it's", undefined)).toEqual([`sysctl 'k.x=it'"'"'s'`]);
  expect(foresee(server.sysctl, { key: "a b", value: 1 }, [])).rejects.toThrow("cannot be the name of a setting");
});

test("a hostname needs no file where hostnamectl keeps it, or where none is wanted", async () => {
  const facts = (ctl: string | undefined): readonly Stated[] => [
    [Hostname, "old"],
    [Which, ctl],
    [Os, "Linux"],
    [Directory, { type: "absent" }, { path: "/etc/hostname" }],
    [File, { type: "absent" }],
    [Directory, { type: "directory", user: "root", group: "root", mode: "0755", size: 0 }],
    [Link, { type: "absent" }],
  ];
  expect((await foresee(server.hostname, { hostname: "-x" }, facts("/bin/hostnamectl"))).commands).toEqual([
    "hostnamectl set-hostname -- -x",
  ]);
  expect((await foresee(server.hostname, { hostname: "new", hostnameFile: false }, facts(undefined))).commands).toEqual(
    ["hostname new"],
  );
  expect((await foresee(server.hostname, { hostname: "new" }, facts(undefined))).commands).toEqual([
    "hostname new",
    "upload /etc/hostname",
  ]);
});

test("a locale that is listed in another spelling is there", async () => {
  const facts: readonly Stated[] = [
    [Locales, ["de_DE.iso885915@euro", "C.UTF-8"]],
    [FindInFile, ["de_DE.ISO-8859-15@euro ISO-8859-15"]],
  ];
  expect((await foresee(server.locale, { locale: "de_DE.ISO-8859-15@euro" }, facts)).noops).toEqual([
    "locale de_DE.ISO-8859-15@euro is enabled",
  ]);
  expect(foresee(server.locale, { locale: "x; id" }, facts)).rejects.toThrow("wanted is the name of one");
});

test("commands are text as it stands, or commands whose holes are quoted", async () => {
  expect((await foresee(server.shell, { commands: ["  a | b ", sh`rm ${"it's"}`] }, [])).commands).toEqual([
    "a | b",
    `rm 'it'"'"'s'`,
  ]);
  expect(foresee(server.shell, { commands: [5 as unknown as string] }, [])).rejects.toThrow(
    "`commands` must be strings",
  );
  for (const args of [{ pid: 0 }, { pid: -1 }, { pid: 1.5 }, { pid: 1, signal: "-9; id" }])
    expect(foresee(server.kill, args, [])).rejects.toThrow();
  for (const port of [0, 65_536, 1.5])
    expect(foresee(server.wait, { port }, [])).rejects.toThrow("wanted is a number from 1 to 65535");
});

describe("server.reboot", () => {
  /** A host whose clock the test moves: what it answers when it was started, or why it does not answer. */
  const machine = (answers: readonly (string | Error)[]) => {
    const log: string[] = [];
    let now = 0;
    let at = -1;
    const host = {
      name: "web-1",
      now: () => now,
      sleep: async (seconds: number) => void ((now += seconds * 1000), log.push(`sleep ${seconds}`)),
      disconnect: async () => void log.push("disconnect"),
      connect: async () => {
        const answer = answers[Math.min(++at, answers.length - 1)];
        log.push("connect");
        if (answer instanceof Error) throw answer;
      },
      run: async () => ({ stdout: at < 0 ? "before\n" : `${String(answers[Math.min(at, answers.length - 1)])}\n` }),
    } as unknown as HostControl;
    return { host, log };
  };
  const run = async ({ host }: { readonly host: HostControl }, args = {}) => {
    for (const step of (await foresee(server.reboot, { delay: 3, interval: 2, rebootTimeout: 20, ...args }, [])).steps)
      if (step.kind === "function") await step.run(host);
  };
  const refused = new ConnectError("Connection refused", { retryable: true });

  test("waits while the host still goes down, while it is away, and until it was started anew", async () => {
    const away = machine(["before", refused, refused, "after"]);
    await run(away);
    expect(away.log).toEqual([
      "sleep 3",
      "disconnect",
      "connect",
      "sleep 2",
      "disconnect",
      "connect",
      "sleep 2",
      "disconnect",
      "connect",
      "sleep 2",
      "disconnect",
      "connect",
    ]);
  });

  test("gives up after its time, and at once when another host answers", async () => {
    expect(run(machine([refused]))).rejects.toThrow("The host is not back after 20 seconds");
    expect(run(machine(["before"]))).rejects.toThrow("not back");
    expect(run(machine([new HostKeyError("The host key changed")]))).rejects.toThrow("The host key changed");
    expect(run(machine(["after"]), { interval: -1 })).rejects.toThrow("`interval` is -1");
  });

  test("the command may take the connection with it", async () => {
    const { steps } = await foresee(server.reboot, {}, []);
    expect(steps.find(step => step.kind === "configured")).toMatchObject({ arguments: { _successExitCodes: [0, -1] } });
  });
});

describe("crontab", () => {
  const entry = { command: "run", minute: 5, hour: "*", dayOfMonth: "*", month: "*", dayOfWeek: "*", comments: [] };

  test("a time is equal in whatever form it is given", async () => {
    for (const minute of [5, "5", ["5"]])
      expect((await foresee(crontab.crontab, { command: "run", minute }, [[Crontab, [entry]]])).noops).toEqual([
        "crontab run exists",
      ]);
    const daily = { command: "run", specialTime: "@daily", comments: [] };
    expect(
      (await foresee(crontab.crontab, { command: "run", specialTime: "@daily" }, [[Crontab, [daily]]])).commands,
    ).toEqual([]);
    expect((await foresee(crontab.crontab, { command: "gone", present: false }, [[Crontab, [entry]]])).noops).toEqual([
      "crontab gone does not exist",
    ]);
  });

  test("settings, indented lines and tabs are read, and half an entry is an error", () => {
    expect(Crontab.parse(['"PATH with" = /bin', "\t@reboot   go  on ", " 01 2\t* * mon-fri  x  y"], {})).toEqual([
      { env: '"PATH with" = /bin', comments: [] },
      { command: "go  on", specialTime: "@reboot", comments: [] },
      { command: "x  y", minute: 1, hour: 2, dayOfMonth: "*", month: "*", dayOfWeek: "mon-fri", comments: [] },
    ]);
    expect(() => Crontab.parse(["1 2 3"], {})).toThrow(SyntaxError);
  });
});

describe("freebsd", () => {
  test("packages", async () => {
    expect(
      (await foresee(freebsd.pkg.install, { package: "vim", jail: "a b" }, [[PkgPackage, "vim-9"]])).noops,
    ).toEqual(["Package 'vim' already installed"]);
    expect(
      (await foresee(freebsd.pkg.remove, { package: "-x", jail: "a b" }, [[PkgPackage, "-x-1"]])).commands,
    ).toEqual(["pkg -j 'a b' remove -y -- -x"]);
    expect((await foresee(freebsd.pkg.upgrade, { force: true, repoName: "r" }, [])).commands).toEqual([
      "pkg upgrade -y -f -r r",
    ]);
    expect((await foresee(freebsd.pkg.update, { force: true }, [])).commands).toEqual(["pkg update -f"]);
    expect((await foresee(freebsd.pkg.clean, { allPkg: true }, [])).commands).toEqual(["pkg clean -y -a"]);
  });

  test("services", async () => {
    const facts = (status: string | undefined): readonly Stated[] => [
      [ServiceScript, "web"],
      [ServiceStatus, status],
    ];
    expect((await foresee(freebsd.service.service, { srvName: "web" }, facts("running"))).noops).toEqual([
      "Service 'web' already started",
    ]);
    expect(
      (await foresee(freebsd.service.service, { srvName: "web", srvState: "stopped" }, facts(undefined))).noops,
    ).toEqual(["Service 'web' already stopped"]);
    expect(
      (
        await foresee(
          freebsd.service.service,
          {
            srvName: "web",
            srvState: "custom",
            command: ["a", "b c"],
            environment: ["X=1 2"],
            verbose: true,
            jail: "j",
          },
          facts("running"),
        )
      ).commands,
    ).toEqual(["service -v -j j -E 'X=1 2' web a 'b c'"]);
    expect((await foresee(freebsd.service.service, { srvName: "no" }, [[ServiceScript, undefined]])).noops).toEqual([
      "Cannot find rc(8) script 'no'",
    ]);
    expect(
      foresee(freebsd.service.service, { srvName: "web", srvState: "up" as "started" }, facts("running")),
    ).rejects.toThrow("Invalid service command: up");
  });

  test("settings of rc.conf", async () => {
    const commands = async (args: Parameters<typeof freebsd.sysrc.sysrc.steps>[1], value?: string) =>
      (await foresee(freebsd.sysrc.sysrc, args, [[Sysrc, value]])).commands;
    expect(await commands({ parameter: "x_enable", value: "YES" }, "NO")).toEqual([]);
    expect(await commands({ parameter: "x_enable", value: "YES", overwrite: true }, "NO")).toEqual([
      "sysrc -i -- x_enable=YES",
    ]);
    expect(await commands({ parameter: "x_enable", value: "YES", overwrite: true }, "YES")).toEqual([]);
    expect(await commands({ parameter: "list", value: "a b", command: "sub", jail: "j" })).toEqual([
      "sysrc -i -j j -- 'list-=a b'",
    ]);
    expect(commands({ parameter: "list", command: "add" })).rejects.toThrow("`value` is needed");
    expect(commands({ parameter: "a=b", value: "c" })).rejects.toThrow("cannot be the name of a setting");
  });

  test("updates of the system", async () => {
    const args = {
      force: true,
      baseDir: "/b",
      workDir: "/w",
      confFile: "/c",
      jail: "j",
      key: "k",
      currentlyRunning: "13.2-RELEASE",
      server: "s",
    };
    expect((await foresee(freebsd.freebsdUpdate.update, args, [])).commands).toEqual([
      "PAGER=cat freebsd-update --not-running-from-cron -F -b /b -d /w -f /c -j j -k k --currently-running 13.2-RELEASE -s s fetch install",
    ]);
  });
});
