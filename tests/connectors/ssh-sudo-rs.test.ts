/** The sudo of another make, which Debian has from trixie on. */
import { setDefaultTimeout } from "bun:test";
import { testSession } from "../contracts/session.ts";
import { escalationSubject } from "../support/escalation.ts";

setDefaultTimeout(300_000);

testSession(
  escalationSubject({
    name: "ssh, sudo-rs",
    sshTransport: "embedded",
    hosts: { suite: "trixie", packages: ["sudo-rs"] },
    // Its own name is another one, as long as both are there.
    setUp: "ln -sf /usr/bin/sudo-rs /usr/local/bin/sudo; sudo --version 2>&1 | grep -q sudo-rs",
  }),
);
