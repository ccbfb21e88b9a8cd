/** Operations of a callback that did not run are told with the operation that they are a part of. */
import { expect, test } from "bun:test";
import { operation, raw, sh } from "../../src/public/index.ts";
import { fakeRun, runAll } from "../support/fake-run.ts";

const run = operation<{ readonly line: string }>({
  name: "test.run",
  async *steps(_, { line }) {
    yield sh`${raw(line)}`;
  },
});
const call = operation<{ readonly run: () => unknown }>({
  name: "test.call",
  async *steps(_, { run: body }) {
    yield { kind: "function", name: "body", run: body };
  },
});
const named = (name: string) => run({ name, line: name });

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
  expect(await toldOf(() => ["One", "Bad", "Two", "Three"].forEach(named))).toEqual({
    outcome: "failed",
    notRun: ["Two", "Three"],
  });
});

test("those behind a failure that was heard of later are named, although the operation succeeds", async () => {
  const told = await toldOf(async () => {
    ["Bad", "Two"].forEach(named);
    await Promise.resolve(named("Three")).catch(() => undefined);
    await named("Four");
  });
  expect(told).toEqual({ outcome: "changed", notRun: ["Two", "Three"] });
});

test("none is named where all ran, or did in the last try", async () => {
  expect(await toldOf(() => void named("One"))).toEqual({ outcome: "changed", notRun: undefined });
  expect(await toldOf(() => ["Late", "Two"].forEach(named), 1)).toEqual({ outcome: "changed", notRun: undefined });
});
