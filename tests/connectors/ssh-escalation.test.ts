/** Becoming somebody else, over both transports: sudo, su, doas. */
import { setDefaultTimeout } from "bun:test";
import { testSession } from "../contracts/session.ts";
import { needTools } from "../support/machine.ts";
import { escalationSubject } from "../support/escalation.ts";

setDefaultTimeout(300_000);
await needTools({ doas: "opendoas" });

for (const sshTransport of ["embedded", "openssh"])
  testSession(escalationSubject({ name: `ssh, ${sshTransport}`, sshTransport, hasDoas: true }));
