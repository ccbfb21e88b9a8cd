/** Connectors to system containers and machines, on the real thing: a machine of systemd's, LXD and Incus, each on a host that SSH reaches. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createConnectors } from "../../src/connectors/index.ts";
import { sh } from "../../src/core/command.ts";
import type { Connection, Connector } from "../../src/core/connector.ts";
import { openChain } from "../../src/engine/host/chain.ts";
import { parseHostName } from "../../src/inventory/parse.ts";
import { testConnector } from "../contracts/connector.ts";
import { testSession } from "../contracts/session.ts";
import { connectorContext } from "../support/connectors.ts";
import { type Hosts, raiseHosts, type RaisedHost } from "../support/hosts.ts";
import { mustRun } from "../support/test-host.ts";

setDefaultTimeout(300_000);
const MAIN = join(import.meta.dir, "../../src/main.ts");

/** A copy of the host's own system, without what it keeps for those that run in it. */
const COPY = `set -e; mkdir -p /srv/box; cd /
tar --one-file-system --exclude=./srv/box --exclude=./var/lib/lxd --exclude=./var/lib/incus --exclude=./var/cache/apt --exclude=./var/lib/apt/lists -c . 2>/dev/null | tar -C /srv/box -x
echo box >/srv/box/etc/hostname; : >/srv/box/etc/machine-id`;
/** A machine, started as systemd-nspawn@.service would: it may reboot. */
const MACHINE = `${COPY}
systemctl start systemd-machined
systemd-run --quiet --unit=box --property=Delegate=yes --property=RestartForceExitStatus=133 --property=SuccessExitStatus=133 \\
  systemd-nspawn --quiet --keep-unit --boot --private-network --link-journal=no --machine=box -D /srv/box`;
const PRESEED =
  "storage_pools:\n- name: default\n  driver: dir\nprofiles:\n- name: default\n  config: {security.privileged: 'true'}\n  devices:\n    root: {path: /, pool: default, type: disk}\n";
const systemContainer = (program: string, initialise: string): string => `${COPY}
printf 'architecture: x86_64\\ncreation_date: 1700000000\\nproperties: {description: box}\\n' >/srv/metadata.yaml
tar -cf /srv/box.tar -C /srv metadata.yaml --transform 's,^box,rootfs,S' box
printf '%s' "${PRESEED}" | ${initialise}
${program} image import /srv/box.tar --alias box; ${program} launch box box </dev/null; rm -r /srv/box /srv/box.tar`;

const PLACES = [
  {
    connectors: ["machinectl", "nspawn"],
    suite: "bookworm",
    packages: ["rsync", "systemd-container"],
    setup: MACHINE,
    enter: "systemd-run --machine=box --quiet --wait --pipe --collect",
  },
  {
    connectors: ["lxd"],
    suite: "bookworm",
    packages: ["lxd", "lxd-client", "rsync"],
    setup: systemContainer("lxc", "lxd init --preseed"),
    enter: "lxc exec box --",
  },
  {
    connectors: ["incus"],
    suite: "trixie",
    packages: ["incus-base", "incus-client", "rsync"],
    setup: systemContainer("incus", "incus admin init --preseed"),
    enter: "incus exec box --",
  },
];

for (const { connectors: names, suite, packages, setup, enter } of PLACES) {
  describe(names.join(" and "), () => {
    let hosts: Hosts;
    let host: RaisedHost;
    let connectors: ReadonlyMap<string, Connector>;
    let directory: string;
    const inside = (line: string): Promise<string> => mustRun(host, `${enter} /bin/sh -c '${line}'`);

    beforeAll(async () => {
      hosts = await raiseHosts({ count: 1, init: "systemd", suite, packages });
      host = hosts.hosts[0]!;
      connectors = createConnectors();
      directory = await mkdtemp(join(tmpdir(), "tsinfra-places-"));
      await mustRun(host, setup);
      await mustRun(
        host,
        `for try in $(seq 300); do ${enter} /bin/sh -c 'systemctl is-system-running --wait' && exit; sleep 0.2; done; exit 1`,
      );
    }, 600_000);
    afterAll(async () => {
      for (const connector of connectors.values()) await connector.close?.();
      await hosts.down();
      await rm(directory, { recursive: true });
    });

    const open = (connector: string, address = "box"): Promise<Connection> =>
      openChain(parseHostName(`@ssh/h1/@${connector}/${address}`), {
        connectors,
        connectorContext: connectorContext(),
        data: { sshConfigFile: hosts.sshConfig },
        timeout: 60,
        signal: new AbortController().signal,
      });

    for (const name of names) {
      testConnector({ name, can: { pty: true, rsync: true }, open: () => open(name) });
      testSession({ name, open: () => open(name) });

      test(`@${name}: commands run as root, with root's own home, and in the machine`, async () => {
        const connection = await open(name);
        const { stdout } = await connection.run(
          sh`id -un; echo "$HOME"; hostname; cat /proc/sys/kernel/random/boot_id`,
        );
        await connection.close();
        const [user, home, hostname, boot] = Buffer.from(stdout).toString().split("\n");
        expect([user, home, hostname]).toEqual(["root", "/root", "box"]);
        expect(boot).not.toBe(await mustRun(host, "cat /proc/sys/kernel/random/boot_id").then(text => text.trim()));
      });

      test(`@${name}: what is not there is said`, async () => {
        const error = await open(name, "nowhere").catch(error => error);
        expect([error.code, error.message]).toEqual([
          "E_CONNECT",
          expect.stringMatching(/^Cannot run commands in the (machine|container) "nowhere": ./),
        ]);
      });

      test(`@${name}: it reboots, and what follows is done`, async () => {
        await Bun.write(
          join(directory, "deploy.ts"),
          `import { server } from "tsinfra/operations";
server.shell({ name: "Before", commands: ["touch /run/before; cat /proc/sys/kernel/random/boot_id >/root/before"] });
server.reboot({ delay: 1, interval: 0.5, rebootTimeout: 120 });
server.shell({ name: "After", commands: ["test ! -e /run/before", "cat /proc/sys/kernel/random/boot_id >/root/after"] });
`,
        );
        const child = Bun.spawn(
          [
            process.execPath,
            MAIN,
            `@ssh/h1/@${name}/box`,
            "deploy.ts",
            "-y",
            "--data",
            `sshConfigFile=${hosts.sshConfig}`,
          ],
          { cwd: directory, stdin: "ignore", stdout: "ignore", stderr: "pipe" },
        );
        const [said, code] = await Promise.all([child.stderr.text(), child.exited]);
        expect(code, said).toBe(0);
        expect(await inside("cat /root/before")).not.toBe(await inside("cat /root/after"));
      });
    }

    test.each(names)("@%s: what a command leaves in the background goes on", async name => {
      const connection = await open(name);
      const { stdout } = await connection.run(sh`sleep 3000 >/dev/null 2>&1 & echo $!`);
      const pid = Buffer.from(stdout).toString().trim();
      const looked = await connection.run(sh`sleep 1; kill ${pid}`);
      await connection.close();
      expect(looked.exitCode).toBe(0);
    });

    test("of commands that were broken off no process is left", async () => {
      const left = (await inside("ps -A -o args="))
        .split("\n")
        .filter(line => /while :|sleep 1000|tsinfra-/.test(line) && !line.includes("ps -A"));
      expect(left).toEqual([]);
    });
  });
}
