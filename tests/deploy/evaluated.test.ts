/** Deploy files that evaluate text, and such as leave errors without a stack. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { explained } from "../../src/cli/explain.ts";
import type { TsinfraError } from "../../src/core/errors.ts";
import { installDeployModules, loadDeploy } from "../../src/deploy/index.ts";
import { fakeRun } from "../support/fake-run.ts";

let dir: string;
let files = 0;
beforeAll(async () => {
  dir = realpathSync(mkdtempSync(`${tmpdir()}/evaluated-`));
  await installDeployModules();
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Prepare a deploy file for two hosts: what is proposed, and what is thrown. */
async function prepared(body: string) {
  const file = `${dir}/deploy${files++}.ts`;
  writeFileSync(
    file,
    `import { server } from "tsinfra/operations";\nimport { host } from "tsinfra";\n${body}\nif (!host.name) console.log(server);\n`,
  );
  const fake = fakeRun(["a", "b"], {}, { cwd: dir });
  await fake.run.connect();
  const { stackTraceLimit } = Error;
  try {
    await fake.run.prepare([await loadDeploy(file, { cwd: dir })]);
  } catch (error) {
    return { file, operations: [], error: (await explained(error)) as TsinfraError };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  return { file, operations: fake.run.propose(), error: undefined };
}

test("a file that evaluates text is evaluated for each host like any other", async () => {
  const { error, operations } = await prepared(
    `const command: string = eval('"echo " + host.name');\nserver.shell({ commands: [command] });\neval("server.shell({ commands: ['true'] })");`,
  );
  expect(error).toBeUndefined();
  expect(operations.length).toBeGreaterThan(0);
  expect(operations.flatMap(({ change }) => change)).toEqual(expect.arrayContaining(["a", "b"]));
});

test.each([
  ["eval", `if (host.name) {\n  eval("\\n\\n null.x");\n}`, 4],
  ["indirect eval", `if (host.name) {\n  (0, eval)("\\n\\n null.x");\n}`, 4],
  ["a function of text", `if (host.name) {\n  new Function("\\n\\n null.x")();\n}`, 4],
  ["a call of ours in text", `if (host.name) {\n  eval("\\n\\n server.shell({ comands: ['true'] })");\n}`, 4],
])("what %s throws is told at the line that evaluates it", async (_, body, line) => {
  const { file, error } = await prepared(body);
  expect(error?.at).toMatchObject({ file, line });
});

test.each([
  ["what the runtime throws", "(undefined as unknown as { x: 1 }).x;"],
  ["what the file throws", 'throw new Error("boom");'],
])("where errors have no stack, %s is told with the file", async (_, body) => {
  const { file, error } = await prepared(`Error.stackTraceLimit = 0;\n${body}`);
  expect(error?.message).toStartWith(`${file} threw `);
});

test("where errors have no stack, an operation still knows its line", async () => {
  const { file, error } = await prepared("Error.stackTraceLimit = 0;\nserver.shell({ comands: [] } as never);");
  expect(error?.at).toMatchObject({ file, line: 4 });
});
