import { describe, expect, test } from "bun:test";
import type { OperationDefinition } from "../../src/core/operation.ts";
import type { Fact } from "../../src/core/fact.ts";
import { RcdEnabled, RcdStatus } from "../../src/facts/bsdinit.ts";
import { Directory, File, FindInFile, FindLinks, Link } from "../../src/facts/files/index.ts";
import { LaunchdStatus } from "../../src/facts/launchd.ts";
import { OpenrcEnabled, OpenrcStatus } from "../../src/facts/openrc.ts";
import { RunitManaged, RunitStatus } from "../../src/facts/runit.ts";
import { S6LiveStatus, S6RepositoryList, S6SetStatus } from "../../src/facts/s6.ts";
import { LinuxDistribution, Os, Which } from "../../src/facts/server/index.ts";
import type { ServiceStatuses } from "../../src/facts/shared/services.ts";
import { SupervisorctlStatus } from "../../src/facts/supervisorctl.ts";
import { SystemdEnabled, SystemdStatus } from "../../src/facts/systemd.ts";
import { InitdStatus } from "../../src/facts/sysvinit.ts";
import { UpstartStatus } from "../../src/facts/upstart.ts";
import {
  bsdinit,
  launchd,
  openrc,
  runit,
  s6,
  server,
  supervisorctl,
  systemd,
  sysvinit,
  upstart,
} from "../../src/operations/index.ts";
import type { ServiceArguments } from "../../src/operations/shared/services.ts";
import { foresee, type Stated } from "../support/fact-host.ts";

/** A service manager: its operation, the fact with statuses, how it spells commands, the service's name in its facts. */
interface Family {
  readonly name: string;
  readonly operation: OperationDefinition<ServiceArguments>;
  readonly status: Fact<never, ServiceStatuses>;
  readonly others?: readonly Stated[];
  command(word: string): string;
  readonly key?: string;
}
const family = (given: Omit<Family, "operation"> & { readonly operation: unknown }): Family => given as Family;

const FAMILIES: readonly Family[] = [
  family({
    name: "systemd",
    operation: systemd.service,
    status: SystemdStatus,
    command: word => `systemctl ${word} web.service`,
    key: "web.service",
  }),
  family({
    name: "openrc",
    operation: openrc.service,
    status: OpenrcStatus,
    command: word => `rc-service web ${word}`,
  }),
  family({
    name: "sysvinit",
    operation: sysvinit.service,
    status: InitdStatus,
    command: word => `/etc/init.d/web ${word}`,
  }),
  family({
    name: "upstart",
    operation: upstart.service,
    status: UpstartStatus,
    command: word => `initctl ${word} web`,
  }),
  family({
    name: "bsdinit on FreeBSD",
    operation: bsdinit.service,
    status: RcdStatus,
    others: [[Os, "FreeBSD"]],
    command: word => `test -e /etc/rc.d/web && /etc/rc.d/web ${word} || /usr/local/etc/rc.d/web ${word}`,
  }),
  family({
    name: "bsdinit on OpenBSD",
    operation: bsdinit.service,
    status: RcdStatus,
    others: [[Os, "OpenBSD"]],
    command: word => `rcctl ${word} web`,
  }),
  family({
    name: "runit",
    operation: runit.service,
    status: RunitStatus,
    others: [
      [RunitManaged, ["web"]],
      [File, { type: "absent" }],
      [Link, { type: "link", linkTarget: "/etc/sv/web" }],
    ],
    command: word => `SVDIR=/var/service sv ${word} web`,
  }),
];

