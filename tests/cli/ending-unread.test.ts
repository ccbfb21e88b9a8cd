import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { mkdtemp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SETTINGS } from "../../src/cli/start.ts";
import { ended } from "../support/is-alive.ts";
import { CLI, CLI_ENVIRONMENT } from "../support/spawn-cli.ts";
import { until } from "../support/until.ts";

// From source, the types of all operations may have to be read first.
setDefaultTimeout(120_000);

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tsinfra-unread-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

let count = 0;
/** A directory with a deploy that prints more than anybody reads, and then waits. */
async function directory(): Promise<string> {
  const cwd = join(root, String(count++));
  await mkdir(join(cwd, "tmp"), { recursive: true });
  await writeFile(
    join(cwd, "much.ts"),
    `import { server } from "tsinfra/operations";
server.shell({ name: "Much", commands: ["seq 1 30000; echo $$ >pid; exec sleep 66"] });
`,
  );
  return cwd;
}

const environment = (cwd: string): Record<string, string | undefined> => ({
  ...CLI_ENVIRONMENT,
  ...SETTINGS,
  XDG_STATE_HOME: join(cwd, "state"),
  TMPDIR: join(cwd, "tmp"),
});

/** The end of a pipe that nobody reads. */
function unreadPipe(cwd: string): number {
  const path = join(cwd, "pipe");
  expect(Bun.spawnSync(["mkfifo", path]).exitCode).toBe(0);
  return openSync(path, constants.O_RDWR);
}

/** The process that runs on the host, once it does. */
async function running(cwd: string): Promise<number> {
  const read = (): Promise<string> => readFile(join(cwd, "pid"), "utf8").catch(() => "");
  await until("the command has begun", async () => (await read()).endsWith("\n"));
  return Number(await read());
}

async function theRecord(cwd: string): Promise<string> {
  const [name = ""] = await readdir(join(cwd, "state/tsinfra"));
  return readFile(join(cwd, "state/tsinfra", name), "utf8");
}

describe("of a run whose output nobody reads a record is left", () => {
  test.each([
    ["SIGTERM", 1],
    ["SIGINT", 1],
    ["SIGINT", 2],
  ] as const)("%s, %i of them, with a pipe", async (signal, times) => {
    const cwd = await directory();
    const stderr = unreadPipe(cwd);
    const args = [...CLI, "@local", "much.ts", "-y", "-vvv"];
    const child = Bun.spawn(args, { cwd, env: environment(cwd), stdin: "ignore", stdout: "ignore", stderr });
    const pid = await running(cwd);
    child.kill(signal);
    // Signals that come together are one: the first has been heard when the command is gone.
    await ended(pid);
    if (times > 1) child.kill(signal);
    expect(await child.exited).toBe(130);
    closeSync(stderr);
    expect(await theRecord(cwd)).toMatch(/^ {2}@local {2}Much: interrupted, state unknown/m);
  });

  test("SIGTERM, with a terminal", async () => {
    const cwd = await directory();
    const terminal = new Bun.Terminal({ cols: 80, rows: 24 });
    const child = Bun.spawn([...CLI, "@local", "much.ts", "-y", "-vvv"], { cwd, env: environment(cwd), terminal });
    const pid = await running(cwd);
    terminal.write("\x13");
    child.kill("SIGTERM");
    expect(await child.exited).toBe(130);
    await ended(pid);
    terminal.close();
    expect(await theRecord(cwd)).toMatch(/^ {2}@local {2}Much: interrupted, state unknown/m);
  });
});

