/** Which keys of host data are told as probably misspelt. */
import { expect, test } from "bun:test";
import { readsAnyKey } from "../../src/cli/check/host-data.ts";
import type { Source } from "../../src/cli/check/sources.ts";
import { createConnectors } from "../../src/connectors/index.ts";
import { DataKeys } from "../../src/inventory/data-keys.ts";

const keys = new DataKeys(createConnectors().values());

test("keys in camel case that are near to a connector's, or begin like one, and a connector's own in snake case", () => {
  expect(keys.suspicion("sshUsr")).toBe('did you mean "sshUser"?');
  expect(keys.suspicion("sshTurbo")).toBe("no connector reads it");
  expect(keys.suspicion("ssh_user")).toBe('did you mean "sshUser"?');
  expect(keys.suspicion("_sudoUsr")).toBe('did you mean "_sudoUser"?');
});

test("other keys in snake case are the user's own, however near", () => {
  for (const key of ["ssh_motd", "sshd_port", "docker_users", "docker_enabled", "podman_user", "ssh_permit_root_login"])
    expect([key, keys.suspicion(key)]).toEqual([key, undefined]);
});

test("a program that reads data by names that do not stand in it may read any", () => {
  const reads = (text: string) => readsAnyKey([{ text } as Source]);
  for (const text of [
    'files.template({ src: "a.j2", dest: "/a" })',
    "const all = { ...host.data };",
    "host.data[key]",
    "Object.entries(host.data)",
    "host.data.get(key, 1)",
  ])
    expect([text, reads(text)]).toEqual([text, true]);
  for (const text of ["host.data.port", 'host.data["port"]', 'host.data.get("port", 1)', "const { port } = host.data;"])
    expect([text, reads(text)]).toEqual([text, false]);
});