for (const { name, operation, status, others = [], command, key = "web" } of FAMILIES) {
  describe(name, () => {
    const commands = async (
      args: Omit<ServiceArguments, "service">,
      runs: boolean | null | undefined,
    ): Promise<readonly string[]> =>
      (
        await foresee(operation, { service: "web", ...args }, [
          [status, runs === undefined ? {} : { [key]: runs }],
          ...others,
        ])
      ).commands;

    test("is started when it does not run, whatever else its status", async () => {
      for (const runs of [false, null, undefined]) expect(await commands({}, runs)).toEqual([command("start")]);
      expect(await commands({}, true)).toEqual([]);
    });

    test("is stopped only when it runs", async () => {
      expect(await commands({ running: false }, true)).toEqual([command("stop")]);
      for (const runs of [false, null, undefined]) expect(await commands({ running: false }, runs)).toEqual([]);
    });

    test("is restarted and reloaded only when it ran before", async () => {
      expect(await commands({ restarted: true, reloaded: true }, true)).toEqual([
        command("restart"),
        command("reload"),
      ]);
      expect(await commands({ restarted: true, reloaded: true }, false)).toEqual([command("start")]);
    });

    test("is left as it is with `running: null`", async () => {
      expect(await commands({ running: null }, false)).toEqual([]);
      expect(await commands({ running: null, restarted: true }, true)).toEqual([command("restart")]);
    });

    test("is sent another command, its words apart and quoted", async () => {
      expect(await commands({ command: "force-reload now;id" }, true)).toEqual([command("force-reload 'now;id'")]);
    });
  });
}

test("systemd: scopes, aliases and units that are not services", async () => {
  const active: readonly Stated[] = [[SystemdStatus, { "dbus.service": true, "-.mount": false }]];
  expect((await foresee(systemd.service, { service: "dbus", userMode: true, userName: "ada" }, active)).noops).toEqual([
    "service dbus.service is running",
  ]);
  expect(
    (await foresee(systemd.service, { service: "-.mount", userMode: true, machine: "box", userName: "ada" }, active))
      .commands,
  ).toEqual(["systemctl --user --machine=ada@box start -- -.mount"]);
  expect((await foresee(systemd.daemonReload, { userName: "ada" }, [])).commands).toEqual([
    "systemctl --machine=ada@.host daemon-reload",
  ]);
  const alias = SystemdStatus.parse(
    ["Id=mariadb.service", "SubState=running", "", "Id=cron.service", "SubState=dead"],
    { services: ["mysql.service", "cron.service"] },
  );
  expect(alias).toEqual({ "mariadb.service": true, "mysql.service": true, "cron.service": false });
  const wants = async (enabled: boolean, isEnabled: boolean) =>
    (
      await foresee(systemd.service, { service: "web", running: null, enabled }, [
        [SystemdStatus, {}],
        [SystemdEnabled, { "web.service": isEnabled }],
      ])
    ).commands;
  expect([
    await wants(true, true),
    await wants(true, false),
    await wants(false, true),
    await wants(false, false),
  ]).toEqual([[], ["systemctl enable web.service"], ["systemctl disable web.service"], []]);
});

test("openrc: run levels", async () => {
  const facts: readonly Stated[] = [
    [OpenrcStatus, { web: true }, { runLevel: "boot" }],
    [OpenrcEnabled, { web: true }, { runLevel: "boot" }],
  ];
  expect((await foresee(openrc.service, { service: "web", enabled: true, runLevel: "boot" }, facts)).noops).toEqual([
    "service web is running",
    "service web is enabled",
  ]);
  expect((await foresee(openrc.service, { service: "web", enabled: false, runLevel: "boot" }, facts)).commands).toEqual(
    ["rc-update del web boot"],
  );
  expect(OpenrcEnabled.parse(["  web |  boot default", " off |"], { runLevel: "boot" })).toEqual({
    web: true,
    off: false,
  });
});

test("sysvinit: only the links of that service, and the distribution's own tool", async () => {
  const enable = async (enabled: boolean, links: readonly string[], name: string) =>
    (
      await foresee(sysvinit.service, { service: "web", running: null, enabled }, [
        [InitdStatus, {}],
        [FindLinks, links],
        [LinuxDistribution, { name, releaseMeta: {} }],
      ])
    ).commands;
  expect(await enable(false, ["/etc/rc2.d/S01my-web", "/etc/rc2.d/S20web", "/etc/rc3.d/Sweb"], "Debian")).toEqual([
    "rm -f /etc/rc2.d/S20web",
    "rm -f /etc/rc3.d/Sweb",
  ]);
  expect(await enable(true, ["/etc/rc2.d/S01my-web"], "Debian")).toEqual(["update-rc.d web defaults"]);
  expect(await enable(true, [], "RedHat")).toEqual(["chkconfig web --add", "chkconfig web on"]);
  expect(await enable(true, [], "Gentoo")).toEqual(["rc-update add web default"]);
  expect(await enable(true, [], "Other")).toEqual([]);
  expect(enable(true, ["/etc/rc2.d/S20web"], "Debian")).resolves.toEqual([]);
  expect(foresee(sysvinit.service, { service: "../x" }, [])).rejects.toThrow("cannot be the name of a script");
});

