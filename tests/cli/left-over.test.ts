/** A deploy file fails while code of it that nobody awaits goes on: the failure is told, once, and nothing else. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { executable } from "../support/executable.ts";
import { runToEnd } from "../support/spawn-cli.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";

setDefaultTimeout(300_000);

const IMPORTS = `import { anyChanged, deploy, host, inventory } from "tsinfra";
import { server } from "tsinfra/operations";
import { Command, Hostname } from "tsinfra/facts/server";
`;
let cwd: string;
let program: string;
let sshd: Sshd;
beforeAll(async () => {
  [program, sshd] = await Promise.all([executable(), startSshd()]);
  cwd = await mkdtemp(join(tmpdir(), "tsinfra-left-over-"));
  const data = { ...sshd.data, sshKnownHostsFile: join(sshd.home, ".ssh/known_hosts"), sshConfigFile: "none" };
  const hosts = ["a", "b"].map(name => [name, data]);
  await writeFile(join(cwd, "inventory.ts"), `export default ${JSON.stringify({ web: hosts })};\n`);
});
afterAll(() => Promise.all([rm(cwd, { recursive: true, force: true }), sshd.stop()]));

/** What is told in red of a run, without what stands behind it. */
async function told(body: string, hosts = "inventory.ts") {
  await writeFile(join(cwd, "deploy.ts"), `${IMPORTS}${body}`);
  const { code, err } = await runToEnd([program, hosts, "deploy.ts", "-y", "--plain"], cwd);
  return { code, err, errors: err.split("\n").flatMap(line => /^Error: (.*?)(?: \(.*)?$/.exec(line)?.[1] ?? []) };
}

test("its questions that end with the connections are not told beside it, or before it", async () => {
  const { code, errors } = await told(`async function web() {
  for (let round = 0; round < 20; round++)
    await Promise.all(inventory.hosts.map(one => one.getFact(Command, { command: \`echo \${round}\` })));
  server.shell({ commands: ["true"] });
}
web();
await host.getFact(Command, { command: "echo ready" });
throw new Error("the reason");
`);
  expect({ code, errors }).toEqual({ code: 1, errors: ["the reason"] });
});

test("an error of it that nobody catches does not come in its place", async () => {
  // However far the run is when that happens.
  for (const turns of [0, 1, 2, 3, 5, 8, 13]) {
    const { code, errors } = await told(
      `async function web() {
  for (let turn = 0; turn < ${turns}; turn++) await new Promise(setImmediate);
  throw new RangeError("left over");
}
await host.getFact(Hostname);
web();
throw new Error("the reason");
`,
      "@local",
    );
    expect(code).toBe(1);
    expect(errors).toContain("the reason");
  }
});

test.each([
  [
    "an operation that is refused in a function that nobody awaits",
    'const held = base();\nconst { didNotChange } = await app();\nserver.shell({ commands: ["true"], _if: [didNotChange, anyChanged(held)] });\n',
    /^server\.shell was called beside deploy\("App"\)/,
    6,
  ],
  [
    "one whose promise is swallowed",
    "await Promise.allSettled([base(), app()]);\n",
    /^server\.shell was called beside deploy\("App"\)/,
    6,
  ],
  [
    "a deploy that nobody awaits",
    'const held = app();\nawait deploy("Beside", async () => void server.shell({ commands: ["true"] }))();\nserver.shell({ commands: ["true"], _if: anyChanged(held) });\n',
    /^deploy\("App"\) .*is not awaited/,
    undefined,
  ],
])("%s is told once, at its line", async (_, body, message, line) => {
  const functions = `async function base() {
  await host.getFact(Command, { command: "echo base" });
  return server.shell({ commands: ["echo base"] });
}
const app = deploy("App", async () => {
  await host.getFact(Command, { command: "echo app; sleep 0.1" });
  server.shell({ commands: ["echo app"] });
});
`;
  for (const hosts of ["@local", "inventory.ts"]) {
    const { code, err } = await told(`${functions}${body}`, hosts);
    const errors = err.split("\n").filter(one => one.startsWith("Error: "));
    expect({ code, count: errors.length }).toEqual({ code: 1, count: 1 });
    expect(errors[0]!.replace("Error: ", "")).toMatch(message);
    expect(err).toContain(line === undefined ? "at deploy.ts:" : `at deploy.ts:${line}:`);
  }
});
