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
  writeFileSync(`${dir}/needs.ts`, `// require("./nope");\n\nexport const needed = () => require("./nope");\n`);
  writeFileSync(`${dir}/needs-now.ts`, `export const needed = 1;\nrequire("./typ");\n`);
  writeFileSync(
    `${dir}/throws-text.ts`,
    `// throw "a text"\nconst x = 1;\nif (x) throw 'a text'; // there\nexport {};\n`,
  );
  writeFileSync(`${dir}/throws-object.ts`, `export {};\nthrow {\n  code: 1,\n  of: ["x", { y: null }],\n};\n`);
  writeFileSync(`${dir}/throws-null.ts`, `import "./dep";\nthrow null;\n`);
  writeFileSync(`${dir}/dep.ts`, `await null;\nexport {};\n`);
  writeFileSync(`${dir}/rejects.ts`, `await null;\nawait Promise.reject(5);\nexport {};\n`);
  writeFileSync(
    `${dir}/throws-computed.ts`,
    `import "./dep";\nconst code = 7;\nthrow { code, list: Array.from({ length: 500 }) };\n`,
  );
  writeFileSync(`${dir}/imports-computed.ts`, `import "./dep";\nimport "./throws-computed";\nimport "./late";\n`);
  writeFileSync(`${dir}/late.ts`, `export const late = 1;\n`);
  writeFileSync(
    `${dir}/calls.ts`,
    `import { server } from "tsinfra/operations";\nserver.shell({ commands: ["true"] });\n`,
  );
  writeFileSync(`${dir}/pattern.ts`, `const b = 1;\nexport const a = b ? [b, /(/] : [];\n`);
  writeFileSync(`${dir}/latin.ts`, Buffer.from(`// a\nexport const b = "é";\n`, "latin1"));
  writeFileSync(`${dir}/utf16.json`, Buffer.from(`{ "a": 1 }`, "utf16le"));
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
  readonly at?: string;
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
  "deploys that nobody calls": {
    source: `import { deploy } from "tsinfra";\nimport { server } from "tsinfra/operations";\nconst user = "ada";\nexport const common = deploy("Common", () => {\n  server.shell({ commands: [user] });\n});\n`,
    message: "it exports common, and calls nothing",
    hint: "import it in a deploy file, and call it there",
    at: "4:1",
  },
  "operations that nobody calls": {
    source: `import { operation as own, sh } from "tsinfra";\nconst touch = own({ name: "own.touch", async *steps() { yield sh\`true\`; } });\nexport { touch };\n`,
    message: "it exports touch, and calls nothing",
    hint: "import it in a deploy file, and call it there",
    at: "3:1",
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
  "a missing file that is required": {
    source: `const x = 1;\n\nconst y = require("./nope");\nvoid [x, y];\n`,
    message: "Cannot find module './nope'",
    hint: "There is no file",
    at: "3:20",
  },
  "a file that is required under a name that is almost right": {
    source: `await null;\nrequire("./typ");\n`,
    message: "Cannot find module './typ'",
    hint: 'Did you mean "./typo.ts"?',
    at: "2:10",
  },
  "a missing file that another requires": {
    source: `import { needed } from "./needs";\nawait null;\nneeded();\n`,
    message: "Cannot find module './nope'",
    at: "needs.ts:3:38",
  },
  "a missing file that another requires while it is loaded": {
    source: `import { needed } from "./needs-now";\nneeded;\n`,
    message: "Cannot find module './typ'",
    hint: 'Did you mean "./typo.ts"?',
    at: "needs-now.ts:2:10",
  },
  "a missing file that is looked for": {
    source: `const at = require.resolve("./nope");\nvoid at;\n`,
    message: "Cannot find module './nope'",
    at: "1:29",
  },
  "a missing file of a computed name that is required": {
    source: `const name = "./nope";\nrequire(name);\n`,
    message: "Cannot find module './nope'",
    at: "2:1",
  },
  "a package that is not installed": {
    source: `const pad = await import("@none/left-padd/sub");\nvoid pad;\n`,
    message: "Cannot find package '@none/left-padd/sub'",
    hint: "npm install @none/left-padd",
    at: "1:27",
  },
  "a package that is required and not installed": {
    source: `\nrequire("left-padd");\n`,
    message: "left-padd'",
    hint: "npm install left-padd",
    at: "2:10",
  },
  "a module of Node's that there is not": {
    source: `await import("node:fss");\n`,
    message: "No such built-in module: node:fss",
    hint: 'Did you mean "node:fs"?',
    at: "1:15",
  },
  "a name that another module of ours has": {
    source: `import { host, server } from "tsinfra";\nconsole.assert(!!host, server);\n`,
    message: "Export named 'server' not found in module 'tsinfra'",
    hint: 'Write import { server } from "tsinfra/operations"; it is also in "tsinfra/facts"',
    at: "1:16",
  },
  "a fact of another module": {
    source: `import { DebPackages } from "tsinfra/facts";\nconsole.assert(!!DebPackages);\n`,
    message: "Export named 'DebPackages' not found in module 'tsinfra/facts'",
    hint: 'Write import { DebPackages } from "tsinfra/facts/deb"',
    at: "1:10",
  },
  "a name that many modules of ours have": {
    source: `import { packages } from "tsinfra/operations";\nconsole.assert(!!packages);\n`,
    message: "Export named 'packages' not found in module 'tsinfra/operations'",
    hint: "it is also in",
    at: "1:10",
  },
  "a text that is thrown by a module": {
    source: `import "./throws-text";\n`,
    message: 'throws-text.ts threw "a text"',
    hint: "Throw an Error",
    at: "throws-text.ts:3:8",
  },
  "an object that is thrown by a module": {
    source: `import "./throws-object";\n`,
    message: "throws-object.ts threw { code: 1, of: [ 'x', { y: null } ] }",
    at: "throws-object.ts:2:1",
  },
  "null that is thrown by a module": {
    source: `import "./throws-null";\n`,
    message: "throws-null.ts threw null",
    at: "throws-null.ts:2:1",
  },
  "a promise of a number that is rejected in a module": {
    source: `import "./rejects";\n`,
    message: "rejects.ts threw 5",
    at: "rejects.ts:2:15",
  },
  "a computed object that is thrown by a module of a module": {
    source: `import "./imports-computed";\n`,
    message: "throws-computed.ts threw { code: 7, list: [ undefined,",
  },
  "an object that is thrown by the file itself": {
    source: `\nthrow { code: 2, "of": 'it' };\n`,
    message: "threw { code: 2, of: 'it' }",
    at: "2:1",
  },
  "a typing error of a file that is imported while it runs": {
    source: `await import("./typo");\n`,
    message: "Unexpected ;",
    at: "typo.ts:2:21",
  },
  "a regular expression that cannot be": {
    source: `const text = "a";\nif (text) {\n  console.log(/b/, text.replace(/[z-a]/, ""));\n}\n`,
    message: "Invalid regular expression: range out of order in character class",
    at: "3:33",
  },
  "a regular expression that cannot be, of a module": {
    source: `import "./pattern";\n`,
    message: "Invalid regular expression: missing )",
    at: "pattern.ts:2:26",
  },
  "a module in another encoding": {
    source: `import "./latin";\n`,
    message: "latin.ts is not UTF-8: it has the byte 0xe9, as Latin-1 may",
    hint: "Save it as UTF-8",
    at: "latin.ts:2:19",
  },
  "data in another encoding": {
    source: `import data from "./utf16.json";\nconsole.log(data);\n`,
    message: "utf16.json is UTF-16, and not UTF-8",
    hint: "Save it as UTF-8",
  },
};

