import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { locate } from "../../src/core/thrown.ts";
import { loadDeploy, prepareModule } from "../../src/deploy/index.ts";

let dir: string;
beforeAll(() => {
  dir = realpathSync(mkdtempSync(`${tmpdir()}/modules-`));
});
afterAll(() => rmSync(dir, { recursive: true }));

const write = (name: string, text: string): string => {
  mkdirSync(dirname(`${dir}/${name}`), { recursive: true });
  writeFileSync(`${dir}/${name}`, text);
  return `${dir}/${name}`;
};

/** Import a module as the loader does. */
async function load(name: string): Promise<Record<string, unknown>> {
  await prepareModule(`${dir}/${name}`);
  return (await import(`${dir}/${name}`)) as Record<string, unknown>;
}

const thrownBy = (body: () => unknown): unknown => {
  try {
    body();
  } catch (error) {
    return error;
  }
  throw new Error("Nothing was thrown");
};

describe("a module of the user's", () => {
  test("is told where it was written, though the runtime would inline and move it", async () => {
    write(
      "plain/helper.ts",
      "// first\nconst limit: any = undefined;\n\nexport function read() {\n  const options = { limit };\n\n  return options\n    .limit.value;\n}\n",
    );
    const { read } = await load("plain/helper.ts");
    const error = thrownBy(read as () => unknown) as Error;
    expect(error.message).toBe("undefined is not an object (evaluating 'options.limit.value')");
    expect(locate(error)).toMatchObject({ file: `${dir}/plain/helper.ts`, line: 8 });
  });

  test("is told in a directory of any name", async () => {
    for (const name of [
      "with space (and more)",
      "par(en)",
      "br[ack]et",
      "st*r",
      "quo\"te'",
      "dollar$1",
      "hash#x",
      "ünï",
    ]) {
      write(`${name}/helper.ts`, "export const read = () => {\n  const none: any = undefined;\n\n  none.x;\n};\n");
      const { read } = await load(`${name}/helper.ts`);
      const at = locate(thrownBy(read as () => unknown));
      expect(at).toEqual({ file: `${dir}/${name}/helper.ts`, line: 4, column: 3 });
    }
  });

  test("is imported, and never put into another, however it is named", async () => {
    write("apart/wrong.ts", `// first\n\nthrow new Error("boom");\nexport const x = 1;\n`);
    const specifiers = ["./wrong.ts", "./wrong", "../apart/wrong.ts", `${dir}/apart/wrong.ts`];
    const forms: readonly ((specifier: string) => string)[] = [
      from => `import ${from};`,
      from => `import { x } from ${from};\nvoid x;`,
      from => `import * as x from ${from};\nvoid x;`,
      from => `export { x } from ${from};`,
      from => `export * from ${from};`,
      from => `await import(${from});`,
      from => `require(${from});`,
    ];
    const programs = forms.flatMap(form => specifiers.map(specifier => form(`"${specifier}"`)));
    for (const [index, program] of programs.entries()) {
      const path = write(`apart/main${index}.ts`, `${program}\n`);
      const error = await loadDeploy(path, { cwd: dir })
        .then(deploy => deploy.evaluate())
        .catch((error: unknown) => error);
      expect({ program, at: locate((error as Error).cause ?? error) }).toEqual({
        program,
        at: { file: `${dir}/apart/wrong.ts`, line: 3, column: 11 },
      });
    }
  });

  test("keeps its constants unset until their line", async () => {
    write(
      "tdz/a.ts",
      `import { b } from "./b";\nexport const a = 1, { c } = { c: 2 };\nexport const sum = () => a + b + c;\n`,
    );
    write(
      "tdz/b.ts",
      `import { a } from "./a";\nexport let b: number;\ntry { b = a; } catch (e) { b = (e as Error).name.length; }\n`,
    );
    const { sum } = await load("tdz/a.ts");
    expect((sum as () => number)()).toBe(1 + "ReferenceError".length + 2);
  });

  test("may be CommonJS, which stays what it is", async () => {
    write("cjs/lib.cjs", `exports.one = 1;\nexports.two = () => exports.one + 1;\n`);
    write("cjs/plain.js", `module.exports = { three: 3, this: this === module.exports };\n`);
    write("cjs/esm.ts", `export const four: number = 4;\n`);
    write(
      "cjs/main.ts",
      `import { one, two } from "./lib.cjs";\nimport plain from "./plain.js";\nimport esm = require("./esm");\nexport const all = [one, two(), plain, esm.four, Object.keys(require("./lib.cjs"))];\n`,
    );
    expect((await load("cjs/main.ts"))["all"]).toEqual([1, 2, { three: 3, this: true }, 4, ["one", "two"]]);
  });

  test("may import packages, data and what a tsconfig names", async () => {
    write("lib/node_modules/esm/package.json", `{ "name": "esm", "type": "module", "exports": "./index.js" }`);
    write("lib/node_modules/esm/index.js", `export { named } from "cjs";\nexport default 1;\n`);
    write("lib/node_modules/cjs/package.json", `{ "name": "cjs", "main": "main.js" }`);
    write("lib/node_modules/cjs/main.js", `exports.named = require("./inner");\n`);
    write("lib/node_modules/cjs/inner.js", `module.exports = "inner";\n`);
    write("lib/tsconfig.json", `{ "compilerOptions": { "paths": { "@/*": ["./src/*"] } } }`);
    write("lib/src/deep.ts", `export const fail = () => {\n  const none: any = null;\n\n  none.x;\n};\n`);
    write("lib/data.yaml", `a: 1\n`);
    write("lib/data.json", `{ "b": 2 }`);
    write(
      "lib/main.ts",
      `import one, { named } from "esm";\nimport { fail } from "@/deep";\nimport yaml from "./data.yaml";\nimport json from "./data.json";\nexport { fail };\nexport const all = [one, named, yaml, json, process.env["NODE_ENV"] === process.env.NODE_ENV];\n`,
    );
    const { all, fail } = await load("lib/main.ts");
    expect(all).toEqual([1, "inner", { a: 1 }, { b: 2 }, true]);
    expect(locate(thrownBy(fail as () => unknown))).toEqual({ file: `${dir}/lib/src/deep.ts`, line: 4, column: 3 });
  });

  test("is prepared although another that it imports has a mistake, which is told at its place", async () => {
    write("bad/wrong.ts", `export const x =\n  1 +;\n`);
    write(
      "bad/main.ts",
      `export const lazy = () => import("./wrong");\nexport const fail = () => {\n  const n: any = 5;\n\n  n();\n};\n`,
    );
    const { lazy, fail } = await load("bad/main.ts");
    expect(locate(thrownBy(fail as () => unknown))).toEqual({ file: `${dir}/bad/main.ts`, line: 5, column: 3 });
    const error = await (lazy as () => Promise<unknown>)().catch((error: unknown) => error);
    expect(error).toMatchObject({ position: { file: `${dir}/bad/wrong.ts`, line: 2 } });
  });

  test("is ready before anything imports it, however many files are loaded at once", async () => {
    write("shared/late.ts", `export const fail = () => {\n  const s: any = "text";\n\n  s.a.b();\n};\n`);
    const files = Array.from({ length: 8 }, (_, index) =>
      write(`shared/deploy${index}.ts`, `import { fail } from "./late";\n\nfail();\n`),
    );
    const deploys = await Promise.all(files.map(file => loadDeploy(file, { cwd: dir })));
    for (const deploy of deploys) {
      const error = await deploy.evaluate().then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(locate(error)).toEqual({ file: `${dir}/shared/late.ts`, line: 4, column: 5 });
    }
  });
});

describe("a mistake in data that is imported is told in that file", () => {
  const files: readonly (readonly [name: string, text: string, line: number])[] = [
    ["a.json", `{ "a": 1,\n  "b": }\n`, 2],
    ["comment.json", `{ "a": 1,\n\n  // no\n  "b": 2 }\n`, 3],
    ["a.yaml", `a: 1\nb: c: d\n`, 2],
    ["a.toml", `a = 1\nb = = 2\n`, 2],
  ];
  for (const [name, text, line] of files)
    test(name, async () => {
      const data = write(`data/${name}`, text);
      const deploy = write(`data/${name.replace(".", "-")}.ts`, `// a comment\nimport x from "./${name}";\nx;\n`);
      const error = await loadDeploy(deploy, { cwd: dir }).catch((error: unknown) => error);
      expect(error).toMatchObject({ code: "E_DEPLOY_LOAD", at: { file: data, line } });
    });
});
