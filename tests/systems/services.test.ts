import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { OpenrcStatus } from "../../src/facts/openrc.ts";
import { RunitManaged, RunitStatus } from "../../src/facts/runit.ts";
import { SupervisorctlStatus } from "../../src/facts/supervisorctl.ts";
import { InitdStatus } from "../../src/facts/sysvinit.ts";
import { openrc, runit, supervisorctl, sysvinit } from "../../src/operations/index.ts";
import { apply, applyTwice, askFact, mustRun, type TestHost } from "../support/apply.ts";
import { type Hosts, raiseHosts } from "../support/hosts.ts";

/** A host with the service managers of Debian that need not be its first process. */
const on: { host: TestHost } = { host: { argv: () => [], exec: () => Promise.reject(new Error("Not raised")) } };
let raised: Hosts | undefined;
const out = (line: string): Promise<string> => mustRun(on.host, line).then(text => text.trimEnd());
const write = (path: string, text: string, mode = "644"): Promise<string> =>
  mustRun(on.host, `cat > ${path} && chmod ${mode} ${path}`, new TextEncoder().encode(text));
/** What runs stays the same, or does not. */
const pid = (pattern: string) => out(`pgrep -xf '${pattern}' || true`);

beforeAll(async () => {
  raised = await raiseHosts({ count: 1, packages: ["openrc", "runit", "supervisor"] });
  const [first] = raised.hosts;
  if (!first) throw new Error("No host was raised");
  on.host = first;
}, 300_000);
afterAll(async () => raised?.down());

describe("sysvinit", () => {
  const daemon = "start-stop-daemon --oknodo --quiet --pidfile /run/web.pid";
  const script = `#!/bin/sh
### BEGIN INIT INFO
# Provides:          web
# Required-Start:
# Required-Stop:
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: A test
### END INIT INFO
case "$1" in
  start) ${daemon} --start --background --make-pidfile --exec /bin/sleep -- 1001 ;;
  stop) ${daemon} --stop --retry 5 ;;
  restart) "$0" stop; "$0" start ;;
  reload) touch /run/web.reloaded ;;
  status) start-stop-daemon --status --pidfile /run/web.pid ;;
  *) echo "$*" > /run/web.command ;;
esac
`;
  beforeAll(() => write("/etc/init.d/web", script, "755"));
  const links = () =>
    readdirSync(join(on.host.root ?? "", "etc"))
      .filter(name => /^rc\d\.d$/.test(name))
      .sort()
      .flatMap(name =>
        readdirSync(join(on.host.root ?? "", "etc", name))
          .filter(link => link.endsWith("web"))
          .map(link => `${name}/${link}`),
      );

  test("a service is started, restarted, reloaded, sent a command, and stopped", async () => {
    await applyTwice(sysvinit.service, { service: "web" }, on);
    const first = await pid("/bin/sleep 1001");
    expect(first).not.toBe("");
    expect((await askFact(InitdStatus, {}, on.host))["web"]).toBe(true);
    await apply(sysvinit.service, { service: "web", restarted: true, reloaded: true, command: "two words" }, on);
    expect(await pid("/bin/sleep 1001")).not.toBe(first);
    expect(await out("ls /run/web.reloaded; cat /run/web.command")).toBe("/run/web.reloaded\ntwo words");
    await applyTwice(sysvinit.service, { service: "web", running: false }, on);
    expect(await pid("/bin/sleep 1001")).toBe("");
  });

  test("a service is enabled and disabled, and not for the sake of another whose name ends alike", async () => {
    await write("/etc/init.d/my-web", script.replace("Provides:          web", "Provides:          my-web"), "755");
    await out("update-rc.d my-web defaults");
    await applyTwice(sysvinit.service, { service: "web", running: null, enabled: true }, on);
    expect(links().filter(link => /\/S\d+web$/.test(link))).toHaveLength(4);
    await applyTwice(sysvinit.service, { service: "web", running: null, enabled: false }, on);
    expect(links().filter(link => /\/S\d+web$/.test(link))).toEqual([]);
    expect(links().filter(link => /\/S\d+my-web$/.test(link))).toHaveLength(4);
  });

  test("run levels are chosen by links", async () => {
    await out("rm -f /etc/rc*.d/*web");
    await applyTwice(
      sysvinit.enable,
      { service: "web", startPriority: 15, startLevels: [3, 5], stopPriority: 85, stopLevels: [0, "S"] },
      on,
    );
    expect(links()).toEqual(["rc0.d/K85web", "rc3.d/S15web", "rc5.d/S15web"]);
    expect(await out("readlink /etc/rc3.d/S15web /etc/rcS.d/K85web")).toBe("/etc/init.d/web\n/etc/init.d/web");
  });
});

