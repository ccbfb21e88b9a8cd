/** A server that takes passwords and nothing else, over both transports. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { sh } from "../../src/core/command.ts";
import type { ConnectError } from "../../src/core/errors.ts";
import { mustRun } from "../support/apply.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { type Hosts, raiseHosts } from "../support/hosts.ts";

setDefaultTimeout(120_000);

let hosts: Hosts;
beforeAll(async () => {
  hosts = await raiseHosts({ count: 1 });
  await mustRun(
    hosts.hosts[0]!,
    "sed -i '/pam_unix.so/s/$/ nodelay/' /etc/pam.d/common-auth; printf '%s\\n' '#!/bin/sh' 'echo x >>/var/log/tried' >/usr/local/bin/count; chmod 755 /usr/local/bin/count; sed -i '1i auth optional pam_exec.so quiet /usr/local/bin/count' /etc/pam.d/sshd",
  );
}, 300_000);
afterAll(() => hosts.down());

/** From now on the host takes this and nothing else. */
async function allow(method: "PasswordAuthentication" | "KbdInteractiveAuthentication"): Promise<void> {
  const lines = ["PubkeyAuthentication", "PasswordAuthentication", "KbdInteractiveAuthentication"].map(
    name => `${name} ${name === method ? "yes" : "no"}`,
  );
  const [host] = hosts.hosts;
  await mustRun(host!, "cat >/etc/ssh/sshd_config.d/00-only.conf", Buffer.from(`${lines.join("\n")}\n`));
  await host!.stop();
  await host!.start();
}
async function connect(data: Readonly<Record<string, unknown>>, answers: Readonly<Record<string, string>> = {}) {
  const connector = createSshConnector({
    home: "/nonexistent",
    env: { PATH: process.env.PATH },
    systemConfigFile: "/nonexistent",
  });
  const context = connectorContext(answers);
  const usual = {
    sshHostname: hosts.hosts[0]!.address,
    sshUser: "pw",
    sshKnownHostsFile: hosts.knownHosts,
    sshConfigFile: "none",
    sshKey: hosts.identityFile,
  };
  try {
    const connection = await connector.connect!(targetFor("h1", { ...usual, ...data }), context);
    const { stdout } = await connection.run(sh`id -un`);
    await connection.close();
    return { ...context, who: Buffer.from(stdout).toString().trim() };
  } finally {
    await connector.close?.();
  }
}
const tries = async (): Promise<number> => Number((await mustRun(hosts.hosts[0]!, "wc -l </var/log/tried")).trim());

for (const method of ["PasswordAuthentication", "KbdInteractiveAuthentication"] as const) {
  describe(`a server that has ${method} alone`, () => {
    beforeAll(() => allow(method));

    for (const sshTransport of ["embedded", "openssh"]) {
      test(`lets in with the password of the host data: ${sshTransport}`, async () => {
        const { who, asked } = await connect({ sshTransport, sshPassword: "pw" });
        expect([who, asked.length]).toEqual(["pw", 0]);
      });

      test(`lets in with a password that is typed: ${sshTransport}`, async () => {
        const { who, asked } = await connect({ sshTransport }, { assword: "pw" });
        expect([who, asked.map(({ kind }) => kind)]).toEqual(["pw", ["secret"]]);
      });

      test(`is shown a wrong password once, and the error says what it allows: ${sshTransport}`, async () => {
        await mustRun(hosts.hosts[0]!, ": >/var/log/tried");
        const error = (await connect({ sshTransport, sshPassword: "wr0ng" }).catch(error => error)) as ConnectError;
        expect(error.code).toBe("E_CONNECT");
        expect(error.message).toStartWith("Cannot log in to h1");
        expect(error.message).toContain(method === "PasswordAuthentication" ? "password" : "keyboard-interactive");
        expect(error.message).not.toContain("wr0ng");
        expect(await tries()).toBe(1);
      });
    }
  });
}
