import { afterAll, beforeAll, expect, test } from "bun:test";
import { sh } from "../../src/core/command.ts";
import { createChrootConnector } from "../../src/connectors/program/places.ts";
import { testConnector } from "../contracts/connector.ts";
import { testSession } from "../contracts/session.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { busyboxRootfs, debianRootfs, removeRootfs } from "../support/rootfs.ts";

const connector = createChrootConnector();
const open = (root: string) => connector.connect!(targetFor(root), connectorContext());

for (const [name, make] of [
  ["Debian", () => debianRootfs({ packages: ["rsync"] })],
  ["busybox", busyboxRootfs],
] as const) {
  let root: string | undefined;
  const close = async () => {
    if (root !== undefined) removeRootfs(root);
    root = undefined;
  };
  testConnector({
    name: `chroot, ${name}`,
    can: { ...connector.can, rsync: name === "Debian" },
    open: async () => open((root ??= await make())),
    close,
  });
  testSession({ name: `chroot, ${name}`, open: async () => open((root ??= await make())), close });
}

let root: string;
beforeAll(async () => void (root = await busyboxRootfs()), 60_000);
afterAll(() => removeRootfs(root));

test("the control machine's environment stays outside", async () => {
  const inside = createChrootConnector({ env: { ...process.env, HOME: "/home/ada", TOKEN: "secret" } });
  const connection = await inside.connect!(targetFor(root), connectorContext());
  const { stdout } = await connection.run(sh`echo "$HOME $PATH $TOKEN"`);
  expect(Buffer.from(stdout).toString()).toBe("/root /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \n");
  await connection.close();
});

test("a directory without a system is refused at once", async () => {
  const error = await connector.connect!(targetFor("nowhere/at/all"), connectorContext()).catch(error => error);
  expect([error.code, error.message]).toEqual([
    "E_CONNECT",
    expect.stringMatching(/^Cannot change root to "\/nowhere\/at\/all": /),
  ]);
});
