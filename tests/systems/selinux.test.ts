import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { FileContext, FileContextMapping, SEBoolean, SEPort, SEPorts } from "../../src/facts/selinux.ts";
import { selinux } from "../../src/operations/index.ts";
import { apply, applyTwice, askFact, chrootHost, mustRun, type TestHost } from "../support/apply.ts";
import { debianRootfs, removeRootfs } from "../support/rootfs.ts";

// Every change of the policy is seconds of work.
setDefaultTimeout(600_000);
let root: string;
let host: TestHost;

// The kernel enforces nothing here: what is real is the store of the policy, which `semanage` works on.
beforeAll(async () => {
  root = await debianRootfs({
    packages: [
      "netbase",
      "policycoreutils-dev",
      "policycoreutils-python-utils",
      "selinux-policy-default",
      "selinux-utils",
    ],
  });
  host = chrootHost(root);
}, 300_000);
afterAll(() => removeRootfs(root));

const local = (what: string) => mustRun(host, `semanage ${what} -l -C -n`);

test("selinux.fileContextMapping adds, changes and removes rules, under a shell without pipefail", async () => {
  expect(await mustRun(host, "readlink /bin/sh")).toBe("dash\n");
  const target = "/web\\.b-[x]'s(/.*)?";
  await applyTwice(selinux.fileContextMapping, { target, seType: "httpd_sys_content_t" }, { host });
  expect(await local("fcontext")).toContain(`${target} `);
  await applyTwice(selinux.fileContextMapping, { target, seType: "tmp_t" }, { host });
  expect(await askFact(FileContextMapping, { target }, host)).toEqual({
    user: "system_u",
    role: "object_r",
    type: "tmp_t",
    level: "s0",
  });
  await applyTwice(selinux.fileContextMapping, { target, present: false }, { host });
  expect(await local("fcontext")).not.toContain("/web");
});

test("selinux.port adds, changes and removes types", async () => {
  // `sepolicy` reads the kernel's policy, of which there is none here.
  await mustRun(host, "mv /usr/bin/sepolicy /usr/bin/sepolicy.away");
  await applyTwice(selinux.port, { protocol: "tcp", portNum: 2222, seType: "ssh_port_t" }, { host });
  expect(await local("port")).toMatch(/^ssh_port_t\s+tcp\s+2222$/m);
  await applyTwice(selinux.port, { protocol: "tcp", portNum: 2222, seType: "http_port_t" }, { host });
  expect(await local("port")).toMatch(/^http_port_t\s+tcp\s+2222$/m);
  const ports = await askFact(SEPorts, {}, host);
  expect([ports["tcp"]?.["2222"], ports["tcp"]?.["22"], ports["tcp"]?.["10081"], ports["tcp"]?.["60001"]]).toEqual([
    "http_port_t",
    "ssh_port_t",
    "amanda_port_t",
    undefined,
  ]);
  await applyTwice(selinux.port, { protocol: "tcp", portNum: 2222, present: false }, { host });
  expect(await local("port")).toBe("");
  await mustRun(host, "mv /usr/bin/sepolicy.away /usr/bin/sepolicy");
  expect(await askFact(SEPort, { protocol: "tcp", port: 22 }, host)).toBe("ssh_port_t");
  expect(await askFact(SEPort, { protocol: "tcp", port: 60_001 }, host)).toBe("");
});

test("facts about SELinux where it is not active", async () => {
  expect(await askFact(FileContext, { path: "/etc/passwd" }, host)).toBeUndefined();
  expect(await askFact(FileContext, { path: "/none" }, host)).toBeUndefined();
  await expect(askFact(SEBoolean, { boolean: "httpd_can_network_connect" }, host)).rejects.toThrow(
    "SELinux is disabled",
  );
  await expect(apply(selinux.port, { protocol: "tcp", portNum: 22 }, { host })).rejects.toThrow(
    "`seType` must have a valid value",
  );
});
