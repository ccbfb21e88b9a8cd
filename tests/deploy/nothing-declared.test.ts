import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { installDeployModules, loadDeploy } from "../../src/deploy/index.ts";
import { fakeRun } from "../support/fake-run.ts";

let dir: string;
let files = 0;
beforeAll(async () => {
  dir = realpathSync(mkdtempSync(`${tmpdir()}/nothing-declared-`));
  await installDeployModules();
});
afterAll(() => rmSync(dir, { recursive: true }));

const IMPORTS = `import { host, local, sh } from "tsinfra";\nimport { server } from "tsinfra/operations";\nimport { Hostname } from "tsinfra/facts/server";\n`;

/** What deploy files are warned of, on hosts `a` and `b`, of which the first may fail. */
async function warnings(...bodies: readonly string[]): Promise<readonly (string | undefined)[]> {
  const names = bodies.map(body => {
    const name = `deploy${files++}.ts`;
    writeFileSync(`${dir}/${name}`, IMPORTS + body);
    return name;
  });
  const fake = fakeRun(
    ["a", "b"],
    { answer: (_, sent) => (sent === "false" ? { exitCode: 1 } : { stdout: "web\n" }) },
    { cwd: dir, loadDeploy: (name, includedFrom) => loadDeploy(name, { cwd: dir, includedFrom }) },
  );
  await fake.run.connect();
  await fake.run.prepare(await Promise.all(names.map(name => loadDeploy(name, { cwd: dir }))));
  expect(fake.of("log").every(({ host, level }) => host === undefined && level === "warn")).toBe(true);
  return fake
    .of("log")
    .map(({ message }) => names.reduce((text, name, index) => text.replace(name, `FILE${index}`), message));
}

const WARNING = (file: string): string =>
  `${file} declares no operation on any host and asks nothing: functions in it run only where they are called`;

test("a deploy file that declares nothing and asks nothing is told in one line, however many hosts there are", async () => {
  expect(await warnings(`async function site() {\n  server.shell({ commands: ["true"] });\n}\n`)).toEqual([
    WARNING("FILE0"),
  ]);
  expect(await warnings(`// Nothing yet.\n`)).toEqual([WARNING("FILE0")]);
  expect(await warnings(`export default async () => {};\n`)).toEqual([WARNING("FILE0")]);
  expect(await warnings(`if (host.name === "c") server.shell({ commands: ["true"] });\n`)).toEqual([WARNING("FILE0")]);
});

test("each file by itself", async () => {
  expect(
    await warnings(
      `server.shell({ commands: ["true"] });\n`,
      `const site = () => server.shell({ commands: ["true"] });\n`,
    ),
  ).toEqual([WARNING("FILE1")]);
});

test.each([
  ["declares an operation on one host", `if (host.name === "b") server.shell({ commands: ["true"] });\n`],
  ["asks a host for a fact", `if (host.name === "b") await host.getFact(Hostname);\n`],
  ["runs a command on a host", 'if (host.name === "b") await host.run(sh`true`);\n'],
  ["runs a command here", `if (host.name === "b") await local.shell("true");\n`],
  ["says what others use", `host.data["role"] = "web";\n`],
  ["fails on a host", 'if (host.name === "b") await host.run(sh`false`);\n'],
])("not a file that %s", async (_, body) => {
  const told = await warnings(body).catch((error: unknown) => [String(error)]);
  expect(told).toEqual([]);
});

test("not a file that asks what another has asked before", async () => {
  const body = `await host.getFact(Hostname);\n`;
  expect(await warnings(body, body)).toEqual([]);
});

test("not a file that includes one that declares, though that includes one that does not", async () => {
  writeFileSync(`${dir}/role.ts`, `${IMPORTS}server.shell({ commands: ["true"] });\n`);
  writeFileSync(`${dir}/empty.ts`, `export {};\n`);
  expect(await warnings(`await local.include("role.ts");\nawait local.include("empty.ts");\n`)).toEqual([]);
});
