/** What is imported for its types is not loaded: as the run has it. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { check, checksFiles, directory, tsinfra } from "../support/checking.ts";

// From source, the types of all operations may have to be read first.
setDefaultTimeout(120_000);
checksFiles();

const WEB = `import { server } from "tsinfra/operations";
export interface Opts { a: number }
export const port = 80;
export class Site {}
server.shell({ commands: ["true"] });
`;
const INCLUDE = 'import { local } from "tsinfra";\nawait local.include("./web.ts");\n';

const CASES: readonly (readonly [code: string, isLoaded: boolean])[] = [
  ['import type { Opts } from "./web.ts"; console.log({ a: 1 } satisfies Opts);', false],
  ['import { type Opts } from "./web.ts"; console.log({ a: 1 } satisfies Opts);', false],
  ['import { Opts } from "./web.ts"; console.log({ a: 1 } satisfies Opts);', false],
  ['import { Opts, port } from "./web.ts"; console.log({ a: 1 } satisfies Opts);', false],
  ['import { port } from "./web.ts"; console.log(1 satisfies typeof port | 1);', false],
  ['import { Site } from "./web.ts"; class Page { site: Site | undefined; } console.log(new Page());', false],
  ['import * as web from "./web.ts"; console.log({ a: 1 } satisfies web.Opts);', false],
  ['import type * as web from "./web.ts"; console.log({ a: 1 } satisfies web.Opts);', false],
  ['import { port } from "./web.ts"; console.log(((port: number) => port)(1));', false],
  ['export type { Opts } from "./web.ts";', false],
  ['export { type Opts } from "./web.ts";', false],
  ['export type * from "./web.ts";', false],
  ['import { Opts } from "./web.ts"; export type { Opts };', false],
  ['import type { Opts } from "./chain.ts"; console.log({ a: 1 } satisfies Opts);', false],
  ['import type { Values } from "./values.ts"; console.log(1 satisfies Values | 1);', false],
  ['import "./chain.ts";', false],
  ['import { port } from "./web.ts"; console.log(port);', true],
  ['import { Opts, port } from "./web.ts"; console.log(port satisfies Opts["a"]);', true],
  ['import {} from "./web.ts";', true],
  ['import "./web.ts";', true],
  ['export { port } from "./web.ts";', true],
  ['export * from "./web.ts";', true],
  ['import "./values.ts";', true],
  ['await import("./web.ts");', true],
  ['import "./unused.js";', true],
];

test("a deploy file that another includes and imports is loaded as a module where the run does", async () => {
  const cwd = await directory({
    "web.ts": WEB,
    "chain.ts": 'export type { Opts } from "./web.ts";\n',
    "values.ts": 'import { port } from "./web.ts";\nexport type Values = typeof port;\nconsole.log(port);\n',
    "unused.js": 'import { port } from "./web.ts";\n',
    ...Object.fromEntries(CASES.map(([code], index) => [`${index}.ts`, `${code}\n${INCLUDE}`])),
  });
  const MESSAGE = "The operation server.shell is used where there is no current host";
  for (const [index, [code, isLoaded]] of CASES.entries()) {
    const found = await check(cwd, `${index}.ts`);
    expect({ code, found: found.map(line => line.replace(/ \(.*/, "")) }).toEqual({
      code,
      found: isLoaded ? [`web.ts:5:8 ${MESSAGE}`] : [],
    });
    const { err, code: exit } = await tsinfra(cwd, "@local", `${index}.ts`, "-y");
    expect({ code, exit, said: err.includes(MESSAGE) }).toEqual({ code, exit: isLoaded ? 1 : 0, said: isLoaded });
  }
});

test("a deploy may give types to what it loads, and what that calls when it is loaded is found even so", async () => {
  const cwd = await directory({
    "deploy.ts": `import { server } from "tsinfra/operations";\nimport "./role.ts";\nexport interface Opts { a: number }\nserver.shell({ commands: ["true"] });\n`,
    "role.ts": `import { server } from "tsinfra/operations";\nimport type { Opts } from "./deploy.ts";\nconsole.log({ a: 1 } satisfies Opts);\nserver.shell({ commands: ["true"] });\n`,
  });
  for (const files of [[], ["deploy.ts"], ["deploy.ts", "role.ts"]])
    expect((await check(cwd, ...files)).map(line => line.split(" ")[0])).toEqual(["role.ts:4:8"]);
});

test("a package without types may be anything, and is no mistake", async () => {
  const cwd = await directory({
    "node_modules/leftie/package.json": '{ "name": "leftie", "version": "1.0.0", "main": "index.js" }\n',
    "node_modules/leftie/index.js": "module.exports = text => text;\n",
    "deploy.ts":
      'import { host } from "tsinfra";\nimport { server } from "tsinfra/operations";\nimport left from "leftie";\nserver.shell({ commands: [left(host.name), `${left(1).a}`] });\n',
  });
  expect(await check(cwd, "deploy.ts")).toEqual([]);
});