describe("openrc", () => {
  beforeAll(async () => {
    await write(
      "/etc/init.d/oweb",
      '#!/sbin/openrc-run\ncommand=/bin/sleep\ncommand_args=1002\ncommand_background=true\npidfile=/run/oweb.pid\nextra_started_commands="reload"\nreload() { touch /run/oweb.reloaded; }\n',
      "755",
    );
    await out("mkdir -p /run/openrc && touch /run/openrc/softlevel");
  });

  test("a service is enabled and started, restarted and reloaded, stopped and disabled", async () => {
    await applyTwice(openrc.service, { service: "oweb", running: null, enabled: true }, on);
    expect(await out("rc-update show -v | grep oweb")).toContain("default");
    await applyTwice(openrc.service, { service: "oweb", enabled: true }, on);
    const first = await pid("/bin/sleep 1002");
    expect((await askFact(OpenrcStatus, {}, on.host))["oweb"]).toBe(true);
    await apply(openrc.service, { service: "oweb", restarted: true, reloaded: true }, on);
    expect(await pid("/bin/sleep 1002")).not.toBe(first);
    expect(await out("ls /run/oweb.reloaded")).toBe("/run/oweb.reloaded");
    await applyTwice(openrc.service, { service: "oweb", running: false }, on);
    expect(await pid("/bin/sleep 1002")).toBe("");
    await applyTwice(openrc.service, { service: "oweb", running: false, enabled: false }, on);
    expect(await out("rc-update show -v | grep oweb | grep -c default || true")).toBe("0");
  });
});

describe("runit", () => {
  const dirs = { svDir: "/srv/sv run", sourceDir: "/srv/sv" };
  beforeAll(async () => {
    await out("mkdir -p '/srv/sv run' /srv/sv/rweb; (setsid runsvdir -P '/srv/sv run' >/dev/null 2>&1 </dev/null &)");
    await write("/srv/sv/rweb/run", "#!/bin/sh\nexec /bin/sleep 1003\n", "755");
  });

  test("a new service is taken on and runs, or is taken on and does not", async () => {
    await applyTwice(runit.service, { service: "rweb", running: false, ...dirs }, on);
    expect(await pid("/bin/sleep 1003")).toBe("");
    expect(await askFact(RunitManaged, { service: "rweb", svDir: dirs.svDir }, on.host)).toEqual(["rweb"]);
    await applyTwice(runit.service, { service: "rweb", ...dirs }, on);
    expect(await pid("/bin/sleep 1003")).not.toBe("");
    expect(await askFact(RunitStatus, { svDir: dirs.svDir }, on.host)).toEqual({ rweb: true });
  });

  test("it is restarted, disabled, sent a command, and let go", async () => {
    const first = await pid("/bin/sleep 1003");
    await apply(runit.service, { service: "rweb", restarted: true, ...dirs }, on);
    expect(await pid("/bin/sleep 1003")).not.toBe(first);
    await applyTwice(runit.service, { service: "rweb", enabled: false, ...dirs }, on);
    expect(await out("ls /srv/sv/rweb/down")).toBe("/srv/sv/rweb/down");
    await applyTwice(runit.auto, { service: "rweb", sourceDir: dirs.sourceDir }, on);
    await apply(runit.service, { service: "rweb", running: null, command: "pause", ...dirs }, on);
    expect(await out("SVDIR='/srv/sv run' sv status rweb")).toContain("paused");
    await apply(runit.service, { service: "rweb", running: null, command: "cont", ...dirs }, on);
    await applyTwice(runit.service, { service: "rweb", managed: false, ...dirs }, on);
    expect(await askFact(RunitManaged, { svDir: dirs.svDir }, on.host)).toEqual([]);
  });

  test("a service that nobody watches over is not waited for forever", async () => {
    expect(apply(runit.waitRunsv, { service: "nobody", svDir: dirs.svDir, timeout: 1 }, on)).rejects.toThrow();
    await applyTwice(runit.manage, { service: "rweb", ...dirs }, on);
    expect((await apply(runit.waitRunsv, { service: "rweb", svDir: dirs.svDir }, on)).changed).toBe(true);
  });
});

