/** Async functions and bodies that nobody awaits: what they declare would run in another order than it is written. */
import { beforeEach, describe, expect, test } from "bun:test";
import { DeployError, FactError, GlobalArgumentError } from "../../src/core/errors.ts";
import { anyChanged, type Changeable } from "../../src/public/conditions.ts";
import { deploy } from "../../src/public/deploy.ts";
import { call } from "../../src/operations/ts.ts";
import { ask, run, scope, turningHosts } from "../support/asking.ts";
import { deployOf, fakeRun, type FakeRun, runAll } from "../support/fake-run.ts";

/** An async function of the user's, and a deploy: each asks first, then declares. */
const base = async () => {
  await ask();
  return run({ command: "base" });
};
const part = (name: string, before: () => Promise<unknown> = ask) =>
  deploy(name, async () => {
    await before();
    return run({ command: name });
  });
const app = part("app");

const declared = (fake: FakeRun): readonly string[] =>
  fake.sent.flatMap(line => (line.endsWith("answer") ? [] : line.replace("a: ", "")));

async function refused(body: () => unknown): Promise<DeployError> {
  const fake = turningHosts(["a"]);
  const error = await runAll(fake, body);
  expect(error).toBeInstanceOf(DeployError);
  expect(declared(fake)).toEqual([]);
  return error as DeployError;
}
async function accepted(body: () => unknown): Promise<readonly string[]> {
  const fake = turningHosts(["a"]);
  expect(await runAll(fake, body)).toBeUndefined();
  return declared(fake);
}

const BESIDE = /^test\.run was called beside deploy\("app"\) \(line \d+\), which had not ended$/;

describe("an operation that is refused fails the run, whoever swallows it", () => {
  test.each<[string, () => unknown]>([
    ["Promise.allSettled", () => Promise.allSettled([base(), app()])],
    ["Promise.any", () => Promise.any([base(), Promise.resolve(app())])],
    ["a catch", () => Promise.all([base().catch(() => undefined), app()])],
    [
      "a condition that is never asked",
      async () => {
        const held = base();
        const { didNotChange } = await app();
        run({ command: "restart", _if: [didNotChange, anyChanged(held)] });
      },
    ],
  ])("%s", async (_, body) => {
    const error = await refused(body);
    expect(error.message).toMatch(BESIDE);
    expect(error.at?.file).toBe(import.meta.path);
    expect(error.host).toBe("a");
  });

  test("also in a callback, whose operation tells it where it fails with it", async () => {
    const swallows = turningHosts(["a"]);
    const error = await runAll(swallows, () => {
      call({ function: () => Promise.allSettled([base(), app()]) });
      run({ command: "never" });
    });
    expect(String(error)).toContain("test.run was called beside");
    expect(declared(swallows)).toEqual(["app"]);

    const throws = turningHosts(["a", "b"]);
    const told = await runAll(throws, () => {
      call({ name: "calls", function: () => (scope().host.name === "a" ? Promise.all([base(), app()]) : undefined) });
      run({ command: "next" });
    });
    expect(told).toBeUndefined();
    expect(throws.of("operation:host:end").find(({ outcome }) => outcome === "failed")?.error?.message).toMatch(BESIDE);
    expect(throws.sent).toContain("b: next");
  });

  test("and in one that may fail, too", async () => {
    const fake = turningHosts(["a"]);
    const error = await runAll(fake, () => {
      call({ function: () => Promise.all([base(), app()]), _ignoreErrors: true });
      run({ command: "never" });
    });
    expect(String(error)).toContain("test.run was called beside");
    expect(declared(fake)).toEqual(["app"]);
  });
});