describe("a deploy file is refused at its line", () => {
  for (const [name, { source, message, hint, at }] of Object.entries(REFUSED))
    test(name, async () => {
      const error = await outcome(source);
      expect(error?.message).toContain(message);
      const code = name.endsWith("encoding") ? "E_LOCAL_FILE" : "E_DEPLOY_LOAD";
      expect(error).toMatchObject({ code: name.endsWith("itself") ? "E_DEPLOY" : code });
      if (hint !== undefined) expect(error?.hint).toContain(hint);
      // Nobody knows where: the tests around it are all that is on the stack.
      if (at === undefined) return expect(error?.at?.file).not.toStartWith(dir);
      const { file, line, column } = error!.at!;
      const own = `deploy${files - 1}.ts:`;
      expect(`${file.slice(dir.length + 1)}:${line}:${column}`.replace(own, "")).toBe(at);
    });
});

const OWN = `import { derivedFact, fact, host, operation, sh } from "tsinfra";\nimport { server } from "tsinfra/operations";\nconst any = (value: unknown): any => value;\n`;
const steps = (body: string): string =>
  `${OWN}const mine = operation(any({ name: "my.op", async *steps(given: any) {\n  ${body}\n} }));\n\nmine();\nvoid [server, sh, fact, derivedFact, host];\n`;