describe("supervisorctl", () => {
  const group = "[group:w]\nprograms=a,b\n[program:a]\ncommand=/bin/sleep 1004\n[program:b]\ncommand=/bin/sleep 1005\n";
  beforeAll(async () => {
    await write(
      "/etc/supervisor/conf.d/one.conf",
      "[program:one]\ncommand=/bin/sleep 1006\nautostart=false\n[program:broken]\ncommand=/bin/false\nstartretries=0\nautostart=false\n",
    );
    await out(
      "supervisord -c /etc/supervisor/supervisord.conf; until supervisorctl pid >/dev/null 2>&1; do sleep 0.1; done",
    );
  });
  afterAll(() => out("supervisorctl shutdown || true"));

  test("a process is started, restarted and stopped", async () => {
    await applyTwice(supervisorctl.process, { process: "one" }, on);
    const first = await pid("/bin/sleep 1006");
    expect(first).not.toBe("");
    await apply(supervisorctl.process, { process: "one", restarted: true }, on);
    expect(await pid("/bin/sleep 1006")).not.toBe(first);
    await applyTwice(supervisorctl.process, { process: "one", running: false }, on);
    expect(await pid("/bin/sleep 1006")).toBe("");
    expect(apply(supervisorctl.process, { process: "broken" }, on)).rejects.toThrow();
    expect(await askFact(SupervisorctlStatus, {}, on.host)).toEqual({ one: false, broken: null });
  });

  test("a new group is read, added, started as one, signalled, and removed", async () => {
    await write("/etc/supervisor/conf.d/w.conf", group);
    await apply(supervisorctl.reread, {}, on);
    await apply(supervisorctl.add, { process: "w" }, on);
    await out("until supervisorctl status 'w:*' | grep -c RUNNING | grep -qx 2; do sleep 0.2; done");
    await apply(supervisorctl.signal, { signal: "KILL", process: "w:a" }, on);
    await out("until supervisorctl status 'w:*' | grep -c RUNNING | grep -qx 2; do sleep 0.2; done");
    await apply(supervisorctl.clear, { process: "w:a" }, on);
    await applyTwice(
      supervisorctl.process,
      { process: "w:*", running: false, configFile: "/etc/supervisor/supervisord.conf" },
      on,
    );
    await applyTwice(supervisorctl.process, { process: "w:*" }, on);
    await apply(supervisorctl.process, { process: "w:*", running: false }, on);
    await apply(supervisorctl.remove, { process: "w" }, on);
    expect(Object.keys(await askFact(SupervisorctlStatus, {}, on.host)).sort()).toEqual(["broken", "one"]);
    await apply(supervisorctl.update, {}, on);
    await apply(supervisorctl.reload, {}, on);
    await out("until supervisorctl status 'w:*' 2>/dev/null | grep -c RUNNING | grep -qx 2; do sleep 0.2; done");
    expect(await pid("/bin/sleep 1004")).not.toBe("");
  });
});
