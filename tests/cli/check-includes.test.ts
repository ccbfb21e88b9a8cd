/** What is included where: the run starts at the deploy file that is evaluated, whichever module asks. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
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

describe("what is not there, with the words of a run", () => {
  const INCLUDE = 'import { local } from "tsinfra";\nawait local.include("./x.ts");\n';
  test.each([
    ["beside the deploy file", { "deploy.ts": INCLUDE }, "deploy.ts:2:13"],
    ["in the directory of the run", { "deploy.ts": INCLUDE.replace("./x", "roles/x") }, "deploy.ts:2:13"],
    ["in what is included", { "deploy.ts": INCLUDE.replace("./x", "./a/b"), "a/b.ts": INCLUDE }, "a/b.ts:2:13"],
    ["in a module", { "deploy.ts": CALL, "lib/own.ts": including("./x.ts"), "lib/x.ts": "" }, "lib/own.ts:3:15"],
  ])("%s", async (_, files, place) => {
    const cwd = await directory(files as Readonly<Record<string, string>>);
    const { err } = await tsinfra(cwd, "@local", "deploy.ts");
    const message = /There is no deploy file "\S+"/.exec(err)?.[0] ?? "";
    const hint = /^Hint: (Looked for .*)$/m.exec(err)?.[1] ?? "";
    expect(await check(cwd, "deploy.ts")).toEqual([`${place} ${message} (${hint})`]);
  });

  test("but not what may be there when it is asked for, or where", async () => {
    const own = 'import { local } from "tsinfra";\nimport { existsSync, writeFileSync } from "node:fs";\n';
    const cwd = await directory({
      "asked.ts": `${own}if (existsSync("./a.ts")) await local.include("./a.ts");\nconst has = existsSync;\nif (has(import.meta.dir)) await local.include("./b.ts");\n`,
      "made.ts": `${own}writeFileSync(\`${"${import.meta.dir}"}/a.ts\`, "");\nawait local.include("./a.ts");\n`,
      "tried.ts": `${own}try { await local.include("./a.ts"); } catch {}\nawait local.include("./b.ts").catch(() => undefined);\n`,
      "other.ts":
        'import { local as ours } from "tsinfra";\nconst local = { include: (name: string) => name };\nlocal.include("./a.ts");\nconsole.log(ours);\n',
      // Whoever loads it says where.
      "module.ts": including("./a.ts"),
      "elsewhere.ts": 'import { local } from "tsinfra";\nawait local.include("x.ts");\n',
      "below/deploy.ts": 'import { local } from "tsinfra";\nawait local.include("x.ts");\n',
      "below/x.ts": "export {};\n",
      "project/tasks/deploy.ts": 'import { local } from "tsinfra";\nawait local.include("tasks/z.ts");\n',
      "project/tasks/z.ts": "export {};\n",
      // One of those that load it has it.
      "first.ts": 'import { own } from "./lib/own.ts";\nawait own();\n',
      "below/second.ts": 'import { own } from "../lib/own.ts";\nconsole.log(own);\n',
      "lib/own.ts": including("./y.ts"),
      "y.ts": "export {};\n",
      "x.ts": "export {};\n",
    });
    const files = [
      "asked",
      "made",
      "tried",
      "other",
      "module",
      "elsewhere",
      "below/deploy",
      "first",
      "below/second",
      "project/tasks/deploy",
    ];
    const found = await check(cwd, ...files.map(name => `${name}.ts`));
    expect(found.filter(line => line.includes("There is no deploy file"))).toEqual([]);
  });
});
