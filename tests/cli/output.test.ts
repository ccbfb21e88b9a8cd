import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ended } from "../support/is-alive.ts";
import { CLI, CLI_ENVIRONMENT } from "../support/spawn-cli.ts";

// From source, the types of all operations may have to be read first.
setDefaultTimeout(120_000);

let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), "tsinfra-output-"));
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

function start(args: readonly string[], to: { readonly stdout?: number; readonly stderr?: number } = {}) {
  return Bun.spawn([...CLI, ...args], {
    cwd,
    env: { ...CLI_ENVIRONMENT, XDG_STATE_HOME: join(cwd, "state") },
    stdin: "ignore",
    stdout: to.stdout ?? "pipe",
    stderr: to.stderr ?? "pipe",
  });
}

const textOf = (stream: unknown): Promise<string> => (stream as { text(): Promise<string> }).text();

describe("a slow reader gets everything", () => {
  // Around what a pipe holds, around what is held back, and in between.
  const sizes = [
    0,
    1,
    65_535,
    65_536,
    65_537,
    1_048_577,
    ...Array.from({ length: 4 }, () => (5_000_000 * Math.random()) | 0),
  ];
  test.each(sizes)("%d bytes of one host, unchanged", async size => {
    const path = join(cwd, `bytes-${size}`);
    const bytes = crypto.getRandomValues(new Uint8Array(Math.min(size, 60_000)));
    const content = Buffer.alloc(size, bytes.length > 0 ? bytes : undefined);
    await writeFile(path, content);
    const child = start(["@local", "exec", "--", `cat ${path}`]);
    const received: Uint8Array[] = [];
    let reads = 0;
    for await (const chunk of child.stdout as ReadableStream<Uint8Array>) {
      received.push(chunk);
      // It looks away, longer than a program that does not wait for it would live.
      if (++reads % 8 === 1) await Bun.sleep(100);
    }
    expect(await child.exited).toBe(0);
    expect(Buffer.concat(received).equals(content)).toBe(true);
  });

  test("and so it is with errors, help and events", async () => {
    const late = async (args: readonly string[]): Promise<readonly [string, number]> => {
      const child = start(args);
      await Promise.race([child.exited, Bun.sleep(1500)]);
      const text = await textOf(child.stdout);
      return [text, await child.exited];
    };
    const [events, code] = await late(["@local", "exec", "--json", "--", "seq 1 20000; exit 3"]);
    const types = events
      .trimEnd()
      .split("\n")
      .map(line => (JSON.parse(line) as { readonly type: string }).type);
    expect(types.filter(type => type === "output")).toHaveLength(20_000);
    expect([types.at(-1), code]).toEqual(["results", 1]);
  });
});

describe("output that cannot be written", () => {
  const NO_ROOM = /^Error: Cannot write to standard output: no space left on device \(ENOSPC\)$/m;

  test.each([
    ["data", ["@local", "exec", "--", "echo hello"]],
    ["a run's events", ["@local", "exec", "--json", "--", "echo hello"]],
    ["a fact", ["@local", "fact", "server.Hostname"]],
    ["help", ["--help"]],
    ["the version", ["--version"]],
  ])("%s: the full disk is named, with 1", async (_, args) => {
    await using full = await open("/dev/full", "w");
    const child = start(args, { stdout: full.fd });
    const said = await textOf(child.stderr);
    expect(await child.exited).toBe(1);
    expect(said.match(new RegExp(NO_ROOM.source, "gm"))).toHaveLength(1);
    expect(said).not.toMatch(/nobody reads|^ +at /m);
  });

  test("what is told to people: 1, and no more is done", async () => {
    await using full = await open("/dev/full", "w");
    await writeFile(
      join(cwd, "deploy.ts"),
      'import { server } from "tsinfra/operations";\nserver.shell({ commands: ["sleep 1"] });\nserver.shell({ commands: ["touch done"] });\n',
    );
    const child = start(["@local", "deploy.ts", "-y"], { stderr: full.fd });
    expect(await child.exited).toBe(1);
    expect(await Bun.file(join(cwd, "done")).exists()).toBe(false);
    // There is nobody to tell: it is left in a record.
    const [record = ""] = await readdir(join(cwd, "state/tsinfra"));
    expect(await readFile(join(cwd, "state/tsinfra", record), "utf8")).toContain("no space left on device (ENOSPC)");
  });

  test("without a reader: the run ends, and what runs on the hosts with it", async () => {
    const pid = join(cwd, "pid");
    const child = start(["@local", "exec", "--", `echo $$ >${pid}; yes`]);
    const reader = (child.stdout as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await reader.cancel();
    expect(await child.exited).toBe(130);
    expect(await textOf(child.stderr)).toContain("Interrupted: nobody reads the output any more");
    const ran = Number(await readFile(pid, "utf8"));
    await ended(ran);
  });
});

test("a command that has more to say than anybody reads is held back", async () => {
  const count = join(cwd, "count");
  // It notes how far it has come.
  const child = start([
    "@local",
    "exec",
    "--",
    `i=0; while [ $i -lt 400 ]; do head -c 100000 /dev/zero; i=$((i+1)); echo $i >${count}; done`,
  ]);
  const reader = (child.stdout as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  let seen = -1;
  const now = async (): Promise<number> => Number(await readFile(count, "utf8").catch(() => "0"));
  for (let next = await now(); next !== seen || next === 0; next = await now()) {
    seen = next;
    await Bun.sleep(1000);
  }
  expect(seen).toBeLessThan(200);
  let received = 0;
  reader.releaseLock();
  for await (const chunk of child.stdout as ReadableStream<Uint8Array>) received += chunk.length;
  expect([await child.exited, received > 39_000_000]).toEqual([0, true]);
});
