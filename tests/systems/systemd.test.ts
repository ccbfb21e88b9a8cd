import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Mounts, Ports, Processes, Sysctl, Uptime } from "../../src/facts/server/index.ts";
import { SystemdEnabled, SystemdStatus } from "../../src/facts/systemd.ts";
import { server, systemd } from "../../src/operations/index.ts";
import { apply, applyTwice, askFact, mustRun, type TestHost } from "../support/apply.ts";
import { type Hosts, type RaisedHost, raiseHosts } from "../support/hosts.ts";

/** A host that systemd booted: with a name, a network and mounts of its own. */
const on: { host: TestHost } = { host: { argv: () => [], exec: () => Promise.reject(new Error("Not raised")) } };
let raised: Hosts | undefined;
let host: RaisedHost;
const out = (line: string): Promise<string> => mustRun(on.host, line).then(text => text.trimEnd());
const write = (path: string, text: string): Promise<string> =>
  mustRun(on.host, `cat > ${path}`, new TextEncoder().encode(text));

beforeAll(async () => {
  raised = await raiseHosts({ count: 1, init: "systemd", packages: ["dbus-user-session", "hostname", "tzdata"] });
  const [first] = raised.hosts;
  if (!first) throw new Error("No host was raised");
  host = first;
  on.host = first;
  await mustRun(first, "systemctl is-system-running --wait || true");
}, 300_000);
afterAll(async () => raised?.down());

const isUp = (one: TestHost): boolean => {
  try {
    return one.argv("true").length > 0;
  } catch {
    return false;
  }
};

const UNIT =
  "[Unit]\nDescription=A test\n[Service]\nExecStart=/bin/sleep 1d\nExecReload=/bin/touch /run/reloaded\n[Install]\nWantedBy=multi-user.target\nAlias=other-name.service\n";

describe("systemd", () => {
  const pid = () => out("systemctl show --property MainPID --value web.service");
  beforeAll(() => write("/etc/systemd/system/web.service", UNIT));

  test("a service is started and enabled, stopped and disabled", async () => {
    await apply(systemd.daemonReload, {}, on);
    await applyTwice(systemd.service, { service: "web", enabled: true }, on);
    expect(await out("systemctl is-active web; systemctl is-enabled web")).toBe("active\nenabled");
    await applyTwice(systemd.service, { service: "web.service", running: false, enabled: false }, on);
    expect(await out("systemctl is-active web; systemctl is-enabled web || true")).toBe("inactive\ndisabled");
  });

  test("a running service is restarted and reloaded, one that was stopped only started", async () => {
    expect((await apply(systemd.service, { service: "web", restarted: true, reloaded: true }, on)).commands).toEqual([
      "systemctl start web.service",
    ]);
    const before = await pid();
    await apply(systemd.service, { service: "web", restarted: true, reloaded: true }, on);
    expect(await pid()).not.toBe(before);
    expect(await out("ls /run/reloaded")).toBe("/run/reloaded");
  });

  test("a changed unit file counts after a daemon reload, and any other command can be sent", async () => {
    await write("/etc/systemd/system/web.service", UNIT.replace("A test", "Another test"));
    await apply(systemd.service, { service: "web", daemonReload: true }, on);
    expect(await out("systemctl show --property Description --value web")).toBe("Another test");
    await apply(systemd.service, { service: "web", command: "kill --signal SIGKILL" }, on);
    await out("while systemctl is-active -q web; do sleep 0.1; done");
    await apply(systemd.service, { service: "web", running: null, command: "reset-failed" }, on);
    expect(await out("systemctl is-failed web || true")).toBe("inactive");
  });

  test("a unit is known by its alias too", async () => {
    await apply(systemd.service, { service: "web", enabled: true }, on);
    expect((await apply(systemd.service, { service: "other-name" }, on)).noops).toEqual([
      "service other-name.service is running",
    ]);
    expect(await askFact(SystemdStatus, { services: ["other-name.service", "ssh.service"] }, on.host)).toMatchObject({
      "web.service": true,
      "other-name.service": true,
      "ssh.service": true,
    });
  });

  test("timers, instances and units with strange names", async () => {
    await write("/etc/systemd/system/tick@.timer", "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n");
    await write("/etc/systemd/system/tick@.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n");
    const service = "tick@a\\x20b.timer";
    await applyTwice(systemd.service, { service, enabled: true, running: true }, on);
    expect(await out("systemctl is-active 'tick@a\\x20b.timer'; systemctl is-enabled 'tick@a\\x20b.timer'")).toBe(
      "active\nenabled",
    );
    await applyTwice(systemd.service, { service, enabled: false, running: false }, on);
    expect((await apply(systemd.service, { service: "-.mount" }, on)).changed).toBe(false);
  });

  test("a user's own services, also before the user has a manager", async () => {
    expect(await askFact(SystemdStatus, { userMode: true, services: ["own.service"] }, on.host)).toEqual({});
    await out(
      "loginctl enable-linger ops; mkdir -p ~ops/.config/systemd/user; chown -R ops: ~ops/.config; until systemctl --user --machine=ops@.host is-system-running 2>/dev/null | grep -q running; do sleep 0.2; done",
    );
    await write(
      "~ops/.config/systemd/user/own.service",
      "[Service]\nExecStart=/bin/sleep 1d\n[Install]\nWantedBy=default.target\n",
    );
    const own = { service: "own", userMode: true, userName: "ops" };
    await apply(systemd.daemonReload, { userMode: true, userName: "ops" }, on);
    await applyTwice(systemd.service, { ...own, enabled: true }, on);
    expect(
      await out("systemctl --user --machine=ops@.host is-active own; ps -o user= -C sleep | sort -u | grep ops"),
    ).toBe("active\nops");
    expect(
      await askFact(SystemdEnabled, { userMode: true, userName: "ops", services: "own.service" }, on.host),
    ).toEqual({ "own.service": true });
    await applyTwice(systemd.service, { ...own, running: false, enabled: false }, on);
  });

  test("server.service goes through systemd", async () => {
    expect((await applyTwice(server.service, { service: "web", running: false }, on)).commands).toEqual([
      "systemctl stop web.service",
    ]);
  });
});

