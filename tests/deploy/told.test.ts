import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname } from "node:path";
import fc from "fast-check";
import { executable } from "../support/executable.ts";
import { program, written } from "./thrown-programs.ts";

let dir: string;
let tsinfra: string;
beforeAll(async () => {
  dir = realpathSync(mkdtempSync(`${tmpdir()}/told-`));
  tsinfra = await executable();
}, 120_000);
afterAll(() => rmSync(dir, { recursive: true }));

/** What the program says about a deploy file, and its exit code. */
async function run(
  cwd: string,
  args: readonly string[],
): Promise<{ readonly text: string; readonly exitCode: number }> {
  const child = Bun.spawn([tsinfra, ...args], { cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { text: stderr + stdout, exitCode: await child.exited };
}

describe("the executable tells an error at its place", () => {
  const HELPER = `export const deep = (x: any) => {
  const held = x;

  return held.y;
};
export const later = async (x: any) => {
  await null;
  return deep(x);
};
`;
  const cases: Readonly<Record<string, { readonly deploy: string; readonly told: readonly string[] }>> = {
    "in a callback": {
      deploy: `import { ts } from "tsinfra/operations";\nimport { later } from "./helper";\nts.call({\n  function: async () => {\n    const none: any = null;\n\n    await later(none);\n  },\n});\n`,
      told: [
        "ts.call threw TypeError: null",
        "at helper.ts:4:10",
        "called from helper.ts:8:10",
        "called from deploy.ts:7:11",
        "called from deploy.ts:3:4",
      ],
    },
    "in the steps of an operation": {
      deploy: `import { operation, sh } from "tsinfra";\nconst mine = operation<{ x?: any }>({\n  name: "my.op",\n  async *steps(_, { x }) {\n    yield sh\`true\`;\n    const held = x;\n\n    yield sh\`echo \${held.y.z}\`;\n  },\n});\nmine({ x: {} });\n`,
      told: ["my.op threw TypeError: undefined", "at deploy.ts:8:26", "called from deploy.ts:11:1"],
    },
    "in the steps, before the first command": {
      deploy: `import { operation, sh } from "tsinfra";\nconst mine = operation<{ x?: any }>({\n  name: "my.op",\n  async *steps(host, { x }) {\n    await null;\n    throw new Error(x);\n    yield sh\`true\`;\n  },\n});\nmine({ x: "boom" });\n`,
      told: ["my.op threw Error: boom", "at deploy.ts:6:15", "called from deploy.ts:10:1"],
    },
    "of a promise that nobody awaits": {
      deploy: `import { server } from "tsinfra/operations";\nimport { later } from "./helper";\nlater(undefined);\nserver.shell({ commands: ["sleep 5"] });\n`,
      told: ["Error: TypeError: undefined", "at helper.ts:4:10", "called from helper.ts:8:10"],
    },
    "of a timer": {
      deploy: `import { server } from "tsinfra/operations";\nsetTimeout(() => {\n  const none: any = undefined;\n\n  none.x();\n}, 1);\nserver.shell({ commands: ["sleep 5"] });\n`,
      told: ["Error: TypeError: undefined", "at deploy.ts:5:3"],
    },
    "that is no error": {
      deploy: `\nthrow "a text";\n`,
      told: [`deploy.ts threw "a text"`],
    },
    "of a promise that nobody awaits, and that is no error": {
      deploy: `import { server } from "tsinfra/operations";\nPromise.reject("a text");\nserver.shell({ commands: ["sleep 5"] });\n`,
      told: [`deploy.ts threw "a text"`, "Hint: Throw an Error"],
    },
    "of this machine's files": {
      deploy: `import { readFile } from "node:fs/promises";\n\nawait readFile("/no/such");\n`,
      told: ["ENOENT", "at deploy.ts:3:7"],
    },
    "that comes from another": {
      deploy: `\nthrow new Error("outer", { cause: new RangeError("inner") });\n`,
      told: ["Error: outer", "at deploy.ts:2:11", "caused by RangeError: inner"],
    },
    "of a module that is the only import, by its file's name": {
      deploy: `import "./wrong.ts";\n`,
      told: ["at wrong.ts:4:1", "none.x();"],
    },
    "while a module is loaded": {
      deploy: `import "./wrong";\n`,
      told: ["at wrong.ts:4:1"],
    },
  };
  for (const [name, { deploy, told }] of Object.entries(cases))
    test(name, async () => {
      const cwd = mkdtempSync(`${dir}/case-`);
      writeFileSync(`${cwd}/helper.ts`, HELPER);
      writeFileSync(`${cwd}/wrong.ts`, `// first\nconst none: any = undefined;\n\nnone.x();\nexport {};\n`);
      writeFileSync(`${cwd}/deploy.ts`, deploy);
      const { text, exitCode } = await run(cwd, ["@local", "deploy.ts", "-y"]);
      let rest = text;
      for (const part of told) {
        expect(rest).toContain(part);
        rest = rest.slice(rest.indexOf(part) + part.length);
      }
      expect(text).not.toContain("mistake in tsinfra");
      expect(exitCode).toBe(1);
    });

  test("in the inventory and in the config", async () => {
    const cwd = mkdtempSync(`${dir}/files-`);
    const broken = `const none: any = undefined;\n\nexport default () => {\n  const held = none;\n\n  return held.hosts;\n};\n`;
    writeFileSync(`${cwd}/hosts.ts`, broken);
    writeFileSync(`${cwd}/deploy.ts`, "");
    expect((await run(cwd, ["hosts.ts", "deploy.ts", "-y"])).text).toContain("at hosts.ts:6:10");
    writeFileSync(`${cwd}/infra.config.ts`, `const none: any = undefined;\n\nexport default { sudo: none.x };\n`);
    expect((await run(cwd, ["@local", "deploy.ts", "-y"])).text).toContain("at infra.config.ts:3:24");
  });

  test("in random programs, as from its sources", async () => {
    await fc.assert(
      fc.asyncProperty(program, async files => {
        const cwd = mkdtempSync(`${dir}/random-`);
        const { file, at, caller } = written(files, `${cwd}/deploy`);
        const { text, exitCode } = await run(dirname(file), ["@local", basename(file), "-y"]);
        expect(text).toContain(`at ${basename(at.file)}:${at.line}:${at.column}\n`);
        if (caller) expect(text).toContain(`called from deploy.ts:${caller.line}:${caller.column}\n`);
        expect(exitCode).toBe(1);
      }),
      { numRuns: 25, seed: 3 },
    );
  }, 120_000);
});
