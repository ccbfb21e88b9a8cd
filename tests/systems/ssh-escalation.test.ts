/** Becoming somebody else, over both transports: sudo, su, doas, and the sudo of another make. */
import { setDefaultTimeout } from "bun:test";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { type SessionSubject, testSession } from "../contracts/session.ts";
import { mustRun } from "../support/apply.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { type Hosts, type HostsOptions, raiseHosts } from "../support/hosts.ts";

setDefaultTimeout(300_000);

function subject(name: string, { hosts: options, setUp, sshTransport }: { readonly hosts: HostsOptions; readonly setUp: string; readonly sshTransport: string }): SessionSubject {
  const connector = createSshConnector({ home: "/nonexistent", env: { PATH: process.env.PATH }, systemConfigFile: "/nonexistent" });
  let raised: Promise<Hosts> | undefined;
  const raise = async (): Promise<Hosts> => {
    const hosts = await raiseHosts(options);
    await mustRun(hosts.hosts[0]!, setUp);
    return hosts;
  };
  const as = (sshUser: string) => async () => {
    const { hosts, identityFile, knownHosts } = await (raised ??= raise());
    const data = { sshHostname: hosts[0]!.address, sshUser, sshKey: identityFile, sshKnownHostsFile: knownHosts, sshConfigFile: "none", sshTransport };
    return await connector.connect!(targetFor("h1", data), connectorContext());
  };
  return {
    name,
    open: as("root"),
    sudoers: { free: as("ops"), asked: as("pw"), password: "pw" },
    su: { user: as("pw"), password: "r00t" },
    async close() {
      await connector.close?.();
      await (await raised)?.down();
    },
    ...(options.packages?.includes("opendoas") ? { doas: as("ops") } : {}),
  };
}

const ROOT_PASSWORD = "echo root:r00t | chpasswd";
const DOAS = "echo 'permit nopass ops as root\npermit nopass ops as nobody' > /etc/doas.conf; chmod 400 /etc/doas.conf";
for (const sshTransport of ["embedded", "openssh"]) {
  testSession(subject(`ssh, ${sshTransport}`, { hosts: { count: 1, packages: ["opendoas"] }, setUp: `${ROOT_PASSWORD}; ${DOAS}`, sshTransport }));
}
testSession(
  subject("ssh, sudo-rs", {
    hosts: { count: 1, suite: "trixie", packages: ["sudo-rs"] },
    // Its own name is another one, as long as both are there.
    setUp: `${ROOT_PASSWORD}; ln -sf /usr/bin/sudo-rs /usr/local/bin/sudo; sudo --version 2>&1 | grep -q sudo-rs`,
    sshTransport: "embedded",
  }),
);
