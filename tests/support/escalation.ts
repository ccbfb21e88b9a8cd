/** A host on which users may become others, for the contract of sessions. @module */
import { readFileSync } from "node:fs";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import type { SessionSubject } from "../contracts/session.ts";
import { mustRun } from "./apply.ts";
import { connectorContext, targetFor } from "./connectors.ts";
import { type Hosts, type HostsOptions, raiseHosts } from "./hosts.ts";

export interface EscalationOptions {
  readonly name: string;
  readonly sshTransport: string;
  /** Host data. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** Default: one host as `raiseHosts` makes it. */
  readonly hosts?: Omit<HostsOptions, "count">;
  /** A shell script that is run on it as root. */
  readonly setUp?: string;
  /** Give it the doas of this machine, which has to be of the same release. */
  readonly hasDoas?: boolean;
}

/** The host is raised when it is first connected to. */
export function escalationSubject({
  name,
  sshTransport,
  hosts: options = {},
  setUp,
  hasDoas = false,
  data: more = {},
}: EscalationOptions): SessionSubject {
  const connector = createSshConnector({
    home: "/nonexistent",
    env: { PATH: process.env.PATH },
    systemConfigFile: "/nonexistent",
  });
  let raised: Promise<Hosts> | undefined;
  const raise = async (): Promise<Hosts> => {
    const hosts = await raiseHosts({ count: 1, ...options });
    const [host] = hosts.hosts;
    // A wrong password is answered at once.
    await mustRun(host!, "echo root:r00t | chpasswd; sed -i '/pam_unix.so/s/$/ nodelay/' /etc/pam.d/common-auth");
    if (hasDoas) {
      await mustRun(host!, "cat > /usr/bin/doas; chmod 4755 /usr/bin/doas", readFileSync("/usr/bin/doas"));
      await mustRun(host!, "cat > /etc/pam.d/doas", readFileSync("/etc/pam.d/doas"));
      await mustRun(
        host!,
        "printf '%s\n' 'permit nopass ops as root' 'permit nopass ops as nobody' > /etc/doas.conf; chmod 400 /etc/doas.conf",
      );
    }
    if (setUp) await mustRun(host!, setUp);
    return hosts;
  };
  const as = (sshUser: string) => async () => {
    const { hosts, identityFile, knownHosts } = await (raised ??= raise());
    const data = {
      sshHostname: hosts[0]!.address,
      sshUser,
      sshKey: identityFile,
      sshKnownHostsFile: knownHosts,
      sshConfigFile: "none",
      sshTransport,
      ...more,
    };
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
    isStaged: more.sshFileTransferProtocol === "sftp",
    ...(hasDoas ? { doas: as("ops") } : {}),
  };
}
