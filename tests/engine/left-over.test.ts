/** Code that goes on after its file, include or callback has failed or ended: nothing of it is done, and nothing of it is told beside why. */
import { describe, expect, test } from "bun:test";
import { ConnectError, DeployError, FactError, LeftOverError } from "../../src/core/errors.ts";
import { call } from "../../src/operations/ts.ts";
import { Answer, ask, run, scope, turningHosts } from "../support/asking.ts";
import { deployOf, fakeRun, runAll } from "../support/fake-run.ts";

/** What a promise has come to by now. */
const settled = async (promise: Promise<unknown>): Promise<unknown> => {
  const pending = Symbol("pending");
  const after = new Promise(resolve => setImmediate(() => setImmediate(resolve, pending)));
  const found = await Promise.race([promise.catch((error: unknown) => error), after]);
  return found === pending ? "pending" : found;
};
const isSilent = (found: unknown): boolean => found === "pending" || found instanceof LeftOverError;
const thrownBy = (body: () => unknown): unknown => {
  try {
    body();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe("what is left over of a file that has failed", () => {
  const reason = new DeployError("first");

  test("asks nothing and declares nothing, in its blocks and includes neither, and is not told", async () => {
    const failed = Promise.withResolvers<void>();
    const over = Promise.withResolvers<void>();
    const left: Promise<unknown>[] = [];
    const fake = fakeRun(
      ["a", "b"],
      { answer: () => ({ stdout: "answer\n" }) },
      { loadDeploy: async name => deployOf(() => failed.promise.then(leave), name) },
    );
    const leave = async (): Promise<void> => {
      const { host, inventory, local } = scope();
      left.push(
        ask(),
        host.withArguments({ _sudo: true }, () => ask()),
        host.withArguments({}, async () => run({ command: "in a block" })),
        inventory.getHost("b").getFact(Answer),
        local.shell("left"),
        local.include("./more.ts"),
        (async () => run({ command: "left" }))(),
      );
      for (const one of left) one.catch(() => undefined);
    };
    const error = await runAll(fake, async () => {
      if (scope().host.name === "b") {
        // The run goes on while what is left over of the other does.
        await failed.promise;
        return over.promise;
      }
      const more = scope().local.include("./more.ts");
      void failed.promise.then(leave);
      more.catch(() => undefined);
      setImmediate(() => {
        failed.resolve();
        setTimeout(() => over.resolve());
      });
      throw reason;
    });
    expect(error).toBe(reason);
    expect(left).toHaveLength(14);
    for (const one of left) expect(isSilent(await settled(one))).toBe(true);
    expect(fake.sent).toEqual([]);
    expect(thrownBy(() => fake.run.expectNothingLate())).toBeUndefined();
    expect(fake.of("log")).toEqual([]);
  });

  test("hears nothing once the run has ended", async () => {
    const ended = Promise.withResolvers<void>();
    let left: Promise<unknown> = Promise.resolve();
    const error = await runAll(turningHosts(["a"]), () => {
      left = ended.promise.then(ask);
      throw reason;
    });
    expect(error).toBe(reason);
    ended.resolve();
    expect(await settled(left)).toBe("pending");
  });

  test("keeps nobody waiting: another host that waits for it fails as the first did", async () => {
    let shared: Promise<unknown> | undefined;
    const failing = Promise.withResolvers<void>();
    const fake = turningHosts(["a", "b", "c"]);
    const error = await runAll(fake, async () => {
      if (scope().host.name === "c") return void run({ command: "c" });
      shared ??= (async () => {
        await failing.promise;
        return ask();
      })();
      if (scope().host.name === "b") return shared;
      setImmediate(failing.resolve);
      throw new FactError("unknown");
    });
    expect(error).toBeUndefined();
    expect(fake.of("host:failed").map(({ host, error: { message } }) => [host, message])).toEqual([
      ["a", "unknown"],
      ["b", "test.Answer was asked after deploy-0.ts had ended"],
    ]);
    expect(fake.sent.at(-1)).toBe("c: c");
  });

  test("fails with the answers that it waits for: their errors are no second mistake", async () => {
    const lost = Promise.withResolvers<void>();
    const fake = fakeRun(["a", "b"], {
      answer: async () => (await lost.promise, new ConnectError("closed")),
    });
    let left: Promise<unknown> = Promise.resolve();
    const error = await runAll(fake, async () => {
      if (scope().host.name === "b") return lost.promise;
      left = ask();
      left.catch(() => undefined);
      setImmediate(() => setImmediate(lost.resolve));
      throw reason;
    });
    expect(error).toBe(reason);
    expect(isSilent(await settled(left))).toBe(true);
  });
});

test("what is left over of an include whose failure is caught does nothing, and the file goes on", async () => {
  const failed = Promise.withResolvers<void>();
  let left: Promise<unknown> = Promise.resolve();
  const fake = fakeRun(
    ["a"],
    {},
    {
      loadDeploy: async name =>
        deployOf(() => {
          left = failed.promise.then(() => run({ command: "left" }));
          left.catch(() => undefined);
          throw new Error("boom");
        }, name),
    },
  );
  const error = await runAll(fake, async () => {
    await scope()
      .local.include("./more.ts")
      .catch(() => undefined);
    failed.resolve();
    await settled(left);
    run({ command: "next" });
  });
  expect(error).toBeUndefined();
  expect(await settled(left)).toBeInstanceOf(LeftOverError);
  expect(fake.sent).toEqual(["a: next"]);
});

test("what is left over of a callback that has failed does nothing", async () => {
  const failed = Promise.withResolvers<void>();
  let left: Promise<unknown> = Promise.resolve();
  const fake = turningHosts(["a"]);
  const error = await runAll(fake, () => {
    call({
      _ignoreErrors: true,
      function() {
        left = failed.promise.then(() => run({ command: "left" }));
        left.catch(() => undefined);
        throw new Error("boom");
      },
    });
    call({
      async function() {
        failed.resolve();
        await settled(left);
        run({ command: "next" });
      },
    });
  });
  expect(error).toBeUndefined();
  expect(await settled(left)).toBeInstanceOf(LeftOverError);
  expect(fake.sent).toEqual(["a: next"]);
});

test("a block, a deploy or an include that begins after its file has ended is a mistake as an operation is", async () => {
  const { deploy } = await import("../../src/public/deploy.ts");
  for (const begin of [
    () => scope().host.withArguments({}, () => run({ command: "late" })),
    () => deploy("late", () => run({ command: "late" }))(),
    () => scope().local.include("./more.ts"),
  ]) {
    const ended = Promise.withResolvers<void>();
    const fake = fakeRun(["a"], {}, { loadDeploy: async name => deployOf(() => void run({ command: "late" }), name) });
    const error = await runAll(
      fake,
      () => {
        ended.promise.then(begin).catch(() => undefined);
      },
      async () => {
        ended.resolve();
        await new Promise(setImmediate);
      },
    );
    expect((error as DeployError).message).toMatch(/was called after deploy-0\.ts had ended$/);
    expect(fake.sent).toEqual([]);
  }
});
