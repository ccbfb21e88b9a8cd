/** What callbacks declare, and what becomes of its failures. */
import { describe, expect, test } from "bun:test";
import { operation, raw, sh } from "../../src/public/index.ts";
import { type Answer, fakeRun, type FakeRun, runAll } from "../support/fake-run.ts";

const run = operation<{ readonly line: string }>({
  name: "test.run",
  async *steps(_, { line }) {
    yield sh`${raw(line)}`;
  },
});
const call = operation<{ readonly run: () => unknown }>({
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
