/** What callbacks declare, and what becomes of its failures. */
import { describe, expect, test } from "bun:test";
import type { GlobalArguments } from "../../src/core/arguments.ts";
import type { HostControl } from "../../src/core/host.ts";
import { currentScope } from "../../src/core/scope.ts";
import { operation, raw, sh } from "../../src/public/index.ts";
import { type Answer, fakeRun, type FakeRun, runAll } from "../support/fake-run.ts";

const run = operation<{ readonly line: string }>({
  name: "test.run",
  async *steps(_, { line }) {
    yield sh`${raw(line)}`;
  },
});
const call = operation<{ readonly run: (control: HostControl) => unknown }>({
  name: "test.call",
  async *steps(_, { run: body }) {
    yield { kind: "function", name: "run", run: body };
  },
});
const named = (name: string, line = name) => run({ name, line });
const onA =
  (command: string) =>
  (host: string, sent: string): Answer =>
    host === "a" && sent === command ? { exitCode: 3, stderr: "no\n" } : undefined;
const outcomes = (fake: FakeRun): readonly string[] =>
  fake.of("operation:host:end").map(event => `${event.operation}@${event.host} ${event.outcome}`);

describe("operations of a callback", () => {
  test("operations inside run at once, in order, and their results can be used", async () => {
    const fake = fakeRun(["a"], { answer: (_, sent) => (sent === "inner one" ? { stdout: "42\n" } : undefined) });
    await runAll(fake, () => {
      call({
        run: async () => {
          const inner = await named("Inner one", "inner one");
          named("Inner two", `use ${inner.stdout}`);
        },
      });
      named("After", "after");
    });
    expect(fake.sent).toEqual(["a: inner one", "a: use 42", "a: after"]);
  });
  test("an operation that fails inside fails the callback, even if nobody awaited it", async () => {
    const fake = fakeRun(["a", "b"], { answer: onA("inner") });
    await runAll(fake, () => {
      call({ name: "Outer", run: () => void named("Inner", "inner") });
      named("After", "after");
    });
    expect(outcomes(fake)).toContain("Outer@a failed");
    expect(fake.sent).toEqual(["a: inner", "b: inner", "b: after"]);
  });
  test("what catches the failure of an operation sees why it failed", async () => {
    const fake = fakeRun(["a"], { answer: onA("inner") });
    const seen: unknown[] = [];
    await runAll(fake, () => {
      call({
        run: async () => {
          try {
            await named("Inner", "inner");
          } catch (error) {
            seen.push(error);
          }
        },
      });
    });
    expect(seen).toMatchObject([
      {
        message: 'The operation "Inner" failed inside "test.call (run=run)"',
        cause: { code: "E_COMMAND", exitCode: 3 },
      },
    ]);
  });
  test("what a callback throws fails the operation with a message, not a trace", async () => {
    const fake = fakeRun(["a"]);
    await runAll(fake, () => {
      call({
        name: "Outer",
        run: () => {
          throw new RangeError("too far");
        },
      });
    });
    expect(fake.of("operation:host:end")[0]!.error!.message).toBe("test.call threw RangeError: too far");
  });
});

test("the failure of one is not heard where another one is waited for again", async () => {
  const fake = fakeRun(["a"], { answer: () => ({ exitCode: 3 }) });
  await runAll(fake, () => {
    call({
      name: "Outer",
      run: async (control: HostControl) => {
        const one = named("One");
        await Promise.resolve(one).catch(() => undefined);
        named("Two");
        await Promise.resolve(control.sleep(1)).catch(() => undefined);
        await Promise.resolve(one).catch(() => undefined);
        named("Three");
        for (let turns = 0; turns < 20; turns++) await new Promise(resolve => setImmediate(resolve));
        await Promise.resolve(one).catch(() => undefined);
      },
    });
  });
  expect(fake.of("operation:host:end").at(-1)).toMatchObject({
    outcome: "failed",
    error: { message: 'The operation "Three" failed inside "Outer"' },
  });
});

