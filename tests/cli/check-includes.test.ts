/** What is included where: the run starts at the deploy file that is evaluated, whichever module asks. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { check, checksFiles, directory, tsinfra } from "../support/checking.ts";

setDefaultTimeout(60_000);
checksFiles();

const including = (...paths: string[]): string =>
  `import { local } from "tsinfra";\nexport async function own(): Promise<void> {\n${paths.map(path => `  await local.include("${path}");\n`).join("")}}\n`;
const wrong = (name: string): string => `import { server } from "tsinfra/operations";\nserver.${name}();\n`;
const CALL = 'import { own } from "./lib/own.ts";\nawait own();\n';

test("a module's include is that of the deploy file, as in a run", async () => {
  const cwd = await directory({
    "deploy.ts": CALL,
    "lib/own.ts": including("./x.ts"),
    "x.ts": wrong("top"),
    "lib/x.ts": wrong("lib"),
  });
  for (const files of [["deploy.ts"], ["deploy.ts", "lib/own.ts"]])
    expect(await check(cwd, ...files)).toEqual([expect.stringContaining("x.ts:2:8 Property 'top'")]);
  const { err } = await tsinfra(cwd, "@local", "deploy.ts");
  expect(err).toContain("TypeError: server.top is not a function");
});

test("of each deploy file that loads it, and of an included one", async () => {
  const cwd = await directory({
    "deploy.ts":
      'import { local } from "tsinfra";\nawait local.include("./a/deploy.ts");\nawait local.include("b/main.ts");\n',
    "a/deploy.ts": 'import { own } from "../lib/own.ts";\nawait own();\n',
    "b/main.ts": 'import { own } from "../lib/own.ts";\nawait own();\n',
    "lib/own.ts": including("./x.ts", "y.ts"),
    "x.ts": wrong("top"),
    "a/x.ts": wrong("a"),
    "b/x.ts": wrong("b"),
    "lib/x.ts": wrong("lib"),
    "y.ts": wrong("y"),
  });
  const found = (await check(cwd, "deploy.ts")).map(line => line.split(" ")[0]);
  expect(found).toEqual(["a/x.ts:2:8", "b/x.ts:2:8", "y.ts:2:8"]);
});

test("what is imported for its types alone, and what nobody loads, starts at itself", async () => {
  const cwd = await directory({
    "deploy.ts": 'import type { Own } from "./lib/own.ts";\nconsole.log({} satisfies Own);\n',
    "lib/own.ts": `${including("./x.ts")}export type Own = object;\nawait own();\n`,
    "lib/x.ts": wrong("lib"),
  });
  for (const files of [["deploy.ts", "lib/own.ts"], ["lib/own.ts"]])
    expect(await check(cwd, ...files)).toEqual([expect.stringContaining("lib/x.ts:2:8 Property 'lib'")]);
});