describe("the host", () => {
  test("its name is set for good, through hostnamectl and without", async () => {
    await applyTwice(server.hostname, { hostname: "web-1.example.com" }, on);
    expect(await out("uname -n; cat /etc/hostname")).toBe("web-1.example.com\nweb-1.example.com");
    await out("mv /usr/bin/hostnamectl /usr/bin/hostnamectl.away");
    await applyTwice(server.hostname, { hostname: "web-2" }, on);
    expect(await out("uname -n; cat /etc/hostname")).toBe("web-2\nweb-2");
    await applyTwice(server.hostname, { hostname: "web-3", hostnameFile: false }, on);
    expect(await out("uname -n; cat /etc/hostname")).toBe("web-3\nweb-2");
    await out("mv /usr/bin/hostnamectl.away /usr/bin/hostnamectl");
  });

  test("its time zone is set through timedatectl", async () => {
    await applyTwice(server.timezone, { timezone: "Europe/Amsterdam" }, on);
    expect(await out("timedatectl show --property Timezone --value; date -d @0 +%Z")).toBe("Europe/Amsterdam\nCET");
    await applyTwice(server.timezone, { timezone: "UTC" }, on);
  });

  test("kernel settings are set now and for later, changed and changed back", async () => {
    const file = () => out("grep -v '^#' /etc/sysctl.conf | grep . || true");
    for (const value of [1, 0, "1"]) {
      await applyTwice(server.sysctl, { key: "net.ipv4.ip_forward", value, persist: true }, on);
      expect(await out("cat /proc/sys/net/ipv4/ip_forward")).toBe(String(value));
      expect(await file()).toBe(`net.ipv4.ip_forward = ${value}`);
    }
    await applyTwice(server.sysctl, { key: "net.ipv4.ip_local_port_range", value: [20000, 30000] }, on);
    expect(
      (await askFact(Sysctl, { keys: ["net.ipv4.ip_local_port_range"] }, on.host))["net.ipv4.ip_local_port_range"],
    ).toEqual([20000, 30000]);
    await applyTwice(
      server.sysctl,
      {
        key: "net.ipv4.tcp_congestion_control",
        value: "reno",
        persist: true,
        persistFile: "/etc/sysctl.d/9 it's.conf",
      },
      on,
    );
    expect(await out(`cat "/etc/sysctl.d/9 it's.conf"`)).toBe("net.ipv4.tcp_congestion_control = reno");
    expect(apply(server.sysctl, { key: "net.no.such", value: 1 }, on)).rejects.toThrow();
  });

  test("file systems are mounted, given other options, and unmounted", async () => {
    const path = "/srv/it's a disk";
    await out(`mkdir -p "${path}"`);
    await applyTwice(server.mount, { path, device: "tmpfs", fsType: "tmpfs", options: ["noatime"] }, on);
    expect((await askFact(Mounts, {}, on.host))[path]).toMatchObject({ type: "tmpfs", device: "tmpfs" });
    await applyTwice(server.mount, { path, options: ["noexec", "nosuid"] }, on);
    expect(await out(`findmnt -no OPTIONS "${path}"`)).toContain("nosuid,noexec");
    await applyTwice(server.mount, { path, mounted: false }, on);
    expect(await out(`findmnt "${path}" || echo none`)).toBe("none");
  });

  test("modules that are not there cannot be loaded, and need not be unloaded", async () => {
    expect((await apply(server.modprobe, { module: ["no_such", "nor-this"], present: false }, on)).noops).toEqual([
      "modules no_such/nor-this are not loaded",
    ]);
    expect(apply(server.modprobe, { module: "no_such" }, on)).rejects.toThrow();
  });

  test("a port is waited for, and a process is sent a signal", async () => {
    expect(apply(server.wait, { port: 2 }, { ...on, globals: { _timeout: 2 } })).rejects.toThrow();
    const waited = apply(server.wait, { port: 2222 }, { ...on, globals: { _timeout: 60 } });
    await out(
      "systemd-run --unit late --collect sh -c 'sleep 1; exec /usr/sbin/sshd -D -p 2222 -o ListenAddress=127.0.0.1'",
    );
    expect((await waited).changed).toBe(true);
    const port = (await askFact(Ports, {}, on.host)).find(one => one.port === 2222);
    expect(port).toMatchObject({ ip: "127.0.0.1", protocol: "tcp", process: "sshd" });
    const pid = port?.pid ?? 0;
    expect((await askFact(Processes, { pid }, on.host))[pid]?.user).toBe("root");
    await apply(server.kill, { pid, signal: "SIGTERM" }, on);
    await out(`while kill -0 ${pid} 2>/dev/null; do sleep 0.1; done`);
    expect(await out("while systemctl is-active -q late; do sleep 0.1; done; ss -ltnH 'src :2222' | wc -l")).toBe("0");
  });

  test("it restarts, and is waited for until it has started anew", async () => {
    const boot = await out("cat /proc/sys/kernel/random/boot_id");
    await out("touch /run/gone-after-boot");
    // While it is down it does not answer.
    const reachable: TestHost = {
      ...host,
      exec: line => host.exec(line),
      argv: line => (isUp(host) ? host.argv(line) : ["sh", "-c", "exit 255"]),
    };
    await apply(server.reboot, { delay: 0, interval: 0.2, rebootTimeout: 60 }, { host: reachable });
    expect(await out("cat /proc/sys/kernel/random/boot_id")).not.toBe(boot);
    expect(await out("ls /run/gone-after-boot 2>/dev/null || echo gone")).toBe("gone");
    expect(await askFact(Uptime, {}, on.host)).toBeGreaterThan(0);
    await out("until systemctl is-active -q other-name 2>/dev/null; do sleep 0.1; done");
    expect(await out("sysctl -n net.ipv4.ip_forward")).toBe("1");
  }, 120_000);
});
