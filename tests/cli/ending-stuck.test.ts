import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CLI, runToEnd } from "../support/spawn-cli.ts";

// From source, the types of all operations may have to be read first.
setDefaultTimeout(120_000);

const NEVER = "await new Promise(() => {});\n";
const SHELL = `import { server } from "tsinfra/operations";\nserver.shell({ commands: ["true"] });\n`;
const connector = (members: string): string =>
  `export default { connectors: [{ name: "own", summary: "One", can: {}, dataKeys: {}, ${members} }] };\n`;

/** What stands in a directory of its own, what is called there, and what is said. */
const CASES: Readonly<
  Record<
    string,
    { readonly files: Readonly<Record<string, string>>; readonly args: readonly string[]; readonly said: string }
  >
> = {
  "an inventory": {
    files: { "inv.ts": `export const web = ["@local"];\n${NEVER}`, "d.ts": SHELL },
    args: ["inv.ts", "d.ts", "-y"],
    said: "/inv.ts, or a module that it imports, waits for something that never comes",
  },
  "two modules that wait for each other": {
    files: {
      "inv.ts": `import "./a.ts";\nexport const web = ["@local"];\n`,
      "a.ts": `export const a = (await import("./b.ts")).b;\n`,
      "b.ts": `export const b = (await import("./a.ts")).a;\n`,
    },
    args: ["inv.ts", "exec", "--", "true"],
    said: "/inv.ts, or a module that it imports, waits for something that never comes",
  },
  "a function of an inventory": {
    files: { "inv.ts": "export const hosts = () => new Promise(() => {});\n" },
    args: ["inv.ts:hosts", "debug-inventory"],
    said: `The function "hosts" of DIRECTORY/inv.ts waits for something that never comes`,
  },
  "group data": {
    files: { "inv.ts": `export const web = ["@local"];\n`, "group_data/web.ts": NEVER },
    args: ["inv.ts", "fact", "server.Hostname"],
    said: "/group_data/web.ts, or a module that it imports, waits for something that never comes",
  },
  "a module that a deploy imports": {
    files: { "d.ts": `import "./lib.ts";\n${SHELL}`, "lib.ts": `${NEVER}export const a = 1;\n` },
    args: ["@local", "d.ts", "-y"],
    said: "A module that DIRECTORY/d.ts imports waits for something that never comes",
  },
  "the config": {
    files: { "infra.config.ts": `${NEVER}export default {};\n` },
    args: ["@local", "exec", "--", "true"],
    said: "/infra.config.ts, or what it imports or extends, waits for something that never comes",
  },
  "the hosts of a connector": {
    files: { "infra.config.ts": connector("hosts: () => new Promise(() => {}), connect: async () => {}") },
    args: ["@own/x", "exec", "--", "true"],
    said: `The connector "own", asked for the hosts of "@own/x", waits for something that never comes`,
  },
  "a connection": {
    files: { "infra.config.ts": connector("connect: () => new Promise(() => {})") },
    args: ["@own/x", "exec", "--", "true"],
    said: `connect() of the connector "@own" for @own/x waits for something that never comes`,
  },
  "the place of a program": {
    files: {
      "infra.config.ts": `import { defineConfig, programConnector } from "tsinfra";
const own = programConnector({ name: "own", summary: "One", open: () => new Promise(() => {}) });
export default defineConfig({ connectors: [own] });
`,
      "d.ts": SHELL,
    },
    args: ["@own/x", "d.ts", "-y"],
    said: `open() of the connector "@own" for @own/x waits for something that never comes`,
  },
};

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tsinfra-stuck-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

let count = 0;
async function tsinfra(files: Readonly<Record<string, string>>, args: readonly string[]) {
  const cwd = join(root, String(count++));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(cwd, name)), { recursive: true });
    await writeFile(join(cwd, name), text);
  }
  return { cwd, ...(await runToEnd([...CLI, ...args], cwd)) };
}

test.each(Object.keys(CASES))("%s that never settles is an error", async name => {
  const { files, args, said } = CASES[name]!;
  const { cwd, err, code } = await tsinfra(files, args);
  expect(err.match(/Error: .*/g)).toEqual([expect.stringContaining(said.replace("DIRECTORY", cwd))]);
  expect(code).toBe(1);
});

test("with --json it is an event as well", async () => {
  const { files, args, said } = CASES["an inventory"]!;
  const { out, err, code } = await tsinfra(files, [...args, "--json"]);
  const events = out
    .trimEnd()
    .split("\n")
    .map(line => JSON.parse(line) as Record<string, unknown>);
  expect(events).toMatchObject([
    { type: "error", error: { code: "E_INVENTORY", message: expect.stringContaining(said) } },
  ]);
  expect(err).toContain(said);
  expect(code).toBe(1);
});

test("a deploy file that waits on a host whose connection waits for nothing is named, with that host", async () => {
  const files = {
    "infra.config.ts": connector(
      "connect: async () => ({ run: async () => ({ exitCode: 0, stdout: Buffer.of(), stderr: Buffer.of() }), close: async () => {} })",
    ),
    "d.ts": `${SHELL}${NEVER}`,
  };
  const { err, code } = await tsinfra(files, ["@own/x", "d.ts", "-y"]);
  expect(err).toMatch(/^Error: \S*d\.ts on @own\/x waits for something that never comes$/m);
  expect(code).toBe(1);
});