describe("a promise that a condition holds and that fails", () => {
  /** A file whose condition would never ask it. */
  const holding = async (error: Error) => {
    const { promise, reject } = Promise.withResolvers<undefined>();
    run({ command: "restart", _if: [() => false, anyChanged(promise)] });
    await ask();
    reject(error);
    run({ command: "more" });
    await ask();
  };

  test("fails the file, and only its host where it is the host's own", async () => {
    const fake = turningHosts(["a", "b"]);
    const error = new FactError("no such thing");
    await runAll(fake, async () => (scope().host.name === "a" ? holding(error) : void run({ command: "b" })));
    const failed = fake.of("host:failed");
    expect(failed.map(({ host, stage, error }) => [host, stage, error.message])).toEqual([
      ["a", "prepare", "no such thing"],
    ]);
    expect(fake.sent.filter(line => !line.endsWith("answer"))).toEqual(["b: b"]);
  });

  test("is told as it was thrown", async () => {
    const error = new TypeError("oops");
    expect(await runAll(turningHosts(["a"]), () => holding(error))).toBe(error);
  });
});

describe("a body that nobody awaits, with operations beside it", () => {
  const OVERTAKEN = /^(.+) \(line \d+\) is not awaited yet, but operations beside it are declared$/;
  /** What goes on once `second` has declared its operation. What it throws it keeps: nobody waits for it. */
  let isBeside = Promise.withResolvers<void>();
  beforeEach(() => void (isBeside = Promise.withResolvers()));
  const late = async () => {
    await isBeside.promise;
    try {
      run({ command: "first" });
    } catch {
      // The run fails with it all the same.
    }
  };
  const first = deploy("first", late);
  const second = deploy("second", async () => {
    await ask();
    run({ command: "second" });
    isBeside.resolve();
  });
  const block = () => scope().host.withArguments({ _sudo: false }, late);
  const conditional = () => scope().host.when(() => true, late);

  test.each<[string, () => Changeable]>([
    ['deploy("first")', first],
    ["host.withArguments()", block],
    ["host.when()", conditional],
  ])("%s is refused at its operation", async (name, begin) => {
    const error = await refused(async () => {
      const held = begin();
      await second();
      run({ command: "third", _if: anyChanged(held) });
    });
    expect(OVERTAKEN.exec(error.message)?.[1]).toBe(name);
    expect(error.hint).toContain("Promise.all");
    expect(error.at?.file).toBe(import.meta.path);
  });

  test("an include, and one around a deploy that is awaited", async () => {
    const fake = fakeRun(["a"], {}, { loadDeploy: async name => deployOf(late, name) });
    const error = await runAll(fake, async () => {
      const held = scope().local.include("./more.ts");
      await second();
      await held;
    });
    expect(String(error)).toMatch(/local\.include\("\.\/more\.ts"\) \(line \d+\) is not awaited yet/);
    isBeside = Promise.withResolvers();
    const nested = await refused(async () => {
      const held = deploy("outer", async () => void (await first()))();
      await second();
      await held;
    });
    expect(nested.message).toMatch(/^deploy\("outer"\) \(line \d+\) is not awaited yet/);
  });

  const FOLLOWED = /^deploy\("first"\) \(line \d+\) is not awaited before operations follow it$/;
  test.each<[string, () => unknown]>([
    ["that began in a block", () => scope().host.withArguments({}, () => first())],
    [
      "that began in a block, in a list",
      () =>
        scope().host.when(
          () => true,
          () => [first()],
        ),
    ],
    ["that began in another deploy", () => deploy("outer", () => [first()])()],
    ["that began in another async deploy", () => deploy("outer", async () => void first())()],
  ])("one %s which has ended is refused as any other", async (_, begin) => {
    const error = await refused(async () => {
      const held = begin();
      await ask();
      run({ command: "follows" });
      await held;
    });
    expect(error.message).toMatch(FOLLOWED);
    const left = await refused(() => void begin());
    expect(left.message).toBe('deploy-0.ts ended while deploy("first") was still running');
  });

  test("what a block declares at once follows as what is declared without it", async () => {
    const error = await refused(async () => {
      const held = first();
      scope().host.when(
        () => true,
        () => void run({ command: "follows" }),
      );
      await held;
    });
    expect(error.message).toMatch(FOLLOWED);
  });

  test("one that declares before anybody could wait for it is refused where nobody does", async () => {
    const early = part("early", async () => null);
    const error = await refused(async () => {
      void early();
      await deploy("beside", async () => void run({ command: "beside" }))();
      await ask();
    });
    expect(error.message).toMatch(/^deploy\("early"\) \(line \d+\) is not awaited yet/);
  });

  test("in a callback it ends the run", async () => {
    const fake = turningHosts(["a"]);
    const error = await runAll(fake, () => {
      call({
        async function() {
          const held = first();
          await second();
          await held;
        },
      });
      run({ command: "never" });
    });
    expect(String(error)).toContain('deploy("first")');
    expect(declared(fake)).toEqual(["second"]);
  });

  test.each<[string, () => unknown]>([
    ["Promise.all", () => Promise.all([first(), second()])],
    ["Promise.all of blocks", () => Promise.all([block(), second(), conditional()])],
    ["Promise.all of bodies that go on at once", () => Promise.all([1, 2].map(n => part(`${n}`, async () => null)()))],
    [
      "Promise.all of functions that await deploys",
      () =>
        Promise.all(
          [first, second].map(async one => {
            await null;
            await one();
          }),
        ),
    ],
    ["Promise.allSettled", () => Promise.allSettled([first(), second()])],
    ["then", () => Promise.resolve(second().then(() => first()))],
    [
      "return",
      async () => {
        const begin = async () => first();
        await Promise.all([begin(), second()]);
      },
    ],
    [
      "await in a loop",
      async () => {
        for (const one of [second, first, second]) await one();
      },
    ],
    [
      "await further down, with nothing declared beside",
      async () => {
        const held = second();
        await isBeside.promise;
        await held;
        run({ command: "last" });
      },
    ],
    [
      "deploys in deploys",
      () =>
        deploy("outer", async () => {
          run({ command: "before" });
          await Promise.all([second(), first(), deploy("sync", () => void run({ command: "sync" }))()]);
          run({ command: "after" });
        })(),
    ],
    [
      "callbacks",
      () =>
        call({
          async function() {
            await Promise.all([first(), second()]);
            await first();
            run({ command: "last" });
          },
        }),
    ],
  ])("%s is accepted", async (_, body) => {
    expect((await accepted(body)).length).toBeGreaterThan(1);
  });
});