const asked = (definition: string): string => `${OWN}\nawait host.getFact(any(${definition}));\nvoid server;\n`;

const MISSHAPEN: Readonly<Record<string, Refused & { readonly from?: string }>> = {
  "an operation beside a default function": {
    source: `${OWN}server.shell({ commands: ["true"] });\nexport default () => {\n  void [any, sh, host, fact];\n};\n`,
    message: "The operation server.shell is used where there is no current host",
    hint: "What stands beside a default function is run once, when the file is loaded: move it into that function",
    at: "4:8",
  },
  "an operation that is exported by default": {
    source: `import { server } from "tsinfra/operations";\nexport default server.shell({ commands: ["true"] });\n`,
    message: "The operation server.shell is used where there is no current host",
    hint: "leave out `export default`",
    at: "2:23",
  },
  "an operation that a module calls when it is loaded": {
    source: `import "./calls";\n`,
    message: "The operation server.shell is used where there is no current host",
    hint: "move this into a function that the deploy file calls",
    at: "calls.ts:2:8",
  },
  "an operation that is called in the steps of another": {
    source: steps(`server.shell({ commands: ["true"] });\n  yield sh\`true\`;`),
    message: "The operation server.shell is used in the steps of my.op",
    hint: "yield* server.shell.steps(host, { … })",
    at: "5:10",
    from: "9:1",
  },
  "an operation that is yielded": {
    source: steps(`yield server.shell({ commands: ["true"] });`),
    message: "The operation server.shell is used in the steps of my.op",
    hint: "yield* server.shell.steps(host, { … })",
    at: "5:16",
    from: "8:1",
  },
  "the current host in the steps of an operation": {
    source: steps("yield sh`echo ${host.name}`;"),
    message: '"host" is used in the steps of my.op',
    hint: "async *steps(host, args) { … }",
    at: "5:19",
    from: "8:1",
  },
  "an operation without a name": {
    source: `${OWN}\noperation(any({ async *steps() {} }));\n`,
    message: "An operation must have a name, found undefined",
    at: "5:1",
  },
  "an operation of nothing": {
    source: `${OWN}any(operation)();\n`,
    message: "operation() must be given a name and steps, found undefined",
    at: "4:14",
  },
  "an operation without steps": {
    source: `${OWN}operation(any({ name: "my.op" }));\n`,
    message: "The steps of the operation my.op must be an async generator function, found undefined",
    at: "4:1",
  },
  "an operation whose steps are no generator": {
    source: `${OWN}operation(any({ name: "my.op", async steps() {} }));\n`,
    message: "The steps of the operation my.op must be an async generator function, found an async function",
    hint: "async *steps(host, args)",
    at: "4:1",
  },
  "an operation whose steps give a list": {
    source: `${OWN}const mine = operation(any({ name: "my.op", steps: () => [sh\`true\`] }));\nmine();\n`,
    message: "The steps of my.op must give a generator, found a list",
    at: "4:14",
    from: "5:1",
  },
  ...Object.fromEntries(
    [
      ["undefined", "undefined", "A command is made with"],
      ["5", "a number", "A command is made with"],
      ["Promise.resolve(true)", "a boolean", "A command is made with"],
      ["{ kind: 'none' }", "an object", "A command is made with"],
      ["'echo hi'", "text", "yield sh`…`"],
      ["[sh`true`]", "a list", "one by one"],
      ["server.shell.steps(given, { commands: ['true'] })", "a generator", "yield* it.steps(host, { … })"],
    ].map(([value, found, hint]) => [
      `an operation that yields ${value}`,
      {
        source: steps(`yield ${value};`),
        message: `my.op must yield commands, found ${found}`,
        hint: hint!,
        at: "4:14",
        from: "8:1",
      },
    ]),
  ),
  "no fact": {
    source: asked("undefined"),
    message: "A fact must have a name, a command and a parse, found undefined",
    at: "5:12",
  },
  "a fact without a name": {
    source: asked(`{ command: () => sh\`id\`, parse: (lines: string[]) => lines, empty: [] }`),
    message: "A fact must have a name, found undefined",
    at: "5:12",
  },
  "a fact without a command": {
    source: asked(`{ name: "my.F", parse: (lines: string[]) => lines, empty: [] }`),
    message: "The command of the fact my.F must be a function, found undefined",
    at: "5:12",
  },
  "a fact whose command is text": {
    source: `${OWN}fact(any({ name: "my.F", command: "id", parse: (lines: string[]) => lines, empty: [] }));\n`,
    message: "The command of the fact my.F must be a function, found text",
    hint: "command: () => sh`…`",
    at: "4:1",
  },
  "a fact that is parsed by an async function": {
    source: asked(`{ name: "my.F", command: () => sh\`id\`, parse: async () => 1, empty: [] }`),
    message: "The parse of the fact my.F must be a function, found an async function",
    hint: "cannot be async",
    at: "5:12",
  },
  "a fact without an answer where nothing is printed": {
    source: asked(`{ name: "my.F", command: () => sh\`id\`, parse: (lines: string[]) => lines, emtpy: [] }`),
    message: 'The fact my.F has no "empty", its answer when the command prints nothing',
    at: "5:12",
  },
  "an include with an option that there is none": {
    source: `import { local } from "tsinfra";\nawait local.include("./x.ts", { dta: { p: 1 } } as never);\n`,
    message: 'local.include("./x.ts") has no option "dta"',
    hint: "Its only option is",
    at: "2:13",
  },
  "a fact that is derived from nothing": {
    source: `${OWN}derivedFact(any({ name: "my.F", from: undefined, derive: () => 1 }));\n`,
    message: "A fact must have a name, a command and a parse, found undefined",
    at: "4:1",
  },
  "a fact of a wrong shape that an operation asks": {
    source: steps("await given.getFact({ name: 'my.F' });\n  yield sh`true`;"),
    message: "The command of the fact my.F must be a function, found undefined",
    at: "5:15",
    from: "9:1",
  },
};

