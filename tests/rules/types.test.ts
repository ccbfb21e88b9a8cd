/** What the types of the deploy language forbid, and what they know. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";

const ROOT = join(import.meta.dir, "../..");
const directory = mkdtempSync(`${tmpdir()}/types-`);
afterAll(() => rmSync(directory, { recursive: true }));

const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile).config,
  ts.sys,
  ROOT,
);

/** What the compiler says of each of these files, as one program. */
function check(name: string, files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const place = join(directory, name);
  mkdirSync(place);
  const paths = Object.entries(files).map(([file, text]) => {
    writeFileSync(join(place, file), text);
    return [file, join(place, file)] as const;
  });
  const program = ts.createProgram(
    paths.map(([, path]) => path),
    { ...options, typeRoots: [join(ROOT, "node_modules/@types")] },
  );
  return Object.fromEntries(
    paths.map(([file, path]) => [
      file,
      program
        .getSemanticDiagnostics(program.getSourceFile(path))
        .map(found => ts.flattenDiagnosticMessageText(found.messageText, " "))
        .join("; "),
    ]),
  );
}

const IMPORTS = `import { allChanged, anyChanged, deploy, derivedFact, fact, host, operation, sh, type Condition, type NoArguments } from "tsinfra";
import { files, server, systemd, ufw } from "tsinfra/operations";
import { File } from "tsinfra/facts/files";
export type Used = [typeof allChanged, typeof anyChanged, typeof deploy, typeof derivedFact, typeof fact, typeof host, typeof operation, typeof sh, Condition, NoArguments, typeof files, typeof server, typeof systemd, typeof ufw, typeof File];
/** Only if both types are the same. */
export const same = <A, B>(..._: [A] extends [B] ? ([B] extends [A] ? [] : ["wider"]) : ["other"]): void => {};
`;

const MISTAKES: readonly [name: string, code: string, error: RegExp][] = [
  [
    "a handle as a condition",
    `if (files.file({ path: "/a" })) { console.log("always"); }`,
    /This condition will always return true/,
  ],
  ["a mode that is a number", `files.file({ path: "/a", mode: 644 });`, /Type 'number' is not assignable/],
  ["a misspelt argument", `files.file({ path: "/a", mod: "644" });`, /'mod' does not exist/],
  ["a missing argument", `files.file({ mode: "644" });`, /Property 'path' is missing/],
  ["a misspelt operation", `files.fille({ path: "/a" });`, /Property 'fille' does not exist/],
  ["a misspelt global argument", `files.file({ path: "/a", _sudoo: true });`, /'_sudoo' does not exist/],
  ["a fact without its arguments", `await host.getFact(File);`, /Expected 2 arguments/],
  [
    "a fact's answer used before asking what it is",
    `const found = await host.getFact(File, { path: "/a" }); found.size.toFixed();`,
    /Property 'size' does not exist/,
  ],
  [
    "a fact's types in the wrong order",
    `fact<string, { path: string }>({ name: "a", command: ({ path }) => sh\`cat \${path}\`, parse: ([line]) => line ?? "", empty: "" });`,
    /Type 'string' does not satisfy the constraint 'object'/,
  ],
  [
    "a condition's answer where what was declared is asked for",
    `const a = files.file({ path: "/a" }); files.file({ path: "/b", _if: anyChanged(a.didChange) });`,
    /is not assignable to parameter of type 'Changeable'/,
  ],
  [
    "a deploy instead of its call",
    `files.file({ path: "/b", _if: deploy("A", () => {}).didChange });`,
    /'didChange' does not exist/,
  ],
  [
    "what an async deploy returns, not awaited",
    `deploy("A", async () => 1)().value.toFixed();`,
    /Property 'value' does not exist on type 'AsyncDeployHandle<number>'/,
  ],
  [
    "the handle of a deploy as a condition",
    `const web = deploy("A", async () => {}); if (web()) { console.log("always"); }`,
    /This condition will always return true/,
  ],
  [
    "a handle where an argument takes a condition",
    `systemd.service({ service: "a", restarted: files.file({ path: "/a" }) });`,
    /'OperationHandle' is not assignable to type 'boolean \| Condition/,
  ],
  [
    "a condition where none is taken",
    `systemd.service({ service: "a", running: () => true });`,
    /is not assignable to type 'boolean/,
  ],
  [
    "a condition that is async",
    `systemd.service({ service: "a", restarted: async () => true });`,
    /'Promise<boolean>' is not assignable/,
  ],
  [
    "an own operation that does not say which arguments are conditions",
    `operation<{ on?: boolean | Condition }>({ name: "own", async *steps() {} });`,
    /Property 'conditions' is missing/,
  ],
  [
    "an own operation that forgets one of its conditions",
    `operation<{ on?: boolean | Condition; off?: boolean | Condition }>({ name: "own", conditions: { on: true }, async *steps() {} });`,
    /Property 'off' is missing/,
  ],
  ["data that may be missing", `host.data.port.toFixed();`, /'host.data.port' is of type 'unknown'/],
  [
    "data used as what its fallback is not",
    `host.data.get("port", 80).trim();`,
    /Property 'trim' does not exist on type 'number'/,
  ],
];

