/** Servers that give a connection few sessions: whole deploys get through all the same. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { needTools } from "../support/machine.ts";
import { startSshd, type Sshd } from "../support/sshd.ts";

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
      const { exitCode, said } = await run(server, path("deploy.ts"), sshTransport);
      if (exitCode !== 0) throw new Error(said);
      expect(Buffer.from(await Bun.file(path("back")).bytes()).equals(Buffer.alloc(1_000_000, 200))).toBe(true);
    });
  }
}

for (const sshTransport of ["embedded", "openssh"])
  test(`a command that ends by itself before there is room to end it runs once, over the transport ${sshTransport}`, async () => {
    await using server = await startSshd({ config: ["MaxSessions 1"] });
    const path = (name: string): string => join(server.directory, name);
    await Bun.write(
      path("deploy.ts"),
      `import { server } from "tsinfra/operations";
server.shell({ commands: ["echo plain >>${path("ran")}; sleep 2; echo rest >>${path("ran")}"], _timeout: 1, _retries: 1 });
server.shell({ commands: ["echo sudo >>${path("ran")}; sleep 2; echo rest >>${path("ran")}"], _timeout: 1, _retries: 1, _sudo: true });
`,
    );
    const { exitCode, said } = await run(server, path("deploy.ts"), sshTransport);
    expect({ exitCode, said }).toMatchObject({ exitCode: 0, said: expect.stringContaining("Done: 2 changes") });
    expect(await Bun.file(path("ran")).text()).toBe("plain\nrest\nsudo\nrest\n");
  });

async function run(server: Sshd, deploy: string, sshTransport: string): Promise<{ exitCode: number; said: string }> {
  const data = {
    ...server.data,
    sshKnownHostsFile: join(server.home, ".ssh/known_hosts"),
    sshConfigFile: "none",
    sshTransport,
  };
  const options = Object.entries(data).flatMap(([key, value]) => ["--data", `${key}=${value}`]);
  const program = join(import.meta.dir, "../../src/main.ts");
  const child = Bun.spawn([process.execPath, program, "web-1", deploy, "-y", ...options], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const said = await child.stderr.text();
  return { exitCode: await child.exited, said };
}
