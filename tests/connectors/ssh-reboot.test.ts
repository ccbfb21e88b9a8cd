/** `server.reboot` over SSH, straight and through a jump host. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mustRun } from "../support/apply.ts";
import { type Hosts, raiseHosts, type RaisedHost } from "../support/hosts.ts";

setDefaultTimeout(300_000);
let hosts: Hosts;
let [jump, host]: RaisedHost[] = [];
let directory: string;

beforeAll(async () => {
  hosts = await raiseHosts({ count: 2, init: "systemd" });
  [jump, host] = hosts.hosts;
  directory = await mkdtemp(join(tmpdir(), "tsinfra-reboot-"));
  await Bun.write(
    join(directory, "deploy.ts"),
    `import { server } from "tsinfra/operations";
server.shell({ name: "Before", commands: ["touch /run/before; id -un > /root/before"], _sudo: true });
server.reboot({ delay: 1, interval: 0.5, rebootTimeout: 120, _sudo: true });
server.shell({ name: "After", commands: ["test ! -e /run/before", "id -un > /root/after"], _sudo: true });
`,
  );
  await Bun.write(
    join(directory, "config"),
    `Include ${hosts.sshConfig}\nHost behind\n HostName ${host!.address}\n ProxyJump ${jump!.name}\n`,
  );
}, 600_000);
afterAll(async () => {
  await rm(directory, { recursive: true });
  await hosts.down();
});

for (const [way, name, transport] of [
  ["straight", "h2", "embedded"],
  ["through a jump host", "behind", "embedded"],
  ["through a jump host, with the ssh program", "behind", "openssh"],
] as const) {
  test(`a host reboots ${way}, and what follows is done with the same rights`, async () => {
    await mustRun(host!, "rm -f /root/before /root/after");
    await host!.rebootedBy(async () => {
      const data = { sshUser: "pw", sshConfigFile: join(directory, "config"), sshTransport: transport };
      const child = Bun.spawn(
        [
          process.execPath,
          join(import.meta.dir, "../../src/main.ts"),
          name,
          join(directory, "deploy.ts"),
          "-y",
          ...Object.entries(data).flatMap(([key, value]) => ["--data", `${key}=${value}`]),
        ],
        {
          env: { ...process.env, TSINFRA_SUDO_PASSWORD: "pw", SSH_AUTH_SOCK: "" },
          stdin: "ignore",
          stdout: "ignore",
          stderr: "pipe",
        },
      );
      const said = await child.stderr.text();
      // A host that has not been told to reboot would be waited for.
      if ((await child.exited) !== 0) throw new Error(said);
    });
    expect(await mustRun(host!, "cat /root/before /root/after")).toBe("root\nroot\n");
  });
}
