/** What is not tried again, however it is wrapped. */
import { describe, expect, test } from "bun:test";
import { CommandTimeoutError, EscalationError, NestedOperationError } from "../../src/core/errors.ts";
import { currentScope } from "../../src/core/scope.ts";
import { mayBeTriedAgain } from "../../src/engine/operation/retryable.ts";
import { operation, raw, sh } from "../../src/public/index.ts";
import { type Answer, fakeRun, runAll } from "../support/fake-run.ts";

const run = operation<{ readonly lines: readonly string[] }>({
  name: "test.run",
  async *steps(_, { lines }) {
    for (const line of lines) yield sh`${raw(line)}`;
  },
});
const call = operation<{ readonly run: () => unknown }>({
  name: "test.call",
  async *steps(_, { run: body }) {
    yield { kind: "function", name: "run", run: body };
  },
});

const lasting = (): CommandTimeoutError => new CommandTimeoutError("Took too long", { mayStillRun: true });
const refused = (): EscalationError => new EscalationError("The password for sudo was refused");
const ANSWERS: Readonly<Record<string, () => Answer>> = {
  bad: () => ({ exitCode: 3 }),
  late: () => new CommandTimeoutError("Took too long"),
  lasting,
  refused,
};

/** What is sent, and what is warned of. */
async function told(body: () => unknown) {
  const fake = fakeRun(["a"], { answer: (_, sent) => ANSWERS[sent]?.() });
  await runAll(fake, body);
  return { sent: fake.sent.map(line => line.replace("a: ", "")), warned: fake.of("log").map(({ message }) => message) };
}
const sentBy = async (body: () => unknown): Promise<readonly string[]> => (await told(body)).sent;
const twice = { _retries: 2, _retryDelay: 0 };
const host = () => currentScope("This test").host;

describe("an operation is not tried again where", () => {
  test.each(["lasting", "refused"])("a command is %s", async last => {
    expect(await told(() => void run({ lines: [last], ...twice }))).toEqual({ sent: [last], warned: [] });
  });

  test.each(["lasting", "refused"])("it went on after a failure, and a command is %s then", async last => {
    const lines = ["bad", last, "good"];
    expect(await sentBy(() => void run({ lines, _continueOnError: true, ...twice }))).toEqual(lines);
  });

  test.each(["lasting", "refused"])("an operation of its callback failed, for a command is %s", async last => {
    expect(await sentBy(() => void call({ run: () => void run({ lines: [last] }), ...twice }))).toEqual([last]);
    const lines = ["bad", last];
    const inner = () => run({ lines, _continueOnError: true });
    expect(await sentBy(() => void call({ run: inner, ...twice }))).toEqual(lines);
    const deep = () => call({ name: "Inner", run: inner });
    expect(await sentBy(() => void call({ run: deep, ...twice }))).toEqual(lines);
  });

  test.each([
    ["an operation", () => run({ lines: ["lasting"] })],
    ["host.run", () => host().run(sh`lasting`)],
  ])("its callback swallowed that a command of %s may still run", async (_, inner) => {
    const body = async () => {
      try {
        await inner();
      } catch {
        throw new Error("It did not work");
      }
    };
    expect(await told(() => void call({ name: "Outer", run: body, ...twice }))).toEqual({
      sent: ["lasting"],
      warned: ["Outer is not tried again: one of its commands could not be ended in time, and may still run there"],
    });
  });

  test("an operation whose failure is ignored may still run", async () => {
    const body = () => {
      run({ lines: ["lasting"], _ignoreErrors: true });
      run({ lines: ["bad"] });
    };
    expect(await sentBy(() => void call({ run: body, ...twice }))).toEqual(["lasting", "bad"]);
  });
});

test("what failed otherwise is tried again, as often as asked", async () => {
  for (const line of ["bad", "late"]) {
    expect(await sentBy(() => void run({ lines: [line], ...twice }))).toEqual([line, line, line]);
    expect(await sentBy(() => void call({ run: () => void run({ lines: [line] }), ...twice }))).toHaveLength(3);
  }
});

test("a password that a callback does without was not refused to the operation", async () => {
  const body = async () => {
    await Promise.resolve(run({ lines: ["refused"] })).catch(() => undefined);
    await run({ lines: ["bad"] });
  };
  expect(await sentBy(() => void call({ run: body, ...twice }))).toEqual(Array(3).fill(["refused", "bad"]).flat());
});

describe("what an error comes from counts", () => {
  const endless = new Error("again");
  endless.cause = endless;
  test.each<[string, unknown, boolean]>([
    ["a timeout that was ended", new CommandTimeoutError("x"), true],
    ["a timeout that may still run", lasting(), false],
    ["a cause", new Error("x", { cause: new Error("y", { cause: refused() }) }), false],
    ["one of several", new AggregateError([new Error("x"), lasting()]), false],
    ["what failed beside the cause", new NestedOperationError("x", { cause: new Error(), others: [lasting()] }), false],
    ["one that comes from itself", endless, true],
    ["no error", "text", true],
  ])("%s", (_, error, expected) => {
    expect(mayBeTriedAgain(error)).toBe(expected);
  });
});
