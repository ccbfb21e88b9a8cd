/** A connector of the user's own, as the README shows it. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installDeployModules } from "../../src/deploy/index.ts";
import type { Connector } from "../../src/core/connector.ts";
import { testConnector } from "../contracts/connector.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { spawn } from "../support/test-host.ts";

setDefaultTimeout(120_000);
const CONFIG = join(import.meta.dir, "../../fixtures/connectors/own/infra.config.ts");
const MAIN = join(import.meta.dir, "../../src/main.ts");

let root: string;
let path: string | undefined;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tsinfra-own-"));
  await mkdir(join(root, "bin"));
  const script = `#!/bin/sh
[ "$1 $2 $3" = "alloc exec -i=true" ] && case $4 in -t=true|-t=false) ;; *) false ;; esac || { echo "unexpected: $*" >&2; exit 99; }
shift 4
[ "$1" != -task ] || { echo "$2" >>${root}/tasks; shift 2; }
[ "$1" = a1 ] || { echo "No allocation(s) with prefix or ID \\"$1\\" found" >&2; exit 1; }
shift
exec setsid -w "$@"\n`;
  await writeFile(join(root, "bin/nomad"), script);
  await chmod(join(root, "bin/nomad"), 0o755);
  path = process.env["PATH"];
  process.env["PATH"] = `${join(root, "bin")}:${path}`;
});
afterAll(async () => {
  process.env["PATH"] = path;
  await rm(root, { recursive: true, force: true });
});

const nomad = async (): Promise<Connector> => {
  await installDeployModules();
  return ((await import(CONFIG)) as { nomad: Connector }).nomad;
};
testConnector({
  name: "a connector of one's own",
  can: { pty: true, rsync: false },
  open: async () => (await nomad()).connect!(targetFor("a1"), connectorContext()),
});

let count = 0;
async function tsinfra(config: string | undefined, ...args: string[]) {
  const cwd = join(root, `run-${count++}`);
  await mkdir(cwd);
  if (config === undefined) await cp(CONFIG, join(cwd, "infra.config.ts"));
  else await writeFile(join(cwd, "infra.config.ts"), config);
  return await spawn(["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", cwd, process.execPath, MAIN, ...args]);
}

describe("in infra.config.ts it", () => {
  test("reaches hosts from the command line, with its data, alone and in a chain", async () => {
    const ran = await tsinfra(undefined, "@nomad/a1", "--data", "nomadTask=web", "exec", "--", "echo hello from $0");
    expect([ran.exitCode, ran.stdout], ran.stderr).toEqual([0, expect.stringContaining("hello from sh")]);
    expect(await readFile(join(root, "tasks"), "utf8")).toMatch(/^(web\n)+$/);
    const listed = JSON.parse((await tsinfra(undefined, "@nomad/a1", "debug-inventory")).stdout);
    expect(listed.hosts["@nomad/a1"].groups).toEqual(["@nomad", "all"]);
  });

  test("says what is wrong with a host", async () => {
    const ran = await tsinfra(undefined, "@nomad/b2", "exec", "--", "true");
    expect(ran.exitCode).toBe(1);
    expect(ran.stderr).toContain(
      'Cannot run commands in the allocation "b2": No allocation(s) with prefix or ID "b2" found',
    );
    const warned = await tsinfra(undefined, "@nomad/a1", "--data", "nomadTsk=web", "exec", "--", "true");
    expect(warned.stderr).toContain('did you mean "nomadTask"?');
  });

  test("is named where its commands are not heard of, and where it is not left in order", async () => {
    const config = `const nothing = { exitCode: 0, stdout: new Uint8Array(), stderr: new Uint8Array() };
export default {
  connectors: [
    {
      name: "own", summary: "", can: {}, dataKeys: {},
      connect: async () => ({ run: async () => nothing, close: async () => { throw new Error("boom"); } }),
    },
  ],
};
`;
    const ran = await tsinfra(config, "@own/x", "exec", "--", "true");
    expect([ran.exitCode, ran.stderr]).toEqual([
      1,
      expect.stringContaining(
        'run() of the connector "@own" on @own/x ended (exit code 0) and did not say that the command had begun',
      ),
    ]);
    expect(ran.stderr).toContain('Warning: close() of the connector "@own" on @own/x threw Error: boom');
  });

  test.each([
    ["hosts", 'The run was interrupted: The connector "own", asked for the hosts of "@own/x", had not ended'],
    ["connect", 'interrupted while it connected to @own/x: connect() of the connector "@own" for @own/x had not ended'],
  ])("is named where it is interrupted in its %s()", async (member, told) => {
    const config = `export default {
  connectors: [
    {
      name: "own", summary: "", can: {}, dataKeys: {},
      ${member}: () => {
        setInterval(() => {}, 1000);
        process.kill(process.pid, "SIGTERM");
        return new Promise(() => {});
      },
    },
  ],
};
`;
    const ran = await tsinfra(config, "@own/x", "exec", "--", "true");
    expect([ran.exitCode, ran.stderr]).toEqual([130, expect.stringContaining(told)]);
  });

  test("has to be one", async () => {
    const ran = await tsinfra('export default { connectors: [{ name: "x" }] };\n', "@local", "exec", "--", "true");
    expect(ran.stderr).toContain('Setting "connectors" must be a list of connectors');
    expect(ran.stderr).toContain("infra.config.ts:1:18");
    const taken = await tsinfra(
      'import { programConnector } from "tsinfra";\nexport default { connectors: [programConnector({ name: "docker", summary: "", dataKeys: {}, open: () => Promise.reject() })] };\n',
      "@local",
      "exec",
      "--",
      "true",
    );
    expect([taken.exitCode === 0, taken.stderr]).toEqual([
      false,
      expect.stringContaining('Setting "connectors" has "docker", but there is a connector of that name'),
    ]);
  });
});
