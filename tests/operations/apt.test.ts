import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AptDeb822Sources, AptSources, SimulateOperationWillChange } from "../../src/facts/apt.ts";
import { DebArch, DebPackage, DebPackages } from "../../src/facts/deb.ts";
import { deb, distUpgrade, packages, ppa, repo, sourcesFile, update, upgrade } from "../../src/operations/apt/index.ts";
import { apply, applyTwice, askFact, chrootHost, mustRun, type TestHost } from "../support/apply.ts";
import { buildDeb, type DebFile, indexDebs } from "../support/deb-files.ts";
import { debianRootfs, removeRootfs } from "../support/rootfs.ts";

let root = "";
let host: TestHost;
let debs = "";
const files: string[] = [];
const version = (name: string): string | undefined => {
  const file = join(root, "usr/share", name, "version");
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
};
const publish = async (...built: DebFile[]) => {
  for (const one of built) files.push(await buildDeb(debs, one));
  await indexDebs(debs, files);
};

/** A Debian whose only source is a directory of packages made here. */
beforeAll(async () => {
  root = await debianRootfs();
  host = chrootHost(root);
  for (const name of readdirSync(join(root, "etc/apt/sources.list.d")))
    rmSync(join(root, "etc/apt/sources.list.d", name));
  writeFileSync(join(root, "etc/apt/sources.list"), "");
  debs = join(root, "srv/debs");
  mkdirSync(debs, { recursive: true });
  await publish(
    { name: "one", version: "1.0" },
    { name: "one", version: "2.0" },
    { name: "two", version: "1.0", recommends: "three" },
    { name: "three", version: "1.0" },
    { name: "needs", version: "1.0", depends: "three" },
  );
}, 300_000);
afterAll(() => removeRootfs(root));

test("sources are added in either style, once, and removed", async () => {
  const src = "deb [trusted=yes] file:/srv/debs ./";
  await applyTwice(repo, { src }, { host });
  expect(await askFact(AptSources, {}, host)).toEqual([
    { type: "deb", url: "file:/srv/debs", distribution: "./", components: [], options: { trusted: "yes" } },
  ]);
  await applyTwice(repo, { src, present: false }, { host });
  expect(readFileSync(join(root, "etc/apt/sources.list"), "utf8")).not.toContain("debs");

  await applyTwice(repo, { src, filename: "of tests" }, { host });
  await applyTwice(repo, { src, filename: "of tests", present: false }, { host });
  rmSync(join(root, "etc/apt/sources.list.d/of tests.list"));

  const file = {
    filename: "local",
    uris: "https://example.org/a https://example.org/b",
    suites: ["trixie"],
    components: "main contrib",
    architectures: ["amd64", "arm64"],
    signedBy: "/etc/apt/keyrings/x.gpg",
  };
  await applyTwice(sourcesFile, file, { host });
  const found = await askFact(AptDeb822Sources, {}, host);
  expect(found.map(({ url }) => url)).toEqual(["https://example.org/a", "https://example.org/b"]);
  expect(found[0]).toMatchObject({
    components: ["main", "contrib"],
    options: { arch: ["amd64", "arm64"], "signed-by": "/etc/apt/keyrings/x.gpg" },
  });
  // The same source in the other style is there already.
  expect(
    (
      await apply(
        repo,
        { src: "deb [arch=amd64,arm64 signed-by=/etc/apt/keyrings/x.gpg] https://example.org/a trixie main contrib" },
        { host },
      )
    ).changed,
  ).toBe(false);
  await applyTwice(sourcesFile, { ...file, present: false }, { host });
  expect(apply(sourcesFile, { filename: "x" }, { host })).rejects.toThrow("needs at least one");
  expect(apply(sourcesFile, { filename: "x", uris: ["a\nb"], suites: ["y"] }, { host })).rejects.toThrow("newline");
}, 120_000);

