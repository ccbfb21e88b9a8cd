import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PacmanPackages, PacmanUnpackGroup } from "../../src/facts/pacman.ts";
import { packages, update, upgrade } from "../../src/operations/pacman.ts";
import { apply, applyTwice, askFact, chrootHost, mustRun, type TestHost } from "../support/apply.ts";
import { debianRootfs, removeRootfs } from "../support/rootfs.ts";

let root = "";
let host: TestHost;
const version = (name: string): string | undefined => {
  const file = join(root, "usr/share", name, "version");
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
};

/** A Debian with pacman, whose only repository is made there. */
beforeAll(async () => {
  root = await debianRootfs({ packages: ["pacman-package-manager", "makepkg", "libarchive-tools"] });
  host = chrootHost(root);
  mkdirSync(join(root, "srv/packages"), { recursive: true });
  writeFileSync(
    join(root, "etc/pacman.conf"),
    "[options]\nArchitecture = auto\nSigLevel = Never\n[tests]\nServer = file:///srv/packages\n",
  );
  await publish("one", "1.0-1");
  await publish("two", "1:2.0-1", "pair");
  await publish("three", "1.0-1", "pair");
  // An Arch without any package there is not, and pacman has no answer for one.
  await publish("base", "1-1");
  await mustRun(host, "pacman --noconfirm -Sy base");
}, 600_000);
afterAll(() => removeRootfs(root));

async function publish(name: string, of: string, group?: string): Promise<void> {
  const tree = join(root, "root", name);
  mkdirSync(join(tree, "usr/share", name), { recursive: true });
  writeFileSync(join(tree, "usr/share", name, "version"), of);
  writeFileSync(
    join(tree, ".PKGINFO"),
    [
      `pkgname = ${name}`,
      `pkgver = ${of}`,
      "pkgdesc = for tests",
      "arch = any",
      "size = 8",
      ...(group ? [`group = ${group}`] : []),
    ].join("\n") + "\n",
  );
  const file = `/srv/packages/${name}-${of.replace(":", "_")}-any.pkg.tar.gz`;
  await mustRun(
    host,
    `cd /root/${name} && bsdtar -czf ${file} .PKGINFO usr && repo-add -q /srv/packages/tests.db.tar.gz ${file}`,
  );
  // pacman goes by the time of the list, to the second.
  published++;
  await mustRun(host, `touch -d @${1_600_000_000 + published * 60} /srv/packages/tests.db.tar.gz`);
}
let published = 0;

test("packages and groups are installed, upgraded and removed", async () => {
  await apply(packages, { packages: ["one"], update: true }, { host });
  expect(version("one")).toBe("1.0-1");
  expect(await askFact(PacmanUnpackGroup, { package: "pair" }, host)).toEqual(["three", "two"]);
  expect(await askFact(PacmanUnpackGroup, { package: "nowhere" }, host)).toEqual([]);
  await applyTwice(packages, { packages: ["one", "pair"] }, { host });
  expect(await askFact(PacmanPackages, {}, host)).toEqual({
    base: ["1-1"],
    one: ["1.0-1"],
    three: ["1.0-1"],
    two: ["1:2.0-1"],
  });
  await publish("one", "1.1-1");
  await apply(update, {}, { host });
  await apply(upgrade, {}, { host });
  expect(version("one")).toBe("1.1-1");
  await applyTwice(packages, { packages: ["pair", "nowhere"], present: false }, { host });
  expect([version("two"), version("three")]).toEqual([undefined, undefined]);
}, 120_000);
