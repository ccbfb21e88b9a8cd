import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ZfsDatasets, ZfsFilesystems, ZfsSnapshots } from "../../src/facts/zfs.ts";
import { puppet, zfs } from "../../src/operations/index.ts";
import { apply, applyTwice, askFact, chrootHost, mustRun, type TestHost } from "../support/apply.ts";
import { debianRootfs, removeRootfs } from "../support/rootfs.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(120_000);
const roots: string[] = [];

async function userland(packages: readonly string[]): Promise<TestHost & { readonly root: string }> {
  const root = await debianRootfs({ packages });
  roots.push(root);
  return { ...chrootHost(root), root };
}

let pool: TestHost & { readonly root: string };

// ZFS in user space, of 2012: it has no volumes, sets one property at a time, and knows `snap` by its long name only.
beforeAll(async () => {
  pool = await userland(["zfs-fuse"]);
  await mustRun(pool, "mknod /dev/fuse c 10 229; truncate -s 128M /disk; mkdir -p /run/zfs /var/run/zfs /var/lock/zfs");
  await mustRun(
    pool,
    'printf \'#!/bin/sh\\n[ "$1" != snap ] || { shift; set -- snapshot "$@"; }\\nexec /sbin/zfs "$@"\\n\' > /usr/local/sbin/zfs; chmod +x /usr/local/sbin/zfs',
  );
  await mustRun(pool, "zfs-fuse -p /zfs.pid >/dev/null 2>&1");
  await until("the pool is made", async () => (await pool.exec("zpool create -m none tank /disk")).exitCode === 0);
}, 300_000);
afterAll(async () => {
  const pid = readFileSync(join(pool.root, "zfs.pid"), "utf8").trim();
  await pool.exec(`zpool destroy tank; kill ${pid}`);
  await until("zfs-fuse has ended", async () => !existsSync(`/proc/${pid}/exe`));
  roots.forEach(removeRootfs);
});

test("zfs.filesystem and zfs.dataset make, change and destroy", async () => {
  const value = async (property: string, name = "tank/a-b/c") =>
    (await mustRun(pool, `zfs get -H -o value ${property} '${name}'`)).trim();
  await applyTwice(
    zfs.filesystem,
    {
      fsName: "tank/a-b/c",
      recursive: true,
      properties: { compression: "gzip", "com.example:note": "it's $HOME; a=b" },
    },
    { host: pool },
  );
  expect(await value("compression")).toBe("gzip");
  expect(await value("com.example:note")).toBe("it's $HOME; a=b");
  await applyTwice(
    zfs.filesystem,
    { fsName: "tank/a-b/c", properties: { compression: "gzip", quota: "10M" } },
    { host: pool },
  );
  expect(await value("quota")).toBe("10M");
  expect(Object.keys(await askFact(ZfsFilesystems, {}, pool))).toEqual(["tank", "tank/a-b", "tank/a-b/c"]);

  await applyTwice(
    zfs.snapshot,
    { snapshotName: "tank/a-b@one", recursive: true, properties: { "com.example:by": "me" } },
    { host: pool },
  );
  expect((await mustRun(pool, "zfs list -H -o name -t snapshot")).trim().split("\n")).toEqual([
    "tank/a-b@one",
    "tank/a-b/c@one",
  ]);
  expect(await value("com.example:by", "tank/a-b@one")).toBe("me");
  await applyTwice(
    zfs.snapshot,
    { snapshotName: "tank/a-b@one", properties: { "com.example:by": "you" } },
    { host: pool },
  );
  expect(Object.keys(await askFact(ZfsSnapshots, {}, pool))).toEqual(["tank/a-b@one", "tank/a-b/c@one"]);
  await applyTwice(zfs.snapshot, { snapshotName: "tank/a-b@one", present: false, recursive: true }, { host: pool });
  expect(await mustRun(pool, "zfs list -H -o name -t snapshot")).toBe("");

  await expect(apply(zfs.dataset, { datasetName: "tank/a-b", present: false }, { host: pool })).rejects.toThrow(
    "exit code",
  );
  await applyTwice(zfs.dataset, { datasetName: "tank/a-b", present: false, recursive: true }, { host: pool });
  expect(Object.keys(await askFact(ZfsDatasets, {}, pool))).toEqual(["tank"]);
});

test("puppet.agent asks the server it is told", async () => {
  const host = await userland(["puppet-agent"]);
  await expect(apply(puppet.agent, { server: "127.0.0.1", port: 1 }, { host })).rejects.toThrow("https://127.0.0.1:1/");
});