describe("an operation beside a body that goes on", () => {
  test("of one that nobody waits for, it is the body that is not awaited", async () => {
    const error = await refused(() => {
      void app();
      run({ command: "beside" });
    });
    expect(error.message).toMatch(/^deploy\("app"\) \(line \d+\) is not awaited before operations follow it$/);
    expect(error.hint).toStartWith('Put `await` before deploy("app")');
    const held = await refused(() => {
      const block = scope().host.withArguments({}, base);
      run({ command: "beside", _if: anyChanged(block) });
      return block;
    });
    expect(held.message).toMatch(/^host\.withArguments\(\) \(line \d+\) is not awaited before operations follow it$/);
  });

  test("of one that is awaited, it is what declares beside it", async () => {
    for (const body of [
      async () => {
        const held = base();
        await app();
        await held;
      },
      () => Promise.all([base(), app()]),
    ]) {
      const error = await refused(body);
      expect(error.message).toMatch(BESIDE);
      expect(error.hint).toContain("put `await` before the call of the async function");
      expect(error.hint).toContain("deploys of their own, given to Promise.all");
    }
  });
});

test.each<[unknown, string]>([
  [true, "true"],
  [undefined, "undefined"],
  [null, "null"],
  [Promise.resolve(true), "a promise"],
])("host.when() takes a condition and not %p", async (condition, found) => {
  const fake = turningHosts(["a"]);
  const error = await runAll(fake, () =>
    scope().host.when(condition as () => boolean, () => run({ command: "never" })),
  );
  expect(error).toBeInstanceOf(GlobalArgumentError);
  expect((error as GlobalArgumentError).message).toMatch(/^host\.when was given "_if/);
  expect((error as GlobalArgumentError).message).toContain(`as ${found}: it takes a function`);
  expect(fake.sent).toEqual([]);
});
