/** Which keys of host data are told as probably misspelt. */
import { expect, test } from "bun:test";
import { createConnectors } from "../../src/connectors/index.ts";
import { DataKeys } from "../../src/inventory/data-keys.ts";

const keys = new DataKeys(createConnectors().values());

test("keys in camel case that are near to a connector's, or begin like one, and a connector's own in snake case", () => {
  expect(keys.suspicion("sshUsr")).toEqual({ near: "sshUser", isSure: true });
  expect(keys.suspicion("_sudoUsr")).toEqual({ near: "_sudoUser", isSure: true });
  expect(keys.suspicion("sshTurbo")).toEqual({ near: undefined, isSure: false });
  expect(keys.suspicion("ssh_user")).toEqual({ near: "sshUser", isSure: false });
  expect(keys.suspicion("_sudo_user")).toEqual({ near: "_sudoUser", isSure: false });
});

test("other keys in snake case are the user's own, however near", () => {
  for (const key of ["ssh_motd", "sshd_port", "docker_users", "docker_enabled", "podman_user", "ssh_permit_root_login"])
    expect([key, keys.suspicion(key)]).toEqual([key, undefined]);
});
