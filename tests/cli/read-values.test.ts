/** Code of the user's that runs while what their files export is read, on the program that people run. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { executable } from "../support/executable.ts";
import { runToEnd } from "../support/spawn-cli.ts";

setDefaultTimeout(300_000);

let root: string;
let program: string;
beforeAll(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "tsinfra-read-")));
  program = await executable();
});
afterAll(() => rmSync(root, { recursive: true }));

const DEPLOY = `import { host } from "tsinfra";\nimport { server } from "tsinfra/operations";\nserver.shell({ commands: ["true"] });\n`;

let count = 0;
/** What the program says of these files, and its exit code. */
async function run(files: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const cwd = join(root, String(count++));
  for (const [name, text] of Object.entries({ "deploy.ts": DEPLOY, ...files })) {
    await mkdir(dirname(join(cwd, name)), { recursive: true });
    await writeFile(join(cwd, name), text);
  }
  const { out, err, code } = await runToEnd([program, ...args], cwd);
  return { code, text: err + out, cwd };
}

const CONNECTOR = `name: "mine", summary: "", can: { pty: false, rsync: false }, dataKeys: {}, connect() { throw 1; }`;

test.each<[string, string, string, string, string]>([
  [
    "an inventory",
    "inv.ts",
    `export default {\n  web: ["@local"],\n  get db(): string[] { throw new Error("boom"); },\n};\n`,
    "inv.ts:3:",
    "inv.ts",
  ],
  [
    "the hosts of a group",
    "inv.ts",
    `export const web = {\n  get hosts(): string[] { throw new Error("boom"); },\n};\n`,
    "inv.ts:2:",
    "inv.ts",
  ],
  [
    "the data of a group",
    "inv.ts",
    `export const web = {\n  hosts: ["@local"],\n  data: { get port(): number { throw new Error("boom"); } },\n};\n`,
    "inv.ts:3:",
    "inv.ts",
  ],
  [
    "the data of a host",
    "inv.ts",
    `export const web = [\n  ["@local", { get port(): number { throw new Error("boom"); } }],\n];\n`,
    "inv.ts:2:",
    "inv.ts",
  ],
  [
    "a list of hosts",
    "inv.ts",
    `const ours = ["@local"];\nexport const web = new Proxy(ours, {\n  get() { throw new Error("boom"); },\n});\n`,
    "inv.ts:3:",
    "inv.ts",
  ],
  [
    "a list of hosts that gives them its own way",
    "inv.ts",
    `const web = ["@local"];\nweb[Symbol.iterator] = () => {\n  throw new Error("boom");\n};\nexport { web };\n`,
    "inv.ts:3:",
    "inv.ts",
  ],
  [
    "what a function of an inventory gives",
    "inv.ts",
    `export const hosts = () => ({\n  get db(): string[] { throw new Error("boom"); },\n});\n`,
    "inv.ts:2:",
    "inv.ts:hosts",
  ],
  [
    "group data",
    "group_data/all.ts",
    `export default {\n  get port(): number { throw new Error("boom"); },\n};\n`,
    "group_data/all.ts:2:",
    "@local",
  ],
  [
    "group data that is a proxy",
    "group_data/all.ts",
    `export default new Proxy({}, {\n  ownKeys() { throw new Error("boom"); },\n});\n`,
    "group_data/all.ts:2:",
    "@local",
  ],
  [
    "the config",
    "infra.config.ts",
    `export default {\n  get sudo(): boolean { throw new Error("boom"); },\n};\n`,
    "infra.config.ts:2:",
    "@local",
  ],
  [
    "a config that is read a second time",
    "infra.config.ts",
    `let reads = 0;\nexport default {\n  get sudo(): boolean { if (reads++ > 0) throw new Error("boom"); return false; },\n};\n`,
    "infra.config.ts:3:",
    "@local",
  ],
  [
    "data in the config",
    "infra.config.ts",
    `export default {\n  data: {\n    get sshPassword(): string { throw new Error("boom"); },\n  },\n};\n`,
    "infra.config.ts:3:",
    "@local",
  ],
  [
    "keys of a connector",
    "infra.config.ts",
    `export default { connectors: [{ ${CONNECTOR}, dataKeys: {\n  get mineKey() { throw new Error("boom"); },\n} }] };\n`,
    "infra.config.ts:2:",
    "@mine/a",
  ],
  [
    "abilities of a connector",
    "infra.config.ts",
    `export default { connectors: [{ ${CONNECTOR}, can: {\n  get through() { throw new Error("boom"); },\n} }] };\n`,
    "infra.config.ts:2:",
    "@ssh/a/@mine/b",
  ],
])("%s may throw when it is read, which is told at its line", async (_, name, text, place, inventory) => {
  const { code, text: told } = await run({ [name]: text }, inventory, "deploy.ts", "--dry");
  expect(told).toContain(`Error: boom\n  at ${place}`);
  expect(told).not.toContain("mistake in tsinfra");
  expect(code).toBe(1);
});

test("a proxy that answers what no object can is told with the file that exports it", async () => {
  const { text } = await run(
    { "inv.ts": 'export default new Proxy({}, { ownKeys: () => ["a", "a"] });\n' },
    "inv.ts",
    "deploy.ts",
  );
  expect(text).toContain("at inv.ts:1:1");
  expect(text).not.toContain("mistake in tsinfra");
});

const REFUSED = 'fetch("http://127.0.0.1:1")';
test.each<[string, Readonly<Record<string, string>>, string, readonly string[]]>([
  ["group data", { "group_data/all.ts": `export const port = ${REFUSED};\n` }, "@local", ["group_data/all.ts"]],
  ["the config", { "infra.config.ts": `${REFUSED};\nexport default {};\n` }, "@local", ["infra.config.ts"]],
  ["an inventory", { "inv.ts": `${REFUSED};\nexport const web = ["@local"];\n` }, "inv.ts", ["inv.ts"]],
  [
    "what an inventory imports",
    { "lib.ts": `${REFUSED};\nexport const web = ["@local"];\n`, "inv.ts": 'export { web } from "./lib";\n' },
    "inv.ts",
    ["lib.ts", "inv.ts"],
  ],
  [
    "group data that throws what is no error",
    { "group_data/all.ts": "export const port = Promise.reject(1 + 1);\n" },
    "@local",
    ["group_data/all.ts"],
  ],
])(
  "a promise of %s that is rejected and not awaited is told with the files that have run",
  async (_, files, inventory, told) => {
    const { text, code, cwd } = await run(files, inventory, "deploy.ts", "--dry");
    expect(text).toContain(`Error: ${told.map(name => join(cwd, name)).join(" or ")} threw `);
    expect(text).toContain("Hint: ");
    expect(code).toBe(1);
  },
);

test("a promise of a deploy file counts for that file and those that ran before it", async () => {
  const body = `import { host } from "tsinfra";\n${REFUSED};\nawait Bun.sleep(300);\nvoid host;\n`;
  const alone = await run({ "deploy.ts": body }, "@local", "deploy.ts", "--dry");
  expect(alone.text).toContain(`Error: ${join(alone.cwd, "deploy.ts")} threw TypeError: `);
  const many = Object.fromEntries(["a", "b", "c"].map(name => [`group_data/${name}.ts`, "export const x = 1;\n"]));
  const { text } = await run({ ...many, "deploy.ts": body }, "@local", "deploy.ts", "--dry");
  expect(text).toContain("Error: Something in your files threw TypeError: ");
});