describe("what is used or made in a wrong way is refused at its line", () => {
  for (const [name, { source, message, hint, at, from }] of Object.entries(MISSHAPEN))
    test(name, async () => {
      const error = (await outcome(source))!;
      expect(error.message).toContain(message);
      if (hint !== undefined) expect(error.hint).toContain(hint);
      const own = `${dir}/deploy${files - 1}.ts`;
      const told = [error.at!, ...error.callers].map(({ file, line, column }) =>
        `${file}:${line}:${column}`.replace(`${own}:`, "").replace(`${dir}/`, ""),
      );
      expect(told[0]).toBe(at!);
      if (from !== undefined) expect(told).toContain(from);
    });

  test("a fact that was declared and gives no command", async () => {
    const file = `${dir}/deploy${files++}.ts`;
    writeFileSync(
      file,
      `${OWN}\nconst bad = fact(any({ name: "my.F", command: () => 5, parse: () => 1, empty: 0 }));\nawait host.getFact(bad);\n`,
    );
    const fake = fakeRun(["a"], {}, { cwd: dir });
    await fake.run.connect();
    await fake.run.prepare([await loadDeploy(file, { cwd: dir })]);
    expect(fake.events).toContainEqual(
      expect.objectContaining({
        type: "host:failed",
        error: expect.objectContaining({
          message: "The command of fact my.F must be made with sh`…`, found a number",
          at: { file, line: 5, column: 13 },
        }),
      }),
    );
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
    expect(reportError(error)).toMatchObject({ message: "outer", causes: ["TypeError: inner", '"a text"'] });
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

test("of several mistakes of syntax each has a line with its place, and a single one has no cause", async () => {
  const several = await outcome(`const a = [1);\nconst = 3;\n`);
  const [first, ...others] = several?.message.split("\n") ?? [];
  expect(first).toStartWith("Cannot load ");
  expect(several?.at).toMatchObject({ line: 1, column: 13 });
  expect(others.length).toBeGreaterThan(0);
  for (const line of others) expect(line).toMatch(/^\/.+\.ts:\d+:\d+: \S/);
  const single = await outcome("const b = 1 +;\n");
  expect(single?.message).not.toContain("\n");
  for (const error of [several, single]) expect(reportError(error).causes).toBeUndefined();
});
