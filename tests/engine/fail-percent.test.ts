import { describe, expect, test } from "bun:test";
import { FactError } from "../../src/core/errors.ts";
import { currentScope } from "../../src/core/scope.ts";
import { operation, raw, sh } from "../../src/public/index.ts";
import { deployOf, fakeRun, runAll } from "../support/fake-run.ts";

const failing = { exitCode: 3 };
const run = operation<{ readonly line: string }>({
  name: "test.run",
  async *steps(_, { line }) {
    yield sh`${raw(line)}`;
  },
});
const named = (name: string, line: string): unknown => run({ name, line });
const on = (host: string, command: string, answer: { readonly exitCode: number }) => (at: string, sent: string) =>
  at === host && sent === command ? answer : undefined;

describe("a percentage of hosts that may fail", () => {
  const four = ["a", "b", "c", "d"];
  test("stops the run once more have failed", async () => {
    const fake = fakeRun(
      four,
      { answer: (at, sent) => (sent === "one" && at < "c" ? failing : undefined) },
      { config: { failPercent: 25 } },
    );
    const error = await runAll(fake, () => {
      named("One", "one");
      named("Two", "two");
    });
    expect(error).toMatchObject({
      code: "E_TOO_MANY_FAILURES",
      message: "2 of 4 hosts failed (50 %), failPercent allows 25 %",
    });
    expect(fake.sent.filter(sent => sent.endsWith("two"))).toEqual([]);
  });
  test("is told as an event, once, before the results, unless nothing was left to stop", async () => {
    for (const [lines, allowed, stops] of [
      [["one", "two"], 0, 1],
      [["one"], 0, 0],
      [["one", "two"], 25, 0],
    ] as const) {
      const fake = fakeRun(four, { answer: on("a", "one", failing) }, { config: { failPercent: allowed } });
      await runAll(fake, () => lines.forEach(line => named(line, line)));
      expect(fake.of("run:stopped")).toHaveLength(stops);
      expect(fake.of("run:stopped").map(({ error }) => error)).toEqual(
        Array.from({ length: stops }, () => ({
          code: "E_TOO_MANY_FAILURES",
          message: "1 of 4 hosts failed (25 %), failPercent allows 0 %",
        })),
      );
      const types = fake.events.map(({ type }) => type);
      expect(types.indexOf("run:stopped")).toBeLessThan(types.indexOf("results"));
    }
  });
  test("is told behind the proposal where too many have failed by then, once", async () => {
    const told = async (body: () => void) => {
      const { run, events } = fakeRun(four, { unreachable: ["b"] }, { config: { failPercent: 0 } });
      await run.connect();
      await run.prepare([deployOf(body)]);
      run.propose();
      const proposed = events.map(({ type }) => type).slice(-2);
      await run.execute().catch(() => undefined);
      const stops = events.filter(({ type }) => type === "run:stopped");
      return { proposed, stops: stops.length, stopped: run.stopped?.message };
    };
    expect(await told(() => named("One", "one"))).toEqual({
      proposed: ["changes", "run:stopped"],
      stops: 1,
      stopped: "1 of 4 hosts failed (25 %), failPercent allows 0 %",
    });
    expect(await told(() => {})).toEqual({ proposed: ["stage:end", "changes"], stops: 0, stopped: undefined });
  });
  test("goes on while no more have failed", async () => {
    const fake = fakeRun(four, { answer: on("a", "one", failing) }, { config: { failPercent: 25 } });
    expect(
      await runAll(fake, () => {
        named("One", "one");
        named("Two", "two");
      }),
    ).toBeUndefined();
    expect(fake.sent.filter(sent => sent.endsWith("two"))).toHaveLength(3);
  });
  test("works in every strategy", async () => {
    for (const strategy of [{ serial: true }, { noWait: true }]) {
      const fake = fakeRun(
        four,
        { answer: (_, sent) => (sent === "one" ? failing : undefined) },
        { config: { failPercent: 0, parallel: 1 }, ...strategy },
      );
      expect(
        await runAll(fake, () => {
          named("One", "one");
          named("Two", "two");
        }),
      ).toMatchObject({ code: "E_TOO_MANY_FAILURES" });
      expect(fake.sent).toEqual(["a: one"]);
    }
  });
  test("counts hosts that failed before anything ran, and those that could not be connected", async () => {
    for (const unreachable of [["b"], []]) {
      const fake = fakeRun(four, { unreachable }, { config: { failPercent: 0 } });
      const error = await runAll(fake, async () => {
        if (currentScope("test").host.name === "c" && unreachable.length === 0) throw new FactError("No answer");
        named("One", "one");
      });
      expect(error).toMatchObject({ message: "1 of 4 hosts failed (25 %), failPercent allows 0 %" });
      expect(fake.sent).toEqual([]);
      expect(fake.of("results")).toHaveLength(1);
    }
  });
  test("stops hosts that do not wait for each other", async () => {
    const reached = Promise.withResolvers<void>();
    const fake = fakeRun(
      ["a", "b"],
      {
        answer: async (host, sent) => {
          if (host === "a" && sent === "one") return (reached.resolve(), failing);
          // Its first operation ends after the other host has failed.
          if (host === "b" && sent === "one")
            await reached.promise.then(() => new Promise(resolve => setImmediate(resolve)));
          return undefined;
        },
      },
      { config: { failPercent: 0 }, noWait: true },
    );
    await runAll(fake, () => {
      named("One", "one");
      named("Two", "two");
    });
    expect(fake.sent.toSorted()).toEqual(["a: one", "b: one"]);
  });
});