const FINE: readonly [name: string, code: string][] = [
  [
    "operations, their handles and forecasts",
    `const a = files.file({ path: "/a", mode: "644", _sudo: true });\nfiles.file({ path: "/b", _if: a.didChange });\nif (await a.willChange) files.file({ path: "/c" });`,
  ],
  [
    "own facts",
    `const One = fact<{ path: string }, number>({ name: "a", command: ({ path }) => sh\`cat \${path}\`, parse: lines => lines.length, empty: 0 });
const Two = derivedFact<{ path: string }, string, number>({ name: "b", from: One, derive: count => String(count) });
const Three = fact<NoArguments, string>({ name: "c", command: () => sh\`id\`, parse: ([line = ""]) => line, empty: "" });
const Four = fact({ name: "d", command: () => sh\`id\`, parse: lines => lines.length, empty: 0 });
same<string, Awaited<ReturnType<typeof two>>>();
async function two() { return host.getFact(Two, { path: "/a" }); }
(await host.getFact(Three)).trim();
(await host.getFact(Four)).toFixed();`,
  ],
  [
    "what a function returns that declares operations",
    `const one = async () => files.file({ path: "/a" });
const two = async () => [files.file({ path: "/a" }), await files.file({ path: "/b" })];
const none = async () => {};
const some = async (wanted: boolean) => { if (wanted) return files.file({ path: "/a" }); return undefined; };
files.file({ path: "/c", _if: anyChanged(one(), await one(), two(), await two(), none(), await none(), some(true), await some(false), null, []) });
files.file({ path: "/d", _if: [allChanged(one(), files.file({ path: "/e" })), () => true] });`,
  ],
  [
    "deploys, awaited and not, and what they return",
    `const web = deploy("Web", ({ port }: { port: number }) => port);
const db = deploy("Db", async () => { await host.getFact(File, { path: "/a" }); return "db"; });
const one = web({ port: 1, _sudo: true });
same<typeof one.value, number>();
const two = await db();
same<typeof two.value, string>();
const three = deploy("Handle", () => files.file({ path: "/a" }))();
files.file({ path: "/b", _if: [one.didChange, two.didChange, db().didChange, three.value.didChange, (await one).didNotChange] });
files.file({ path: "/c", _if: anyChanged(one, two, db()) });`,
  ],
  [
    "conditions as values of arguments",
    `const a = files.file({ path: "/a" });
const web = deploy("Web", () => {})();
systemd.service({ service: "a", daemonReload: a.didChange, restarted: anyChanged(a, web), reloaded: false });
server.service({ service: "a", restarted: web.didChange, reloaded: () => true });
ufw.service({ reload: a.didChange });`,
  ],
  [
    "own operations, with conditions and without",
    `const own = operation<{ on?: boolean | Condition; run: () => boolean; path: string }>({
  name: "own",
  conditions: { on: true },
  async *steps(_, args) { same<typeof args.on, boolean | undefined>(); same<typeof args.run, () => boolean>(); yield* systemd.service.steps(_, { service: args.path, restarted: args.on }); },
});
own({ on: () => true, run: () => false, path: "/a" });
const plain = operation({ name: "plain", async *steps(_, { path }: { path: string }) { yield sh\`cat \${path}\`; } });
plain({ path: "/a" });
const none = operation({ name: "none", async *steps() {} });
none();`,
  ],
  [
    "data by its fallback",
    `const port = host.data.get("port", 80);
same<typeof port, number>();
const flag = host.data.get("flag", false);
same<typeof flag, boolean>();
const protocol = host.data.get<"tcp" | "udp">("protocol", "tcp");
same<typeof protocol, "tcp" | "udp">();
const list = host.data.get<readonly string[]>("list", []);
same<typeof list, readonly string[]>();
host.data.port = 81;`,
  ],
];

