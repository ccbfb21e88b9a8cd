import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { LxdContainers } from "../../src/facts/lxd.ts";
import { lxd } from "../../src/operations/index.ts";
import { apply, applyTwice, askFact, mustRun } from "../support/apply.ts";
import { type Hosts, raiseHosts, type RaisedHost } from "../support/hosts.ts";

setDefaultTimeout(120_000);
let hosts: Hosts;
let host: RaisedHost;

const PRESEED =
  "storage_pools:\n- name: default\n  driver: dir\nprofiles:\n- name: default\n  config: {security.privileged: 'true'}\n  devices:\n    root: {path: /, pool: default, type: disk}\n";
/** An image with busybox alone, whose first process sleeps until it is told to stop. */
const IMAGE = [
  "set -e; mkdir -p /tmp/i/rootfs; cd /tmp/i/rootfs; mkdir -p bin sbin dev proc sys tmp etc root run var/lib; cp /tmp/busybox bin/busybox",
  "for name in sh sleep; do ln -s busybox bin/$name; done; printf '#!/bin/sh\\ntrap exit PWR\\nwhile :; do sleep 600 & wait; done\\n' > sbin/init; chmod +x sbin/init; echo root:x:0:0:root:/root:/bin/sh > etc/passwd",
  "cd ..; printf 'architecture: x86_64\\ncreation_date: 1700000000\\nproperties: {description: bb}\\n' > metadata.yaml; tar -cf ../i.tar metadata.yaml rootfs; lxc image import ../i.tar --alias bb",
].join("\n");

beforeAll(async () => {
  hosts = await raiseHosts({ count: 1, init: "systemd", packages: ["busybox-static", "lxd", "lxd-client"] });
  host = hosts.hosts[0]!;
  await mustRun(host, "cat > /tmp/busybox; chmod +x /tmp/busybox", readFileSync(`${host.root}/bin/busybox`));
  await mustRun(host, "lxd init --preseed", new TextEncoder().encode(PRESEED));
  await mustRun(host, IMAGE);
}, 400_000);
afterAll(() => hosts.down());

test("lxd.container launches and deletes", async () => {
  await applyTwice(lxd.container, { id: "c1", image: "bb" }, { host });
  expect(await mustRun(host, "lxc list -c ns --format csv")).toBe("c1,RUNNING\n");
  expect(await askFact(LxdContainers, {}, host)).toMatchObject([{ name: "c1", status: "Running", type: "container" }]);
  expect((await applyTwice(lxd.container, { id: "c1", present: false }, { host })).commands).toEqual([
    "lxc stop c1",
    "lxc delete c1",
  ]);
  await mustRun(host, "lxc init bb c2 < /dev/null");
  expect((await applyTwice(lxd.container, { id: "c2", present: false }, { host })).commands).toEqual(["lxc delete c2"]);
  expect(await mustRun(host, "lxc list -c n --format csv")).toBe("");
  expect((await apply(lxd.container, { id: "c3", present: false }, { host })).noops).toEqual([
    "container c3 does not exist",
  ]);
});
