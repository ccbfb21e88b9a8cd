/** Connectors whose programs need more than most machines have: a stand-in checks every argument, and runs what it is told here. tests/systems/places.test.ts has the real ones. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createIncusConnector,
  createKubectlConnector,
  createLxdConnector,
  createMachinectlConnector,
  createNspawnConnector,
} from "../../src/connectors/program/places.ts";
import { sh } from "../../src/core/command.ts";
import type { Connector } from "../../src/core/connector.ts";
import { testConnector } from "../contracts/connector.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { spawn } from "../support/test-host.ts";

let bin: string;
let env: Record<string, string | undefined>;
beforeAll(async () => {
  bin = await mkdtemp(join(tmpdir(), "tsinfra-bin-"));
  env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}`, LOG: join(bin, "log") };
  // What runs there is no child of the program, and does not end with it.
  const after = (program: string, head: string, tail = ""): Promise<void> =>
    writeFile(
      join(bin, program),
      `#!/bin/sh
printf '%s\\037' "$@" >>"$LOG"; printf '\\n' >>"$LOG"
${head}
[ $# -ge 3 ] && [ "$1" = /bin/sh ] && [ "$2" = -c ] || { echo "unexpected: $*" >&2; exit 99; }
${tail}
exec setsid -w "$@"\n`,
    );
  const upTo = 'until [ "$1" = -- ]; do shift || exit 98; done; shift';
  await after("kubectl", upTo);
  await after("lxc", upTo);
  await after("incus", upTo);
  const systemd = [
    'until [ "$1" = /bin/sh ]; do shift || exit 98; done',
    // As systemd does: two dollars are one, a single one begins a variable.
    `n=$#; while [ $n -gt 0 ]; do
  case $(printf %s "$1" | sed 's/[$][$]//g') in *\\$*) echo "a variable in: $1" >&2; exit 97;; esac
  word=$(printf '%s.' "$1" | sed 's/[$][$]/$/g'); shift; set -- "$@" "\${word%.}"; n=$((n - 1))
done`,
  ] as const;
  for (const program of ["systemd-run", "machinectl"]) await after(program, ...systemd);
  for (const program of ["kubectl", "lxc", "incus", "systemd-run", "machinectl"])
    await chmod(join(bin, program), 0o755);
});
afterAll(() => rm(bin, { recursive: true, force: true }));

/** Arguments of every call so far, what is run left out. */
async function calls(): Promise<string[]> {
  const log = await readFile(join(bin, "log"), "utf8");
  await rm(join(bin, "log"));
  return log
    .split("\x1f\n")
    .filter(Boolean)
    .map(line => line.split("\x1f"))
    .map(words => words.slice(0, words.indexOf("/bin/sh")).join(" "));
}

const lazily =
  (make: (options: { env: typeof env }) => Connector, address: string, data = {}) =>
  async () =>
    await make({ env }).connect!(targetFor(address, data), connectorContext());

for (const [name, make, address] of [
  ["kubectl", createKubectlConnector, "prod/app:side"],
  ["lxd", createLxdConnector, "box"],
  ["machinectl", createMachinectlConnector, "box"],
] as const) {
  testConnector({ name: `${name}, by a stand-in`, can: make().can, open: lazily(make, address) });
}

const SYSTEMD_RUN =
  "--machine=box --quiet --wait --collect --service-type=exec --property=KillMode=process --setenv=HOME=/root --pipe";
test.each([
  ["kubectl", createKubectlConnector, "app", {}, ["exec -i app --", "exec -i app --", "exec -it app --"]],
  [
    "kubectl",
    createKubectlConnector,
    "prod/app:side",
    { kubectlContext: "c x", kubectlKubeconfig: "/k" },
    ["-i", "-i", "-it"].map(
      flag => `--kubeconfig=/k --context=c x --namespace=prod exec ${flag} app --container=side --`,
    ),
  ],
  [
    "kubectl",
    createKubectlConnector,
    "x",
    { kubectlPod: "deployment/app", kubectlNamespace: "n", kubectlContainer: "c" },
    ["-i", "-i", "-it"].map(flag => `--namespace=n exec ${flag} deployment/app --container=c --`),
  ],
  [
    "lxd",
    createLxdConnector,
    "remote:box",
    {},
    [
      "exec remote:box --force-noninteractive --",
      "exec remote:box --force-noninteractive --",
      "exec remote:box --force-interactive --",
    ],
  ],
  [
    "incus",
    createIncusConnector,
    "box",
    {},
    ["exec box --force-noninteractive --", "exec box --force-noninteractive --", "exec box --force-interactive --"],
  ],
  [
    "machinectl",
    createMachinectlConnector,
    "box",
    {},
    [SYSTEMD_RUN, SYSTEMD_RUN, "shell --quiet --setenv=HOME=/root box"],
  ],
  ["nspawn", createNspawnConnector, "box", {}, [SYSTEMD_RUN, SYSTEMD_RUN, "shell --quiet --setenv=HOME=/root box"]],
] as const)("%s is called with what it takes", async (_, make, address, data, expected) => {
  await rm(join(bin, "log"), { force: true });
  const connection = await lazily(make, address, data)();
  const nasty = "$HOME $$ ${x} 'a' \"b\" \n";
  expect(Buffer.from((await connection.run(sh`printf %s ${nasty}`)).stdout).toString()).toBe(nasty);
  await connection.run(sh`true`, { pty: true });
  await connection.close();
  expect(await calls()).toEqual([...expected]);
});

describe("a program that", () => {
  test("is not there is named", async () => {
    const error = await createLxdConnector({ env: { PATH: "/nowhere" } }).connect!(
      targetFor("box"),
      connectorContext(),
    ).catch(error => error);
    expect([error.code, error.message, error.hint]).toEqual([
      "E_CONNECT",
      expect.stringMatching(/^Cannot run commands in the container "box": .*lxc.*not found/),
      expect.stringMatching(/^Is the program installed\?/),
    ]);
  });

  test("must be run by root is run with sudo where the host's data says so", async () => {
    await writeFile(
      join(bin, "sudo"),
      '#!/bin/sh\n[ "$1" = -n ] || exit 96\nshift\necho "sudo $1" >>"$LOG.sudo"\nexec "$@"\n',
    );
    await chmod(join(bin, "sudo"), 0o755);
    const connection = await lazily(createIncusConnector, "box", { incusSudo: true })();
    expect((await connection.run(sh`exit 4`)).exitCode).toBe(4);
    await connection.close();
    expect(await readFile(`${env["LOG"]}.sudo`, "utf8")).toBe("sudo incus\nsudo incus\n");
  });

  test("would take an address for an option does not get it", async () => {
    const error = await lazily(createLxdConnector, "--help")().catch(error => error);
    expect([error.code, error.message]).toEqual(["E_CONNECT", '"--help" would be an option of lxd']);
  });
});

test.each([
  ["kubectl", createKubectlConnector, "prod/app:side", { kubectlKubeconfig: "/dev/null" }, /refused|did you specify/i],
  ["systemd-run", createMachinectlConnector, "nowhere-at-all", {}, /bus|machine|connect/i],
] as const)("the real %s understands what it is told", async (program, make, address, data, complaint) => {
  if (!Bun.which(program)) return console.warn(`Not run: there is no ${program} on this machine`);
  const help = await spawn([program, "--help"]);
  expect(help.exitCode).toBe(0);
  const error = await make().connect!(targetFor(address, data), connectorContext()).catch(error => error);
  expect(error.message).toMatch(complaint);
  expect(error.message).not.toMatch(/unknown flag|unrecognized option|invalid option/);
});