test("mistakes are type errors, and only they", () => {
  const found = check("language", {
    ...Object.fromEntries(FINE.map(([, code], index) => [`fine-${index}.ts`, `${IMPORTS}${code}\n`])),
    ...Object.fromEntries(MISTAKES.map(([, code], index) => [`wrong-${index}.ts`, `${IMPORTS}${code}\n`])),
  });
  FINE.forEach(([name], index) => expect(found[`fine-${index}.ts`], name).toBe(""));
  MISTAKES.forEach(([name, , error], index) => expect(found[`wrong-${index}.ts`], name).toMatch(error));
}, 120_000);

describe("host data", () => {
  const inventory = `import { defineInventory } from "tsinfra";
export default defineInventory({
  web: { hosts: ["web-1", ["web-2", { sshUser: "ada" }]], data: { port: 8080, names: ["a", "b"] } },
  db: [["db-1", { port: "any" }]],
});\n`;
  const from = (what: string): string =>
    `import { host, type InventoryData } from "tsinfra";\nimport type inventory from "./inventory.ts";\ndeclare module "tsinfra" { interface HostData extends InventoryData<typeof ${what}> {} }\n`;

  test("has the types of an inventory", () => {
    const found = check("inventory", {
      "inventory.ts": inventory,
      "deploy.ts": `${from("inventory")}
const port: number | string | undefined = host.data.port;
const user: string | undefined = host.data.sshUser;
const names: string[] | undefined = host.data.names;
const own: unknown = host.data.somethingElse;
const known: number | string = host.data.get("port", 80);
const other: boolean = host.data.get("other", true);
host.data.port = 1;
export default [port, user, names, own, known, other];`,
      "wrong.ts": `import { host } from "tsinfra";
host.data.port = true;
const user: number | undefined = host.data.sshUser;
host.data.sshUser.trim();
host.data.get("port", true);
host.data.get = 1;
export default user;`,
    });
    expect(found["inventory.ts"]).toBe("");
    expect(found["deploy.ts"]).toBe("");
    for (const error of [
      /Type 'true' is not assignable to type 'string \| number/,
      /'string \| undefined' is not assignable to type 'number/,
      /'host.data.sshUser' is possibly 'undefined'/,
      /No overload matches this call/,
      /'get' because it is a read-only property/,
    ])
      expect(found["wrong.ts"]).toMatch(error);
    expect(found["wrong.ts"]?.split("; ")).toHaveLength(5);
  }, 120_000);

  test("has the types of an inventory of exported groups, of a list, and of a function", () => {
    const found = check("inventories", {
      "groups.ts": `export const web = { hosts: ["a", ["b", { one: 1 }]], data: { two: "2" } };\nexport const db = [["c", { three: true }], "d"];\n`,
      "list.ts": `import { defineInventory } from "tsinfra";\nexport default defineInventory(["a", ["b", { four: 4 }]]);\n`,
      "computed.ts": `import { defineInventory } from "tsinfra";\nexport default defineInventory(async () => ({ web: { hosts: ["a"], data: { five: 5 } } }));\n`,
      "types.ts": `import type { InventoryData } from "tsinfra";
const groups: InventoryData<typeof import("./groups.ts")> = { one: 1, two: "2", three: true };
const list: InventoryData<typeof import("./list.ts")> = { four: 4 };
const computed: InventoryData<typeof import("./computed.ts").default> = { five: 5 };
export default [groups, list, computed];`,
      "wrong.ts": `import type { InventoryData } from "tsinfra";
export const groups: InventoryData<typeof import("./groups.ts")> = { one: "1" };
export const more: InventoryData<typeof import("./groups.ts")> = { hosts: [] };`,
      "mistaken.ts": `import { defineInventory } from "tsinfra";\nexport default defineInventory({ web: { host: ["a"] } });\n`,
    });
    for (const fine of ["groups.ts", "list.ts", "computed.ts", "types.ts"]) expect(found[fine], fine).toBe("");
    expect(found["wrong.ts"]).toMatch(/'string' is not assignable to type 'number'.*'hosts' does not exist/);
    expect(found["mistaken.ts"]).toMatch(/'host'|No overload|not assignable/);
  }, 120_000);

  test("has the types that are declared by hand", () => {
    const found = check("declared", {
      "data.ts": `declare module "tsinfra" { interface HostData { port: number; domain?: string } }\nexport {};\n`,
      "deploy.ts": `import { host } from "tsinfra";\nhost.data.port.toFixed();\nconst domain: string = host.data.get("domain", "example.com");\nexport default domain;\n`,
      "operation.ts": `import { operation, sh } from "tsinfra";\nexport const show = operation<{ what: string }>({ name: "show", async *steps(host) { yield sh\`echo \${host.data.port.toFixed()}\`; } });\n`,
    });
    expect(found).toEqual({ "data.ts": "", "deploy.ts": "", "operation.ts": "" });
  }, 120_000);
});
