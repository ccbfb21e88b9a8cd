/** What user code throws where nobody waits for it, on the program that people run. */
import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { executable } from "../support/executable.ts";
import { runToEnd } from "../support/spawn-cli.ts";

setDefaultTimeout(300_000);

const IMPORTS = `import { deploy, host, local } from "tsinfra";
import { server } from "tsinfra/operations";
import { Hostname } from "tsinfra/facts/server";
`;
let cwd: string;
let program: string;
beforeAll(async () => {
  program = await executable();
  cwd = await mkdtemp(join(tmpdir(), "tsinfra-strays-"));
  await writeFile(join(cwd, "included.ts"), 'throw new Error("boom");\n');
});
afterAll(() => rm(cwd, { recursive: true, force: true }));
beforeEach(() => rm(join(cwd, "changed"), { force: true }));

async function run(body: string, ...options: readonly string[]) {
  await writeFile(join(cwd, "deploy.ts"), `${IMPORTS}${body}`);
  const told = await runToEnd([program, "@local", "deploy.ts", "-y", "--plain", ...options], cwd);
  return { ...told, hasChanged: (await readdir(cwd)).includes("changed") };
}

const TOUCH = 'server.shell({ commands: ["touch changed"] });\n';

test.each([
  ["a deploy", `${TOUCH}deploy("web", async () => { throw new Error("boom"); })();`],
  [
    "a deploy that fails before its file ends",
    `deploy("web", async () => { throw new Error("boom"); })();\nawait host.getFact(Hostname);\n${TOUCH}`,
  ],
  ["an include that fails before its file ends", `local.include("./included.ts");\nawait Bun.sleep(300);\n${TOUCH}`],
  [
    "a block",
    `host.withArguments({}, async () => { throw new Error("boom"); });\nawait host.getFact(Hostname);\n${TOUCH}`,
  ],
  ["an own function", `${TOUCH}async function own() { await 1; throw new Error("boom"); }\nown();`],
])("%s that fails and is not awaited ends the run before anything is changed", async (_, body) => {
  const { code, err, hasChanged } = await run(body);
  expect({ code, hasChanged }).toEqual({ code: 1, hasChanged: false });
  expect(err).toContain("Error: boom\n  at ");
  expect(err).not.toContain("Done:");
});

test.each([
  ["what slept", 'async function own() { await Bun.sleep(700); throw new Error("boom"); }\nown();'],
  ["a timer", 'setTimeout(() => { throw new Error("boom"); }, 700);'],
  [
    "an own function",
    'async function own() { await new Promise(done => setTimeout(done, 700)); throw new Error("boom"); }\nown();',
  ],
])("%s that fails after everything was done is told with the results, which are no success", async (_, late) => {
  const { code, err, hasChanged } = await run(`${TOUCH}${late}\n`);
  expect({ code, hasChanged }).toEqual({ code: 1, hasChanged: true });
  expect(err).toContain("Error: boom\n  at ");
  expect(err).toContain("Stopped: 1 change on 1 host");
  expect(err).not.toContain("Done:");
  const json = await run(`${TOUCH}${late}\n`, "--json");
  expect(json.code).toBe(1);
  const events = json.out
    .trimEnd()
    .split("\n")
    .map(line => JSON.parse(line) as Record<string, unknown>);
  expect(events.filter(({ type }) => type === "results")).toMatchObject([{ ok: false }]);
});

test("an operation that is called after everything was done is told with the results, too", async () => {
  const { code, err } = await run(`${TOUCH}setTimeout(() => ${TOUCH.trim().slice(0, -1)}, 700);\n`);
  expect(code).toBe(1);
  expect(err).toContain("server.shell was called after deploy.ts had ended");
  expect(err).not.toContain("Done:");
});

test("what is still waiting long after the run is named by the place that made it", async () => {
  const { code, err } = await run(`${TOUCH}setInterval(() => {}, 100);
const over = setTimeout(() => {}, 60_000);
clearTimeout(over);
setTimeout(() => {}, 60_000).unref();
for (const _ of [1, 2]) void Bun.sleep(60_000);
await Bun.sleep(1);
`);
  expect(code).toBe(0);
  expect(err).toContain("Done: 1 change on 1 host");
  expect(err).toContain(
    "Warning: A timer of the deploy is still waiting, and ends with the run: made at deploy.ts:5:1, deploy.ts:9:34\n",
  );
  const other = await run(`${TOUCH}Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });\n`);
  expect(other.code).toBe(0);
  expect(other.err).toContain("Warning: Something that the deploy began is still waiting, and ends with the run");
});

test("what is awaited, or caught, is nobody's mistake", async () => {
  const { code, err } = await run(`${TOUCH}
await Promise.resolve(deploy("web", async () => { throw new Error("boom"); })()).catch(() => {});
const failing = host.withArguments({}, async () => { throw new Error("boom"); });
await Promise.allSettled([failing, local.include("./included.ts")]);
setTimeout(() => {}, 300);
`);
  expect(code).toBe(0);
  expect(err).toContain("Done: 1 change on 1 host");
});