test("upstart: an override file disables", async () => {
  const facts: readonly Stated[] = [
    [UpstartStatus, { web: true }],
    [File, { type: "absent" }],
    [Directory, { type: "directory", user: "root", group: "root", mode: "0755", size: 0 }],
  ];
  expect((await foresee(upstart.service, { service: "web", enabled: true }, facts)).commands).toEqual([]);
  expect(
    UpstartStatus.parse(
      ["network-interface (lo) start/running", "tty1 start/running, process 1", "rc stop/waiting"],
      {},
    ),
  ).toEqual({ "network-interface": true, tty1: true, rc: false });
});

test("OpenBSD enables by rcctl, before it starts and after it stops", async () => {
  const facts = (enabled: boolean): readonly Stated[] => [
    [Os, "OpenBSD"],
    [RcdStatus, { web: enabled }],
    [RcdEnabled, enabled ? { web: true } : {}],
  ];
  expect((await foresee(bsdinit.service, { service: "web", enabled: true }, facts(false))).commands).toEqual([
    "rcctl enable web",
    "rcctl start web",
  ]);
  expect(
    (await foresee(bsdinit.service, { service: "web", running: false, enabled: false }, facts(true))).commands,
  ).toEqual(["rcctl stop web", "rcctl disable web"]);
  const freebsd: readonly Stated[] = [
    [Os, "FreeBSD"],
    [RcdStatus, { web: true }],
    [FindInFile, ['web_enable="YES"']],
  ];
  expect((await foresee(bsdinit.service, { service: "web", enabled: true }, freebsd)).noops.at(-1)).toContain("exists");
});

test("launchd has no restart of its own", async () => {
  expect(
    (await foresee(launchd.service, { service: "org.web", restarted: true }, [[LaunchdStatus, { "org.web": true }]]))
      .commands,
  ).toEqual(["launchctl stop org.web", "launchctl start org.web"]);
  expect(LaunchdStatus.parse(["PID\tStatus\tLabel", "412\t0\torg.web", "-\t0\torg.off"], {})).toEqual({
    "org.web": true,
    "org.off": false,
  });
});

test("runit: a service that is new does not start before it is known whether it should", async () => {
  const facts: readonly Stated[] = [
    [RunitManaged, []],
    [File, { type: "absent" }],
    [Link, { type: "absent" }],
    [RunitStatus, { web: false }],
  ];
  const { commands } = await foresee(runit.service, { service: "web", running: false }, facts);
  expect(commands[0]).toBe("touch /etc/sv/web/down");
  expect(commands[1]).toBe("ln -s /etc/sv/web /var/service/web");
  expect(commands[2]).toContain("for i in $(seq 10)");
  expect(
    RunitStatus.parse(
      ["run: a: (pid 1) 5s; run: log: (pid 2) 5s", "down: b: 1s, normally up", "fail: c: runsv not running"],
      {},
    ),
  ).toEqual({ a: true, b: false, c: null });
});

