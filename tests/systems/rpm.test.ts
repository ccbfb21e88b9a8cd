import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DnfRepositories } from "../../src/facts/dnf.ts";
import { RpmPackage, RpmPackages } from "../../src/facts/rpm.ts";
import { ZypperRepositories } from "../../src/facts/zypper.ts";
import * as dnf from "../../src/operations/dnf.ts";
import * as yum from "../../src/operations/yum.ts";
import * as zypper from "../../src/operations/zypper.ts";
import { apply, applyTwice, askFact, chrootHost, mustRun, type TestHost } from "../support/apply.ts";
import { debianRootfs, removeRootfs } from "../support/rootfs.ts";

let root = "";
let host: TestHost;
const version = (name: string): string | undefined => {
  const file = join(root, "usr/share", name, "version");
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
};

/** A Debian with dnf and zypper, and a repository of rpm packages made there. */
beforeAll(async () => {
  root = await debianRootfs({ packages: ["rpm", "dnf", "zypper", "createrepo-c", "gpg"] });
  host = chrootHost(root);
  // Debian's rpm wants to be told that it is meant, and keeps its database elsewhere; its yum is dnf, as that of today's Red Hat is.
  await mustRun(host, "mkdir /usr/lib/own-rpm && mv /usr/bin/rpm /usr/lib/own-rpm/rpm");
  writeFileSync(
    join(root, "usr/bin/rpm"),
    '#!/bin/sh\nfor a do case $a in -i|-U) exec /usr/lib/own-rpm/rpm --force-debian "$@";; esac; done\nexec /usr/lib/own-rpm/rpm "$@"\n',
    { mode: 0o755 },
  );
  await mustRun(
    host,
    "ln -sf dnf /usr/bin/yum; mkdir -p /etc/rpm; echo '%_dbpath /var/lib/rpm' > /etc/rpm/macros; mkdir -p /etc/yum.repos.d /etc/zypp/repos.d /etc/dnf; touch /etc/dnf/dnf.conf",
  );
  await publish("one", "1.0");
  await publish("two", "1.0");
  await publish("lone", "1.0");
  await publish("kept", "1.0");
  await mustRun(host, "mkdir -p /srv/files && mv /srv/rpms/lone-* /srv/files/lone.rpm && createrepo_c -q /srv/rpms");
}, 600_000);
afterAll(() => removeRootfs(root));

async function publish(name: string, of: string): Promise<void> {
  mkdirSync(join(root, "root/spec"), { recursive: true });
  const spec = [
    "Name: " + name,
    "Version: " + of,
    "Release: 1",
    "Summary: for tests",
    "License: none",
    "BuildArch: noarch",
    "%description",
    "For tests.",
    "%install",
    `mkdir -p %{buildroot}/usr/share/${name}`,
    `echo ${of} > %{buildroot}/usr/share/${name}/version`,
    "%files",
    `/usr/share/${name}/version`,
  ];
  writeFileSync(join(root, "root/spec", `${name}.spec`), `${spec.join("\n")}\n`);
  await mustRun(
    host,
    `rpmbuild --quiet -bb --define '_rpmdir /srv/rpms' --define '_build_name_fmt %%{NAME}-%%{VERSION}.rpm' /root/spec/${name}.spec && createrepo_c -q /srv/rpms`,
  );
}

for (const [name, tool] of [
  ["dnf", dnf],
  ["yum", yum],
] as const) {
  test(`${name}: a repository is written, packages are installed, upgraded and removed`, async () => {
    await applyTwice(
      tool.repo,
      { src: "local", baseUrl: "file:///srv/rpms", description: "Local $basearch", gpgCheck: false },
      { host },
    );
    expect(readFileSync(join(root, "etc/yum.repos.d/local.repo"), "utf8")).toBe(
      "[local]\nname=Local $basearch\nbaseurl=file:///srv/rpms\nenabled=1\ngpgcheck=0\n",
    );
    expect(await askFact(DnfRepositories, {}, host)).toContainEqual({
      repoid: "local",
      name: "Local $basearch",
      baseurl: "file:///srv/rpms",
      enabled: "1",
      gpgcheck: "0",
    });
    await applyTwice(
      tool.packages,
      { packages: ["one", "two"], noBest: true, extraInstallArgs: "--setopt=keepcache=0" },
      { host },
    );
    expect([version("one"), version("two")]).toEqual(["1.0", "1.0"]);
    expect((await askFact(RpmPackages, {}, host))["one"]).toEqual(["1.0-1"]);
    await publish("one", "2.0");
    await apply(tool.packages, { packages: ["one"], latest: true, clean: true }, { host });
    expect(version("one")).toBe("2.0");
    await applyTwice(tool.packages, { packages: ["one", "two", "absent"], present: false }, { host });
    expect(version("one")).toBeUndefined();
    await applyTwice(tool.rpm, { src: "/srv/files/lone.rpm" }, { host });
    expect(version("lone")).toBe("1.0");
    await applyTwice(tool.rpm, { src: "/srv/files/lone.rpm", present: false }, { host });
    expect(version("lone")).toBeUndefined();
    expect(apply(tool.packages, { packages: "no-such-package" }, { host })).rejects.toThrow(
      "Unable to find a match: no-such-package",
    );
    await applyTwice(tool.repo, { src: "local", present: false }, { host });
    await mustRun(host, "rm -f /srv/rpms/one-2.0.rpm && createrepo_c -q /srv/rpms");
  }, 300_000);
}

// One package stays: Debian's zypper cannot read a database without any.
test("zypper: a repository is written, packages are installed, upgraded and removed", async () => {
  await applyTwice(zypper.repo, { src: "local", baseUrl: "file:///srv/rpms", gpgCheck: false }, { host });
  expect(await askFact(ZypperRepositories, {}, host)).toEqual([
    { repoid: "local", name: "local", baseurl: "file:///srv/rpms", enabled: "1", gpgcheck: "0", type: "rpm-md" },
  ]);
  await applyTwice(
    zypper.packages,
    { packages: ["one", "two", "kept"], extraGlobalInstallArgs: "--no-gpg-checks" },
    { host },
  );
  expect([version("one"), version("two")]).toEqual(["1.0", "1.0"]);
  await publish("one", "2.0");
  await apply(zypper.packages, { packages: ["one"], latest: true, clean: true }, { host });
  expect(version("one")).toBe("2.0");
  await applyTwice(zypper.packages, { packages: ["one", "two"], present: false }, { host });
  expect(version("two")).toBeUndefined();
  await applyTwice(zypper.rpm, { src: "/srv/files/lone.rpm" }, { host });
  await applyTwice(zypper.rpm, { src: "/srv/files/lone.rpm", present: false }, { host });
  expect(await askFact(RpmPackage, { package: "/srv/files/lone.rpm" }, host)).toEqual({
    name: "lone",
    version: "1.0-1",
  });
  expect(await askFact(RpmPackage, { package: "lone" }, host)).toBeUndefined();
  await applyTwice(zypper.repo, { src: "local", present: false }, { host });
}, 300_000);

test("a key is imported", async () => {
  await mustRun(
    host,
    "export GNUPGHOME=$(mktemp -d) && gpg --batch --quiet --passphrase '' --quick-generate-key 'Signer <s@example.com>' rsa2048 sign never 2>/dev/null && gpg --armor --export > '/root/a key.asc'",
  );
  await apply(dnf.key, { src: "/root/a key.asc" }, { host });
  expect(await mustRun(host, "rpm -qa gpg-pubkey --qf '%{SUMMARY}'")).toContain("Signer");
}, 60_000);
