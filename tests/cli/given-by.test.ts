/** Settings that cannot be used together, or with these hosts, are told by who gave them. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLI, CLI_ENVIRONMENT, runToEnd } from "../support/spawn-cli.ts";

setDefaultTimeout(60_000);

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "tsinfra-given-"));
  await writeFile(join(dir, "empty.config.ts"), "export default {};\n");
  await writeFile(join(dir, "serial.config.ts"), "export default { serial: true };\n");
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const told = async (variables: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<string> =>
  (await runToEnd([...CLI, "@local", ...args, "exec", "--", "true"], dir, { ...CLI_ENVIRONMENT, ...variables })).err;

test.each(["limit", "exclude"])("hosts that are none, in the variable of %s", async option => {
  const variable = `TSINFRA_${option.toUpperCase()}`;
  const message = `Environment variable ${variable} "nope" matches no host and no group`;
  expect(await told({ [variable]: "nope" })).toContain(message);
  expect(await told({ [variable]: "nope" }, "--config", "empty.config.ts")).toContain(message);
  expect(await told({ [variable]: "nope" }, `--${option}`, "wbe")).toContain(`--${option} "wbe" matches no host`);
});

test("strategies that exclude each other", async () => {
  expect(await told({}, "--serial", "--no-wait")).toContain("--serial and --no-wait exclude each other");
  expect(await told({ TSINFRA_NO_WAIT: "true" }, "--config", "serial.config.ts")).toContain(
    'Setting "serial" and Environment variable TSINFRA_NO_WAIT exclude each other',
  );
});