describe("the host that a callback is given", () => {
  /** Everything that it sends, as whoever it is sent as. */
  async function sentBy(body: (control: HostControl) => unknown, args: GlobalArguments = {}) {
    const fake = fakeRun([{ name: "a", data: [{ color: "red" }] }]);
    expect(await runAll(fake, () => void call({ run: body, ...args }))).toBeUndefined();
    expect(fake.run.failedHosts).toEqual([]);
    // Each has a mark that nobody can guess.
    return fake.sent.map(line =>
      line
        .replaceAll(/tsinfra-\w+/g, "NONCE")
        .replaceAll("one", "it")
        .replaceAll("two", "it"),
    );
  }
  const host = () => currentScope("This test").host;

  test.each<[string, GlobalArguments]>([
    ["in the block", {}],
    ["of the operation", { _sudo: true, _env: { A: "1" } }],
    ["of the operation and in the block", { _sudo: true, _sudoUser: "y" }],
    ["of the operation alone", { _successExitCodes: [3], _stdin: "text" }],
  ])("runs commands as `host` does: with what is in force %s", async (where, args) => {
    const inside = where.endsWith("block") ? { _sudo: true, _sudoUser: "x", _chdir: "/srv" } : {};
    const sent = await sentBy(
      control =>
        host().withArguments(inside, async () => {
          await control.run(sh`echo one`);
          await host().run(sh`echo two`);
        }),
      args,
    );
    expect(sent).toHaveLength(2);
    expect(sent[0]).toBe(sent[1]!);
    if (where.endsWith("block")) expect(sent[0]).toContain("-u x");
  });

  test("has its data, and what is written there", async () => {
    const seen: unknown[] = [];
    await sentBy(control => {
      seen.push(control.name, control.groups, control.data.color);
      host().data.color = "blue";
      seen.push(control.data.color);
    });
    expect(seen).toEqual(["a", ["all"], "red", "blue"]);
  });
});

test.each(["_runOnce", "_serial", "_parallel"])("%s speaks of all hosts, whatever stands beside it", async name => {
  const fake = fakeRun(["a"]);
  const args: GlobalArguments = { _runOnce: false, _serial: false, [name]: name === "_parallel" ? 2 : true };
  await runAll(fake, () => void call({ name: "Outer", run: () => void run({ line: "inner", ...args }) }));
  expect(fake.of("operation:host:end")).toMatchObject([
    { error: { message: `"${name}" of test.run speaks of all hosts, and a callback runs on one of them` } },
  ]);
  expect(fake.sent).toEqual([]);
});

describe("those that did not run are told with the operation that they are a part of", () => {
  /** What is told of "Outer", whose callback is `body`; every operation called "Bad…" fails, those called "Late" the first time. */
  async function toldOf(body: () => unknown, retries = 0) {
    const seen = new Set<string>();
    const answer = (_: string, sent: string) => {
      const isBad = sent.startsWith("Bad") || (sent === "Late" && !seen.has(sent));
      seen.add(sent);
      return isBad ? { exitCode: 3 } : undefined;
    };
    const fake = fakeRun(["a"], { answer });
    await runAll(fake, () => {
      call({ name: "Outer", run: body, _retries: retries });
      named("After");
    });
    const { outcome, notRun } = fake.of("operation:host:end").find(event => event.operation === "Outer")!;
    return { outcome, notRun };
  }

  test("those behind a failure are named", async () => {
    expect(await toldOf(() => ["One", "Bad", "Two", "Three"].forEach(name => named(name)))).toEqual({
      outcome: "failed",
      notRun: ["Two", "Three"],
    });
  });

  test("those behind a failure that was heard of later are named, although the operation succeeds", async () => {
    const told = await toldOf(async () => {
      ["Bad", "Two"].forEach(name => named(name));
      await Promise.resolve(named("Three")).catch(() => undefined);
      await named("Four");
    });
    expect(told).toEqual({ outcome: "changed", notRun: ["Two", "Three"] });
  });

  test("none is named where all ran, or did in the last try", async () => {
    expect(await toldOf(() => void named("One"))).toEqual({ outcome: "changed", notRun: undefined });
    expect(await toldOf(() => ["Late", "Two"].forEach(name => named(name)), 1)).toEqual({
      outcome: "changed",
      notRun: undefined,
    });
  });
});
