/** What has no end, or is too much: drawn, kept and sent no further than stated. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CancelledError, OperationError } from "../../src/core/errors.ts";
import { currentScope } from "../../src/core/scope.ts";
import type { Completion } from "../../src/engine/host-state.ts";
import { KeptResults } from "../../src/engine/kept-results.ts";
import { Hostname } from "../../src/facts/server/index.ts";
import { operation, raw, sh, type OperationHandle } from "../../src/public/index.ts";
import { shell } from "../../src/operations/server/index.ts";
import { fakeRun, runAll } from "../support/fake-run.ts";
import { listeningRun } from "../support/listening-run.ts";
import { localSession } from "../support/local-session.ts";

setDefaultTimeout(60_000);

let root: string;
beforeAll(async () => void (root = await mkdtemp(join(tmpdir(), "tsinfra-bounds-"))));
afterAll(() => rm(root, { recursive: true }));

const lines = operation<{ line: string }>({
  name: "test.lines",
  async *steps(_, { line }) {
    yield sh`${raw(line)}`;
  },
});

const endless = (drawn: { count: number }, changes?: "what it names") =>
  operation<object>({
    name: "test.endless",
    ...(changes ? { changes } : {}),
    async *steps() {
      for (;;) {
        drawn.count++;
        yield sh`exit ${drawn.count >= 3 ? 3 : 0}`;
      }
    },
  });

test("an operation that yields without end runs what it has yielded", async () => {
  const drawn = { count: 0 };
  const { outcomes, ends } = await listeningRun(root, () => void endless(drawn)({}));
  expect(outcomes).toEqual(["failed"]);
  expect(ends[0]?.error?.message).toStartWith("Command failed with exit code 3 on here-0: exit 3");
  expect(drawn.count).toBeLessThan(2000);
});

test("one that yields without end is not drawn ahead of its turn", async () => {
  const drawn = { count: 0 };
  const { outcomes } = await listeningRun(root, () => {
    shell({ commands: ["sleep 0.1"] });
    endless(drawn, "what it names")({});
  });
  expect(outcomes).toEqual(["changed", "failed"]);
  expect(drawn.count).toBeLessThan(2000);
});

test("of what operations have printed the newest is kept, up to a limit for all of them", async () => {
  const MIB = 1024 * 1024;
  const fake = fakeRun(["a"], { answer: (_, sent) => ({ stdout: sent.repeat(7 * MIB), stderr: "first\nlast\n" }) });
  const handles: OperationHandle[] = [];
  const error = await runAll(fake, () => {
    for (const line of "abcdefghijkl") handles.push(lines({ line }));
    expect(currentScope("This test").host.name).toBe("a");
  });
  expect(error).toBeUndefined();
  const kept = handles.map(({ stdout, isCut }) => [stdout.length === 7 * MIB, isCut] as const);
  expect(kept.slice(-9)).toEqual(Array.from({ length: 9 }, () => [true, false]));
  expect(kept.slice(0, 3)).toEqual(Array.from({ length: 3 }, () => [false, true]));
  // Of each the end is there all the same.
  expect(handles[0]!.stdout).toMatch(/^a+$/);
  expect(handles[0]!.stderrLines).toEqual(["first", "last"]);
});

test("what many operations have printed is kept within a limit, however little each command said", () => {
  const kept = new KeptResults();
  const [stdout, stdoutLines] = ["x".repeat(60_000), ["x".repeat(60_000)]];
  const result = { exitCode: 0, stdout, stderr: "", stdoutLines, stderrLines: [], isCut: false };
  const ended = Array.from({ length: 4000 }, (): Completion => ({
    outcome: "changed",
    results: Array.from({ length: 20 }, () => result),
    retryAttempts: 0,
  }));
  for (const completion of ended) kept.add(completion);
  const sizes = ended.map(({ results }) => results.reduce((sum, one) => sum + one.stdout.length, 0));
  expect(sizes.at(-1)).toBe(20 * 60_000);
  expect(sizes.at(-100)).toBeLessThanOrEqual(64 * 1024);
  expect(sizes.at(-100)).toBeGreaterThan(0);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(128 * 1024 * 1024);
  expect(ended.every(({ results }) => results.every(one => one.isCut || one.stdout === stdout))).toBe(true);
});

test("code that asks the same fact without end hears an interrupt", async () => {
  const stop = new AbortController();
  let asked = 0;
  const waits = operation<object>({
    name: "test.waits",
    async *steps(host) {
      while ((await host.getFact(Hostname)) !== "another")
        if (++asked === 5000) setImmediate(() => stop.abort(new CancelledError("Enough")));
      yield sh`true`;
    },
  });
  await expect(listeningRun(root, () => void waits({}), { signal: stop.signal })).rejects.toThrow("Enough");
});

test("a command that is too long for a terminal is refused before it is sent, which is no lost connection", async () => {
  const session = localSession();
  const { signal } = new AbortController();
  const surroundings = { shell: "sh", env: {} };
  const { trouble } = await session.run(sh`printf %s ${"x".repeat(300_000)}`, { surroundings, signal, pty: true });
  expect(trouble).toBeInstanceOf(OperationError);
  expect(trouble!.message).toMatch(
    /^A command of \d+ bytes is too long for a terminal on here, which takes no more than 100000 with its quotes: it was not sent$/,
  );
  expect((await session.run(sh`echo next`, { surroundings, signal, pty: true })).exitCode).toBe(0);
  await session.close();
});
