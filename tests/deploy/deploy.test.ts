import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { TsinfraError } from "../../src/core/errors.ts";
import { locate } from "../../src/core/thrown.ts";
import { installDeployModules, loadDeploy } from "../../src/deploy/index.ts";
import { fakeRun } from "../support/fake-run.ts";

let dir: string;
beforeAll(async () => {
  dir = realpathSync(mkdtempSync(`${tmpdir()}/deploy-`));
  await installDeployModules();
});
afterAll(() => rmSync(dir, { recursive: true }));

const write = (name: string, text: string): string => {
  mkdirSync(dirname(`${dir}/${name}`), { recursive: true });
  writeFileSync(`${dir}/${name}`, text);
  return `${dir}/${name}`;
};
const shellOperation = `const shell = operation<{ line: string }>({ name: "my.shell", async *steps(_, { line }) { yield sh\`\${raw(line)}\`; } });`;

/** Evaluate a deploy file on hosts a and b, and run it. */
async function deploy(file: string, hosts: readonly string[] = ["a", "b"]) {
  const fake = fakeRun(
    hosts,
    {},
    { cwd: dir, loadDeploy: (name, includedFrom) => loadDeploy(name, { cwd: dir, includedFrom }) },
  );
  await fake.run.connect();
  try {
    await fake.run.prepare([await loadDeploy(file, { cwd: dir })]);
    await fake.run.execute();
    return { ...fake, error: undefined };
  } catch (error) {
    return { ...fake, error: error as TsinfraError };
  }
}

describe("a deploy file", () => {
  test("is evaluated once per host, what it imports once per run, and operations know their place", async () => {
    write(
      "once/helper.ts",
      `export const evaluated = { times: 0 };\nevaluated.times++;\nexport const id = (x: string) => x;\n`,
    );
    const file = write(
      "once/deploy.ts",
      `#!/usr/bin/env tsinfra
import { host, operation, raw, sh } from "tsinfra";
import { evaluated,
  id } from "./helper";
${shellOperation}
enum Colour { Red = "red" }
shell({ line: id(\`\${host.name} \${evaluated.times} \${Colour.Red}\`) });
   shell({ line: "second" });
`,
    );
    const { sent, of } = await deploy(file);
    expect(sent).toEqual(["a: a 1 red", "b: b 1 red", "a: second", "b: second"]);
    await Promise.resolve();
    expect(of("operation:start")).toHaveLength(2);
  });

  test("may export a function, which is called with the host", async () => {
    const file = write(
      "function.ts",
      `import { type Host, operation, raw, sh } from "tsinfra";\n${shellOperation}\nexport default async (host: Host) => { await null; host.withArguments({ _chdir: "/x" }, () => shell({ line: host.name })); };\n`,
    );
    expect((await deploy(file)).sent).toEqual(["a: cd -- /x && a", "b: cd -- /x && b"]);
  });

  test("includes others, with data of lowest precedence, under their names and with config of their own", async () => {
    write(
      "include/tasks/inner.ts",
      `import { config, host, operation, raw, sh } from "tsinfra";\n${shellOperation}\nconfig.env = { INNER: "1" };\nshell({ line: "inner " + host.data.x });\n`,
    );
    write(
      "include/tasks/outer.ts",
      `import { local } from "tsinfra";\nawait local.include("./inner.ts", { data: { x: 1 } });\nawait local.include("./inner.ts", { data: { x: 2 } });\n`,
    );
    const file = write(
      "include/deploy.ts",
      `import { local, operation, raw, sh } from "tsinfra";\n${shellOperation}\nawait local.include("./tasks/outer.ts");\nshell({ line: "last" });\n`,
    );
    const { sent, of } = await deploy(file, ["a"]);
    expect(sent).toEqual(["a: export INNER=1 && inner 1", "a: export INNER=1 && inner 2", "a: last"]);
    expect(of("operation:start")[0]!.operation).toBe(
      "include/tasks/outer.ts | include/tasks/inner.ts | my.shell (line=inner 1)",
    );
  });

  test("knows of a deploy whether a file that it includes changed anything", async () => {
    write(
      "handle/inner.ts",
      `import { host, operation, raw, sh } from "tsinfra";\n${shellOperation}\nif (host.name === "a") shell({ line: "inner" });\n`,
    );
    const file = write(
      "handle/deploy.ts",
      `import { deploy, local, operation, raw, sh } from "tsinfra";\n${shellOperation}\nconst web = await deploy("Web", async () => { await local.include("./inner.ts"); })();\nshell({ line: "after", _if: web.didChange });\n`,
    );
    expect((await deploy(file)).sent).toEqual(["a: inner", "a: after"]);
  });

  test("keeps the operations of two included files apart, though they stand on the same lines", async () => {
    for (const name of ["a", "b"])
      write(
        `apart/${name}.ts`,
        `import { operation, raw, sh } from "tsinfra";\n${shellOperation}\nshell({ line: "from ${name}" });\n`,
      );
    const file = write(
      "apart/deploy.ts",
      `import { host, local } from "tsinfra";\nawait local.include(\`./\${host.name}.ts\`);\n`,
    );
    const { of } = await deploy(file);
    expect(of("operation:start").map(event => event.hosts)).toEqual([["a"], ["b"]]);
  });

  test("has its settings to itself, operation by operation", async () => {
    const file = write(
      "config.ts",
      `import { config, operation, raw, sh } from "tsinfra";\n${shellOperation}\nshell({ line: "one" });\nconfig.env = { A: "1" };\nshell({ line: "two" });\n`,
    );
    expect((await deploy(file, ["a"])).sent).toEqual(["a: one", "a: export A=1 && two"]);
  });

  test("may use deploys of its own, with arguments for what is inside", async () => {
    const file = write(
      "deploys.ts",
      `import { deploy, host, operation, raw, sh } from "tsinfra";
${shellOperation}
const inner = deploy("Inner", ({ what }: { what: string }) => { shell({ name: "Say", line: what + host.data.port }); }, { data: { port: 80 } });
const outer = deploy("Outer", () => { inner({ what: "x", _env: { B: "2" } }); });
outer({ _env: { A: "1" } });
`,
    );
    const { sent, of } = await deploy(file, ["a"]);
    expect(sent).toEqual(["a: export A=1 B=2 && x80"]);
    expect(of("operation:start")[0]!.operation).toBe("Outer | Inner | Say");
  });
});