test("s6: only the services that need it are touched", async () => {
  const facts: readonly Stated[] = [
    [S6LiveStatus, { up: true, down: false }],
    [S6SetStatus, { up: "active", down: "usable" }],
    [S6RepositoryList, ["old"]],
  ];
  const services = ["up", "down"];
  expect((await foresee(s6.service, { services }, facts)).commands).toEqual(["s6 live start down"]);
  expect((await foresee(s6.service, { services, running: false, enabled: false }, facts)).commands).toEqual([
    "s6 live stop up",
    "s6 set disable up",
  ]);
  expect(
    (await foresee(s6.service, { services, running: null, restarted: true, reloaded: true }, facts)).commands,
  ).toEqual(["s6 live restart up", "s6 process kill -s SIGHUP up"]);
  expect(
    (
      await foresee(
        s6.service,
        { services: "up", running: null, enabled: true, repo: "/r", set: "s", enabledRx: "always" },
        facts,
      )
    ).commands,
  ).toEqual(["s6-rc-set-change -r /r s always up"]);
  expect((await foresee(s6.service, { services: "up", enabled: true }, facts)).commands).toEqual([]);
  expect((await foresee(s6.set, { set: "old" }, facts)).noops).toEqual(["set old already exists"]);
  expect((await foresee(s6.set, { set: "old", forceSave: true }, facts)).commands).toEqual(["s6 set save -f old"]);
  expect((await foresee(s6.set, { set: "old", present: false }, facts)).commands).toEqual(["s6 set delete old"]);
  expect((await foresee(s6.set, { set: "new" }, facts)).commands).toEqual(["s6 set save new"]);
  expect(foresee(s6.service, { services: "up", enabledRx: "no" as "active" }, facts)).rejects.toThrow(
    'it must be either "active" or "always"',
  );
  expect(S6LiveStatus.parse(["web/up", "db/down"], {})).toEqual({ web: true, db: false });
  expect(S6SetStatus.parse(["web/active", "db/masked"], {})).toEqual({ web: "active", db: "masked" });
  expect(S6RepositoryList.parse(["current", "old"], {})).toEqual(["old"]);
});

test("supervisorctl: groups, a password that is not shown, and processes that do not stay up", async () => {
  const facts: readonly Stated[] = [[SupervisorctlStatus, { "w:a": true, "w:b": false, web: null }]];
  expect((await foresee(supervisorctl.process, { process: "w:*" }, facts)).commands).toEqual([
    "supervisorctl start 'w:*'",
  ]);
  expect(
    (await foresee(supervisorctl.process, { process: "w:*", running: false, restarted: true }, facts)).commands,
  ).toEqual(["supervisorctl stop 'w:*'", "supervisorctl restart 'w:*'"]);
  expect((await foresee(supervisorctl.process, { process: "web", running: false }, facts)).noops).toEqual([
    "process web is stopped",
  ]);
  const { steps } = await foresee(
    supervisorctl.signal,
    { signal: "HUP", process: "web", serverUrl: "unix:///s", username: "ada", password: "it's" },
    facts,
  );
  expect(String(steps[0])).toBe("supervisorctl --serverurl unix:///s --username ada --password *** signal HUP web");
  expect(
    SupervisorctlStatus.parse(
      [
        "web RUNNING pid 1, uptime 0:00:01",
        "w:a STARTING",
        "x FATAL Exited too quickly",
        "y STOPPED Not started",
        "unix:///s no such file",
      ],
      {},
    ),
  ).toEqual({ web: true, "w:a": true, x: null, y: false });
});

test("server.service finds the service manager", async () => {
  const facts = (programs: readonly string[], { initd = false, os = "Linux" } = {}): readonly Stated[] => [
    ...["systemctl", "rc-service", "initctl", "sv", "service"].map((command): Stated => [
      Which,
      programs.includes(command) ? `/bin/${command}` : undefined,
      { command },
    ]),
    [Link, { type: "absent" }],
    [Directory, { type: initd ? "directory" : "absent" }, { path: "/etc/init.d" }],
    [Directory, { type: os === "Linux" ? "absent" : "directory" }, { path: "/etc/rc.d" }],
    [Os, os],
    ...FAMILIES.map(({ status }): Stated => [status, {}]),
    [RunitManaged, ["web"]],
    [File, { type: "absent" }],
  ];
  const first = async (given: readonly Stated[]) =>
    (await foresee(server.service, { service: "web" }, given)).commands.at(-1);
  expect(await first(facts(["systemctl", "sv", "service"]))).toBe("systemctl start web.service");
  expect(await first(facts(["rc-service", "service"], { initd: true }))).toBe("rc-service web start");
  expect(await first(facts(["initctl"]))).toBe("initctl start web");
  expect(await first(facts(["sv"], { initd: true }))).toBe("SVDIR=/var/service sv start web");
  expect(await first(facts(["service"], { initd: true }))).toBe("/etc/init.d/web start");
  expect(await first(facts(["service"], { os: "FreeBSD" }))).toContain("/usr/local/etc/rc.d/web start");
  expect(first(facts([]))).rejects.toThrow("No init system found");
});
