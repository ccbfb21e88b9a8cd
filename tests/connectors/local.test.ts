import { expect, test } from "bun:test";
import { join } from "node:path";
import { setDefaultTimeout } from "bun:test";
import { createLocalConnector } from "../../src/connectors/local.ts";
import { testConnector } from "../contracts/connector.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { needTools } from "../support/machine.ts";

setDefaultTimeout(60_000);
await needTools({ rsync: "rsync" });
const connector = createLocalConnector();
testConnector({
  name: "local",
  can: connector.can,
  open: () => connector.connect!(targetFor(""), connectorContext()),
});

test("what was taken out of this process's environment is not passed on", async () => {
  const program = `process.env.ADDED = "yes"; delete process.env.TSINFRA_TEST_TAKEN;
    const { runProcess } = await import(${JSON.stringify(join(import.meta.dir, "../../src/connectors/shared/process.ts"))});
    for (const pty of [false, true]) process.stdout.write((await runProcess(["sh", "-c", "echo $ADDED:$TSINFRA_TEST_TAKEN"], { pty })).stdout);`;
  const child = Bun.spawn([process.execPath, "-e", program], {
    env: { ...process.env, TSINFRA_TEST_TAKEN: "secret" },
    stdout: "pipe",
  });
  expect(await child.stdout.text()).toBe("yes:\nyes:\n");
});