test.each([
  ["SIGTERM", ["y.ts", "-y", "-vvv"]],
  [
    "SIGINT",
    [
      "exec",
      "--",
      "(trap '' HUP INT TERM; yes) & trap 'echo >heard' HUP INT TERM; echo $$ >pid; while kill -0 $!; do wait; done",
    ],
  ],
] as const)("on a terminal that is slower than a command, the last words after %s come last", async (signal, args) => {
  const cwd = await directory();
  await writeFile(
    join(cwd, "y.ts"),
    'import { server } from "tsinfra/operations";\nserver.shell({ commands: ["echo $$ >pid; yes"] });\n',
  );
  let screen = "";
  const decoder = new TextDecoder();
  const terminal = new Bun.Terminal({
    data: (_, chunk) => (screen = (screen + decoder.decode(chunk)).slice(-20_000)),
  });
  const child = Bun.spawn([...CLI, "@local", ...args], { cwd, env: environment(cwd), terminal });
  const pid = await running(cwd);
  await until("the terminal is busy", async () => screen.length >= 20_000);
  child.kill(signal);
  if (signal === "SIGINT") {
    // The command does not end at that; it is killed after a second.
    await until("the first is heard", async () => (await readdir(cwd)).includes("heard"));
    child.kill(signal);
  }
  expect(await child.exited).toBe(130);
  await until("the last words", async () => /@local.* {2}.*nterrupted.*state unknown/.test(screen));
  expect(screen.lastIndexOf("\x1b[?25h")).toBeGreaterThanOrEqual(screen.lastIndexOf("\x1b[?25l"));
  await ended(pid);
  terminal.close();
});

test("with --json and a full standard output, standard error names what was running", async () => {
  const cwd = await directory();
  const child = Bun.spawn([...CLI, "@local", "much.ts", "-y", "--json"], {
    cwd,
    env: environment(cwd),
    stdin: "ignore",
    stdout: unreadPipe(cwd),
    stderr: openSync(join(cwd, "err"), "w"),
  });
  const pid = await running(cwd);
  child.kill("SIGTERM");
  expect(await child.exited).toBe(130);
  await ended(pid);
  expect(await readFile(join(cwd, "err"), "utf8")).toMatch(/^ {2}@local {2}Much: interrupted, state unknown/m);
});

test("with --json whoever reads the rest later finds whole lines", async () => {
  const cwd = await directory();
  const pipe = unreadPipe(cwd);
  const child = Bun.spawn([...CLI, "@local", "much.ts", "-y", "--json"], {
    cwd,
    env: environment(cwd),
    stdin: "ignore",
    stdout: pipe,
    stderr: "ignore",
  });
  const pid = await running(cwd);
  child.kill("SIGTERM");
  expect(await child.exited).toBe(130);
  await ended(pid);
  const written = Buffer.alloc(1024 * 1024);
  const length = readSync(pipe, written);
  closeSync(pipe);
  const lines = written.toString("utf8", 0, length).split("\n");
  expect(lines.length).toBeGreaterThan(100);
  expect(lines.pop()).toBe("");
  for (const line of lines) expect(JSON.parse(line)).toHaveProperty("type");
});

test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("check leaves nothing behind when it gets %s", async signal => {
  const cwd = await directory();
  const child = Bun.spawn([...CLI, "check", "much.ts"], {
    cwd,
    env: environment(cwd),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  await until("its directory is there", async () => (await readdir(join(cwd, "tmp"))).length > 0);
  child.kill(signal);
  const [err, code] = await Promise.all([child.stderr.text(), child.exited]);
  expect({ err, code }).toEqual({ err: "Interrupted\n", code: 130 });
  expect(await readdir(join(cwd, "tmp"))).toEqual([]);
});

test("check ends its compiler when it is interrupted", async () => {
  const cwd = await directory();
  // Each of very many types is compared with each other.
  await writeFile(
    join(cwd, "slow.ts"),
    `type D = "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9";
type Of<T> = T extends string ? { readonly key: T; readonly next: { readonly key: T } } : never;
declare let more: Of<\`\${D}\${D}\${D}\${D}\${"a" | "b"}\`>;
declare let many: Of<\`\${D}\${D}\${D}\${D}a\`>;
many = more as never as typeof many;
more = many;
many = more as never as typeof many;
export {};
many = more;
`,
  );
  const child = Bun.spawn([...CLI, "check", "slow.ts"], {
    cwd,
    env: environment(cwd),
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  const compilers = async (): Promise<readonly number[]> => {
    const pids = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8");
    return pids.split(" ").filter(Boolean).map(Number);
  };
  // Hundredths of a second that it has computed: by then it has read all that it reads.
  const worked = async (pid: number): Promise<number> =>
    Number((await readFile(`/proc/${pid}/stat`, "utf8")).split(" ")[13]);
  let started: readonly number[] = [];
  await until("it is at work", async () => {
    started = await compilers();
    const times = await Promise.all(started.map(pid => worked(pid).catch(() => 0)));
    return times.some(time => time > 80);
  });
  child.kill("SIGTERM");
  await child.exited;
  for (const pid of started) await ended(pid);
});
