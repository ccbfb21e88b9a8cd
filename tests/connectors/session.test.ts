/** Files, time limits and escalation over the connectors as they are. */
import { setDefaultTimeout } from "bun:test";
import { createLocalConnector } from "../../src/connectors/local.ts";
import { createSshConnector } from "../../src/connectors/ssh/index.ts";
import { testSession } from "../contracts/session.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { type Hosts, raiseHosts } from "../support/hosts.ts";

setDefaultTimeout(60_000);
const local = createLocalConnector();
testSession({ name: "local", open: () => local.connect!(targetFor(""), connectorContext()) });

let hosts: Hosts | undefined;
const ssh = createSshConnector({ home: "/nonexistent", env: {}, systemConfigFile: "/nonexistent" });
const as = (sshUser: string) => async () => {
  hosts ??= await raiseHosts({ count: 1 });
  const [host] = hosts.hosts;
  const data = { sshHostname: host!.address, sshUser, sshKey: hosts.identityFile, sshKnownHostsFile: hosts.knownHosts };
  return await ssh.connect!(targetFor("h1", data), connectorContext());
};
testSession({
  name: "ssh",
  open: as("root"),
  sudoers: { free: as("ops"), asked: as("pw"), password: "pw" },
  async close() {
    await ssh.close?.();
    await hosts?.down();
  },
});
