import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { explained } from "../../src/cli/explain.ts";
import type { TsinfraError } from "../../src/core/errors.ts";
import { installDeployModules, loadDeploy } from "../../src/deploy/index.ts";
import { reportError } from "../../src/engine/report.ts";
import { fakeRun } from "../support/fake-run.ts";

let dir: string;
let files = 0;
beforeAll(async () => {
  dir = realpathSync(mkdtempSync(`${tmpdir()}/refused-`));
  await installDeployModules();
  writeFileSync(`${dir}/with-default.ts`, `export const port = 80;\nexport default () => {};\n`);
  writeFileSync(`${dir}/typo.ts`, `const x = 1;\nexport const y = x +;\n`);
  writeFileSync(
    `${dir}/uses.ts`,
    `// import { ports } from "./with-default";\nimport { port, ports } from "./with-default";\nexport default [port, ports];\n`,
  );
  writeFileSync(`${dir}/lazy.ts`, `export const lazy = async () => {\n  await import("./nope.ts");\n};\n`);
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Load a deploy file and evaluate it for a host: what it throws, as the command line tells it. */
async function outcome(source: string): Promise<TsinfraError | undefined> {
  const file = `${dir}/deploy${files++}.ts`;
  writeFileSync(file, source);
  const fake = fakeRun(["a"], {}, { cwd: dir });
  await fake.run.connect();
  try {
    await fake.run.prepare([await loadDeploy(file, { cwd: dir })]);
  } catch (error) {
    return (await explained(error)) as TsinfraError;
  }
  return undefined;
}

interface Refused {
  readonly source: string;
  readonly message: string;
  readonly hint?: string;
  /** Line and column; in another file, its name before them. */
  readonly at: string;
}

const REFUSED: Readonly<Record<string, Refused>> = {
  "a misspelt module of ours": {
    source: `import { host } from "tsinfra";\nimport { files } from "tsinfra/operations";\nimport { apt } from "tsinfra/operation";\nvoid [host, files, apt];\n`,
    message: "Cannot find package 'tsinfra/operation'",
    hint: 'Did you mean "tsinfra/operations"?',
    at: "3:22",
  },
  "a misspelt module of operations": {
    source: `/* import "tsinfra/operations/apts" */\nimport * as apt from "tsinfra/operations/apts";\nvoid apt;\n`,
    message: "Cannot find package 'tsinfra/operations/apts'",
    hint: 'Did you mean "tsinfra/operations/apt"?',
    at: "2:23",
  },
  "a misspelt module that is imported for its effects": {
    source: `const glob = "/*";\nimport "tsinfra/fact";\nvoid [glob, "*/"];\n`,
    message: "Cannot find package 'tsinfra/fact'",
    hint: 'Did you mean "tsinfra/facts"?',
    at: "2:9",
  },
  "the default of a module of operations": {
    source: `import { host } from "tsinfra";\n\nimport apt from "tsinfra/operations/apt";\nconsole.assert(!!host, apt);\n`,
    message: "The module 'tsinfra/operations/apt' has no default export",
    hint: 'Write import * as apt from "tsinfra/operations/apt"',
    at: "3:8",
  },
  "the default of all operations": {
    source: `\nimport ops from "tsinfra/operations";\nconsole.assert(!!ops);\n`,
    message: "The module 'tsinfra/operations' has no default export",
    hint: 'Write import { files } from "tsinfra/operations"',
    at: "2:8",
  },
  "a name that a module imported by another does not have": {
    source: `import uses from "./uses";\nvoid uses;\n`,
    message: "Export named 'ports' not found",
    at: "uses.ts:2:16",
  },
  "a class": {
    source: `// export default\nexport default class Foo {}\n`,
    message: "exports a class",
    at: "2:1",
  },
  "a promise": {
    source: `async function f() {}\nexport default f();\n`,
    message: "exports a promise",
    hint: "without calling it",
    at: "2:1",
  },
  "a generator": {
    source: `\nexport default async function* () {\n  yield 1;\n}\n`,
    message: "exports a generator function",
    at: "2:1",
  },
  "an object": {
    source: `const x = {};\nexport { x as default };\n`,
    message: "exports an object",
    at: "2:1",
  },
  "a function that is exported, but not by default": {
    source: `import { host } from "tsinfra";\nexport async function main() {\n  void host;\n}\nexport const port = 80;\n`,
    message: "it exports main, port, but no default function",
    hint: "Write export default before the function",
    at: "2:1",
  },
  "all of another file, without its default": {
    source: `export * from "./with-default.ts";\n`,
    message: 'it exports * from "./with-default.ts", but no default function',
    hint: 'write export { default } from "./with-default.ts"',
    at: "1:1",
  },
  "a missing file that is imported while it runs": {
    source: `const x = 1;\nvoid x;\nawait import("./nope.ts");\n`,
    message: "Cannot find module './nope.ts'",
    at: "3:15",
  },
  "a missing file, of a name that is put together while it runs": {
    source: `const name = "nope";\n\nawait import(\`./\${name}.ts\`);\n`,
    message: "Cannot find module './nope.ts'",
    at: "3:7",
  },
  "a missing file that another imports while it runs": {
    source: `import { lazy } from "./lazy";\nawait lazy();\n`,
    message: "Cannot find module './nope.ts'",
    at: "lazy.ts:2:17",
  },
  "a typing error of a file that is imported while it runs": {
    source: `await import("./typo");\n`,
    message: "Unexpected ;",
    at: "typo.ts:2:21",
  },
};

describe("a deploy file is refused at its line", () => {
  for (const [name, { source, message, hint, at }] of Object.entries(REFUSED))
    test(name, async () => {
      const error = await outcome(source);
      expect(error?.message).toContain(message);
      expect(error).toMatchObject({ code: "E_DEPLOY_LOAD" });
      if (hint !== undefined) expect(error?.hint).toContain(hint);
      const { file, line, column } = error!.at!;
      const own = `deploy${files - 1}.ts:`;
      expect(`${file.slice(dir.length + 1)}:${line}:${column}`.replace(own, "")).toBe(at);
    });
});

describe("a deploy file may have nothing to do", () => {
  for (const source of ["", "\n\n", "\u{FEFF}", "// a comment\n", "export {};\n", "interface Later {}\n"])
    test(JSON.stringify(source), async () => expect(await outcome(source)).toBeUndefined());
});

describe("what an error comes from is told", () => {
  test("of an error that is thrown by the file", async () => {
    const error = await outcome(
      `const inner = new TypeError("inner", { cause: "a text" });\nthrow new Error("outer", { cause: inner });\n`,
    );
    expect(reportError(error)).toMatchObject({ message: "outer", causes: ["TypeError: inner", "a text"] });
  });

  test("of one that an operation throws", async () => {
    const error = await outcome(
      `import { operation, sh } from "tsinfra";\nconst mine = operation({ name: "my.op", async *steps() {\n  throw new Error("outer", { cause: new Error("inner") });\n  yield sh\`true\`;\n} });\nmine();\n`,
    );
    expect(reportError(error)).toMatchObject({ message: "my.op threw Error: outer", causes: ["Error: inner"] });
  });

  test("of one that comes from itself, not for ever", async () => {
    const error = await outcome(`const own = new Error("own");\nown.cause = own;\nthrow own;\n`);
    expect(reportError(error).causes).toHaveLength(4);
  });
});
