/** Servers that give a connection few sessions: whole deploys get through all the same. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { needTools } from "../support/machine.ts";
import { startSshd } from "../support/sshd.ts";

setDefaultTimeout(120_000);
await needTools({ sshd: "openssh-server", ssh: "openssh-client" });

for (const sessions of [1, 2]) {
  for (const sshTransport of ["embedded", "openssh"]) {
    test(`${sessions} at once, over the transport ${sshTransport}: commands, and files both ways`, async () => {
      await using server = await startSshd({ config: [`MaxSessions ${sessions}`] });
      const path = (name: string): string => join(server.directory, name);
      await Bun.write(path("big"), Buffer.alloc(1_000_000, 200));
      await Bun.write(
        path("deploy.ts"),
        `import { files, server } from "tsinfra/operations";
server.shell({ commands: ["true"] });
files.put({ src: "${path("big")}", dest: "${path("out")}" });
server.shell({ commands: ["test -s ${path("out")}"] });
files.get({ src: "${path("out")}", dest: "${path("back")}" });
server.shell({ commands: ["true"], _timeout: 60 });
server.shell({ commands: ["true"] });
`,
      );
      const data = {
        ...server.data,
        sshKnownHostsFile: join(server.home, ".ssh/known_hosts"),
        sshConfigFile: "none",
        sshTransport,
      };
      const child = Bun.spawn(
        [
          process.execPath,
          join(import.meta.dir, "../../src/main.ts"),
          "web-1",
          path("deploy.ts"),
          "-y",
          ...Object.entries(data).flatMap(([key, value]) => ["--data", `${key}=${value}`]),
        ],
        { stdin: "ignore", stdout: "ignore", stderr: "pipe" },
      );
      const said = await child.stderr.text();
      if ((await child.exited) !== 0) throw new Error(said);
      expect(Buffer.from(await Bun.file(path("back")).bytes()).equals(Buffer.alloc(1_000_000, 200))).toBe(true);
    });
  }
}