describe("a mistake in a deploy file is told at its own line", () => {
  const mistakes: [name: string, source: string, message: RegExp | string, line: number, column: number][] = [
    ["a typing error", `import { host } from "tsinfra";\n\nconst x = ;\n`, /Unexpected/, 3, 11],
    ["a missing module", `import { host } from "tsinfra";\nimport { y } from "./nowhere";\ny();\n`, /nowhere/, 2, 0],
    ["a name that tsinfra does not export", `import { hots } from "tsinfra";\nhots;\n`, /hots/, 1, 0],
    [
      "a name that does not exist",
      `import { host } from "tsinfra";\n  nope(host.name);\n`,
      "nope is not defined",
      2,
      3,
    ],
    [
      "an exception in a helper, after an await",
      `import { fail } from "./helpers/fail";\nawait null;\nawait fail();\n`,
      "boom",
      2,
      0,
    ],
    [
      "an unknown setting",
      `import { config } from "tsinfra";\nconfig.sudoo = true;\n`,
      "There is no setting config.sudoo",
      2,
      0,
    ],
    [
      "an unknown host",
      `import { inventory } from "tsinfra";\n\ninventory.getHost("aa");\n`,
      'There is no host "aa" in the inventory',
      3,
      0,
    ],
    [
      "an include that nobody awaits",
      `import { local, operation, raw, sh } from "tsinfra";\n${shellOperation}\nlocal.include("./config.ts");\nshell({ line: "x" });\n`,
      /is not awaited/,
      4,
      0,
    ],
  ];
  beforeAll(() => {
    write("helpers/fail.ts", `export async function fail() {\n  throw new Error("boom");\n}\n`);
    write("config.ts", "");
  });
  for (const [name, source, message, line, column] of mistakes) {
    test(name, async () => {
      const file = write(`${name.replaceAll(/\W+/g, "-")}.ts`, source);
      const { error, sent } = await deploy(file).catch(error => ({ error, sent: [] }));
      expect(error?.message).toMatch(message);
      const at = error.at ?? locate(error);
      expect(at.file.startsWith(dir)).toBe(true);
      expect(at.line).toBe(line);
      if (column > 0) expect(at.column).toBe(column);
      expect(sent).toEqual([]);
    });
  }
  test("the host read while a helper module is loaded", async () => {
    write("helpers/reads-host.ts", `import { host } from "tsinfra";\nexport const name = host.name;\n`);
    const file = write("reads-host.ts", `import { name } from "./helpers/reads-host";\nname;\n`);
    const error = await deploy(file).then(
      run => run.error,
      (error: TsinfraError) => error,
    );
    expect(error).toMatchObject({
      message: '"host" is used where there is no current host',
      hint: expect.stringContaining("only once per run"),
      at: { file: `${dir}/helpers/reads-host.ts`, line: 2 },
    });
  });
});
