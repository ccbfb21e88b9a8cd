/** Standard streams that whoever started the program had closed. */
import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { executable } from "../support/executable.ts";
import { CLI_ENVIRONMENT, runToEnd } from "../support/spawn-cli.ts";

setDefaultTimeout(300_000);

let cwd: string;
let program: string;
beforeAll(async () => {
  program = await executable();
  cwd = await mkdtemp(join(tmpdir(), "tsinfra-closed-"));
  await writeFile(
    join(cwd, "touch.ts"),
    `import { readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { server } from "tsinfra/operations";
const open = readdirSync("/proc/self/fd").filter(fd => Number(fd) < 3);
writeFileSync("open", open.map(fd => readlinkSync("/proc/self/fd/" + fd)).join(" "));
server.shell({ commands: ["touch changed"] });
`,
  );
});
afterAll(() => rm(cwd, { recursive: true, force: true }));
beforeEach(async () => {
  for (const name of ["changed", "open", "state"]) await rm(join(cwd, name), { recursive: true, force: true });
});

/** Run with redirections that a shell makes. */
async function run(redirections: string, ...args: readonly string[]) {
  const command = ["sh", "-c", `exec "$@" ${redirections}`, "sh", program, ...args];
  const told = await runToEnd(command, cwd, { ...CLI_ENVIRONMENT, XDG_STATE_HOME: join(cwd, "state") });
  return { ...told, names: await readdir(cwd) };
}

const refusal = (stream: string): string =>
  `Error: Standard ${stream} is closed: what is written to it would be lost
Hint: Send it to /dev/null if nobody is to read it
`;

test("a closed standard output is told on standard error, before anything is done", async () => {
  for (const args of [
    ["@local", "touch.ts", "-y"],
    ["@local", "exec", "--", "touch changed"],
    ["@local", "fact", "server.Hostname"],
    ["docs", "files.put"],
    ["--version"],
  ]) {
    const { code, out, err, names } = await run(">&-", ...args);
    expect({ code, out, err }).toEqual({ code: 1, out: "", err: refusal("output") });
    expect(names).toEqual(["touch.ts"]);
  }
});

test("a closed standard error is told on standard output", async () => {
  for (const args of [["@local", "touch.ts", "-y"], ["--version"]]) {
    const { code, out, err, names } = await run("2>&-", ...args);
    expect({ code, out, err }).toEqual({ code: 1, out: refusal("error"), err: "" });
    expect(names).toEqual(["touch.ts"]);
  }
  const { code, out } = await run("2>&-", "@local", "touch.ts", "-y", "--json");
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    type: "error",
    error: { code: "E_LOCAL_FILE", message: "Standard error is closed: what is written to it would be lost" },
  });
});

test("where both are closed, it is left in a record", async () => {
  const { code, names } = await run(">&- 2>&- <&-", "@local", "touch.ts", "-y");
  expect(code).toBe(1);
  expect(names.toSorted()).toEqual(["state", "touch.ts"]);
  const [name = ""] = await readdir(join(cwd, "state/tsinfra"));
  const path = join(cwd, "state/tsinfra", name);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readFile(path, "utf8")).toBe(
    "Error: Standard output and standard error are closed: what is written to them would be lost\nHint: Send them to /dev/null if nobody is to read them\n",
  );
});

test("/dev/null is no closed stream, whoever opened it and however", async () => {
  for (const redirections of [">/dev/null 2>/dev/null", "<>/dev/null >&0 2>&0"]) {
    const { code, names } = await run(redirections, "@local", "touch.ts", "-y");
    expect(code).toBe(0);
    expect(names).toContain("changed");
    await rm(join(cwd, "changed"));
  }
});

test("a closed standard input is one that nobody types on, and nothing of ours comes in its place", async () => {
  const asked = await run("<&-", "@local", "touch.ts");
  expect(asked.code).toBe(2);
  expect(asked.err).toContain("Nothing was changed: there is no terminal to ask whether to go on");
  expect(asked.names).not.toContain("changed");
  const unasked = await run("<&-", "@local", "touch.ts", "-y");
  expect(unasked.code).toBe(0);
  expect(unasked.names).toContain("changed");
  expect(await readFile(join(cwd, "open"), "utf8")).toMatch(/^\/dev\/null(?: (?:pipe|socket):\[\d+\]){2}$/);
  const merged = await run("<&-", "report", "merge", "-");
  expect(merged.code).toBe(1);
  expect(merged.err).not.toBe("");
});
