/** Operations that are called inside the steps of one of the user's own. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { check, checksFiles, directory, tsinfra } from "../support/checking.ts";

setDefaultTimeout(60_000);
checksFiles();

const own = (definition: string): string => `import { host, operation, sh } from "tsinfra";
import { files, server } from "tsinfra/operations";
import { packages } from "tsinfra/operations/apt";
const own = operation<{ readonly server?: string }>({ name: "own", ${definition} });
own({});
`;

test.each([
  ['async *steps() {\n  server.shell({ commands: ["true"] });\n  yield sh`true`; }', "5:10", "server.shell"],
  [
    'async *steps() {\n  if (1 > 0) await server.shell({ commands: ["true"] });\n  yield sh`true`; }',
    "5:27",
    "server.shell",
  ],
  ['steps: async function* () {\n  packages({ packages: "vim" });\n  yield sh`true`; }', "5:3", "apt.packages"],
])("are refused by check as by a run: %s", async (definition, at, name) => {
  const message = `The operation ${name} is used in the steps of own, where there is no current host`;
  const hint = `Steps give commands and call no operations: yield* ${name}.steps(host, { … })`;
  const cwd = await directory({ "deploy.ts": own(definition) });
  expect(await check(cwd, "deploy.ts")).toContain(`deploy.ts:${at} ${message} (${hint})`);
  const { err, code } = await tsinfra(cwd, "@local", "deploy.ts", "--dry");
  expect(err.replaceAll(/\s+/g, " ")).toContain(message);
  expect(code).not.toBe(0);
});

test.each([
  'async *steps(host) {\n  yield* server.shell.steps(host, { commands: ["true"] }); }',
  "async *steps(_, { server }) {\n  yield sh`echo ${server?.trim() ?? ''}`; }",
  'async *steps() {\n  const later = () => server.shell({ commands: ["true"] });\n  yield sh`echo ${typeof later}`; }',
])("what is right is left alone: %s", async definition => {
  const cwd = await directory({ "deploy.ts": own(definition) });
  expect((await check(cwd, "deploy.ts")).filter(line => line.includes("steps of"))).toEqual([]);
});