test("packages are installed, pinned, upgraded, removed and purged", async () => {
  await applyTwice(repo, { src: "deb [trusted=yes] file:/srv/debs ./" }, { host });
  expect((await apply(packages, { packages: "one=1.0", update: true, cacheTime: 3600 }, { host })).commands[0]).toBe(
    "apt-get update",
  );
  expect(version("one")).toBe("1.0");
  const again = await apply(packages, { packages: "one=1.0", update: true, cacheTime: 3600 }, { host });
  expect([again.changed, again.noops]).toEqual([
    false,
    ["apt is already up to date", "package one is installed (1.0)"],
  ]);
  await apply(packages, { packages: ["one"], latest: true }, { host });
  expect(version("one")).toBe("2.0");
  await applyTwice(packages, { packages: "one=1.0", allowDowngrades: true }, { host });
  expect(version("one")).toBe("1.0");

  await applyTwice(packages, { packages: ["two"], noRecommends: true }, { host });
  expect([version("two"), version("three")]).toEqual(["1.0", undefined]);
  await applyTwice(packages, { packages: ["needs"], extraInstallArgs: "-o 'Acquire::Retries=1'" }, { host });
  expect(version("three")).toBe("1.0");

  await applyTwice(packages, { packages: ["two", "nowhere"], present: false }, { host });
  expect([version("two"), existsSync(join(root, "etc/two.conf"))]).toEqual([undefined, true]);
  await applyTwice(packages, { packages: ["one"], present: false, purge: true }, { host });
  expect(existsSync(join(root, "etc/one.conf"))).toBe(false);
  expect(Object.keys(await askFact(DebPackages, {}, host))).toContain("needs");
}, 120_000);

test("a package that does not exist fails with what apt-get says", async () => {
  expect(apply(packages, { packages: ["no-such-package"] }, { host })).rejects.toThrow(
    "Unable to locate package no-such-package",
  );
}, 120_000);

test("everything is upgraded when there is something to upgrade", async () => {
  expect((await apply(upgrade, {}, { host })).noops).toEqual(["upgrade skipped, no changes would be performed"]);
  await publish({ name: "needs", version: "2.0", depends: "three" });
  await apply(update, {}, { host });
  expect(await askFact(SimulateOperationWillChange, { command: "upgrade" }, host)).toEqual({
    upgraded: 1,
    newlyInstalled: 0,
    removed: 0,
    notUpgraded: 0,
  });
  await applyTwice(upgrade, {}, { host });
  expect(version("needs")).toBe("2.0");
  // What needs a new package is upgraded by a dist-upgrade alone, and autoRemove takes what nothing needs any more.
  await publish({ name: "needs", version: "3.0", depends: "one" });
  await apply(update, {}, { host });
  expect((await apply(upgrade, {}, { host })).changed).toBe(false);
  await applyTwice(distUpgrade, { autoRemove: true }, { host });
  expect([version("needs"), version("one"), version("three")]).toEqual(["3.0", "2.0", undefined]);
}, 120_000);

test("a .deb file is installed with what it needs, and removed", async () => {
  const file = await buildDeb(join(root, "root"), { name: "from-file", version: "1:1.5~rc1", depends: "two" });
  const path = file.slice(root.length);
  expect(await askFact(DebPackage, { package: path }, host)).toEqual({ name: "from-file", version: "1:1.5~rc1" });
  expect(await askFact(DebPackage, { package: "no-such-package" }, host)).toBeUndefined();
  await applyTwice(deb, { src: path }, { host });
  expect([version("from-file"), version("two")]).toEqual(["1:1.5~rc1", "1.0"]);
  expect(await askFact(DebPackage, { package: "from-file" }, host)).toEqual({
    name: "from-file",
    version: "1:1.5~rc1",
  });
  await applyTwice(deb, { src: path, present: false }, { host });
  expect(version("from-file")).toBeUndefined();
}, 120_000);

test("an archive is given to apt-add-repository as one word", async () => {
  writeFileSync(join(root, "usr/bin/apt-add-repository"), '#!/bin/sh\nprintf "<%s>" "$@" >> /root/archives\n', {
    mode: 0o755,
  });
  await apply(ppa, { src: "ppa:some one/$(touch /root/code)" }, { host });
  await apply(ppa, { src: "ppa:x/y", present: false }, { host });
  expect(readFileSync(join(root, "root/archives"), "utf8")).toBe(
    "<-y><ppa:some one/$(touch /root/code)><-y><--remove><ppa:x/y>",
  );
  expect(existsSync(join(root, "root/code"))).toBe(false);
  expect(await askFact(DebArch, {}, host)).toBe((await mustRun(host, "dpkg --print-architecture")).trim());
}, 120_000);
