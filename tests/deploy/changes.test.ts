/** Whether something changed, as deploy files ask it: of operations, of deploys, of what functions return. */
import { describe, expect, test } from "bun:test";
import {
  allChanged,
  anyChanged,
  type Changeable,
  type Changed,
  deploy,
  host,
  operation,
  type OperationHandle,
  raw,
  sh,
} from "../../src/public/index.ts";
import { currentScope } from "../../src/core/scope.ts";
import { fakeRun, runAll } from "../support/fake-run.ts";

const shell = operation<{ line: string }>({
  name: "test.shell",
  async *steps(_, { line }) {
    yield sh`${raw(line)}`;
  },
});
/** Finds nothing to do. */
const same = operation<{ line: string }>({ name: "test.same", async *steps() {} });
const call = operation<{ run: () => unknown }>({
  name: "test.call",
  async *steps(_, { run }) {
    yield { kind: "function", name: "run", run };
  },
});

/** The commands that were sent by a deploy on one host. */
async function sent(body: () => unknown, answer?: Parameters<typeof fakeRun>[1]) {
  const fake = fakeRun(["a"], answer);
  const error = await runAll(fake, body);
  return { error, sent: fake.sent, events: fake.events, of: fake.of };
}

describe("anyChanged and allChanged", () => {
  const changed = (): OperationHandle => shell({ line: "one" });
  const unchanged = (): OperationHandle => same({ line: "two" });
  const helper = async (handle: OperationHandle): Promise<Changed> => {
    await null;
    return handle;
  };
  const cases: readonly [
    name: string,
    given: () => readonly Changeable[] | Promise<readonly Changeable[]>,
    any: boolean,
    all: boolean,
  ][] = [
    ["handles", () => [changed(), unchanged()], true, false],
    ["handles that changed", () => [changed(), shell({ line: "three" })], true, true],
    ["handles that did not", () => [unchanged(), same({ line: "x" })], false, false],
    ["the result of an awaited handle", async () => [await changed()], true, true],
    ["a list", () => [[changed(), shell({ line: "three" })]], true, true],
    ["a list of lists and results", async () => [[[await changed()], unchanged()]], true, false],
    ["a promise of a handle", () => [helper(changed())], true, true],
    ["a promise of a list", () => [Promise.all([helper(changed()), helper(unchanged())])], true, false],
    ["promises in a list", () => [[helper(changed()), helper(shell({ line: "three" }))]], true, true],
    ["a function that returned nothing", async () => [changed(), await (async () => {})()], true, false],
    ["a promise of nothing", () => [changed(), Promise.resolve()], true, false],
    ["null", () => [changed(), null], true, false],
    ["a list of none", () => [changed(), []], true, false],
    ["nothing at all", () => [], false, false],
  ];
  for (const [name, given, any, all] of cases)
    test(`take ${name}`, async () => {
      const run = await sent(async () => {
        const values = await given();
        shell({ line: "any", _if: anyChanged(...values) });
        shell({ line: "all", _if: allChanged(...values) });
      });
      expect(run.error).toBeUndefined();
      expect([run.sent.includes("a: any"), run.sent.includes("a: all")]).toEqual([any, all]);
    });

  test("refuse what cannot be asked, and say what it was", async () => {
    const wrong: readonly [unknown, string][] = [
      [true, "boolean true"],
      ["yes", "string yes"],
      [{}, "an object without didChange"],
      [() => true, "a function"],
    ];
    for (const [value, found] of wrong) {
      const { error } = await sent(() => shell({ line: "no", _if: anyChanged(value as Changeable) }));
      expect(error).toMatchObject({
        message: `anyChanged takes what operations and deploys return, found ${found}`,
        code: "E_DEPLOY",
      });
    }
    const { error } = await sent(() => allChanged(changed().didChange as unknown as Changeable));
    expect(error).toMatchObject({ hint: "Pass the handle itself, not its didChange" });
  });

  test("tell what is wrong with a promise when they are asked", async () => {
    const of = async (promise: () => Promise<Changed>) => {
      const run = await sent(() => shell({ name: "asks", line: "no", _if: anyChanged(promise()) }));
      return run.of("operation:host:end")[0]?.error;
    };
    expect(await of(() => new Promise(() => {}))).toMatchObject({
      message: "anyChanged was given a promise that has not ended when its answer is needed",
      hint: "Put `await` before what returned it",
    });
  });

  test("fail the file with what is wrong with a promise that has ended, asked or not", async () => {
    const of = async (promise: () => Promise<Changed>) =>
      (await sent(() => shell({ line: "no", _if: [() => false, anyChanged(promise())] }))).error;
    expect(await of(async () => Promise.reject(new TypeError("oops")))).toEqual(new TypeError("oops"));
    expect(await of(async () => 5 as unknown as Changed)).toMatchObject({
      message: "anyChanged takes what operations and deploys return, found number 5",
    });
  });
});

describe("the handle of a deploy", () => {
  const outcome = (given: {
    didChange(): boolean;
    didNotChange(): boolean;
    didSucceed(): boolean;
    didError(): boolean;
  }) =>
    call({
      run: () =>
        shell({
          line: `${given.didChange()} ${given.didNotChange()} ${given.didSucceed()} ${given.didError()}`,
        }),
    });

  test("knows whether anything in it changed, in deploys inside it too", async () => {
    const inner = deploy("Inner", () => void shell({ line: "inner" }));
    const nested = deploy("Nested", () => {
      same({ line: "x" });
      host.when(
        () => true,
        () => inner(),
      );
    });
    const nothing = deploy("Nothing", () => void same({ line: "y" }));
    const empty = deploy("Empty", () => {});
    const run = await sent(() => {
      const one = nested();
      const two = nothing();
      const three = empty();
      shell({ line: "after nested", _if: one.didChange });
      shell({ line: "after nothing", _if: two.didChange });
      shell({ line: "unless nothing", _if: two.didNotChange });
      shell({ line: "after empty", _if: three.didChange });
      shell({ line: "any", _if: anyChanged(one, two) });
      shell({ line: "all", _if: allChanged(one, two) });
    });
    expect(run.error).toBeUndefined();
    expect(run.sent).toEqual(["a: inner", "a: after nested", "a: unless nothing", "a: any"]);
  });

  test("answers for each host and each call on its own", async () => {
    const own = deploy("Own", ({ what }: { what: string }) => {
      if (host.name === what) shell({ line: what });
    });
    const fake = fakeRun(["a", "b"]);
    await runAll(fake, () => {
      const [one, two] = [own({ what: "a" }), own({ what: "b" })];
      shell({ line: "first", _if: one.didChange });
      shell({ line: "second", _if: two.didChange });
    });
    expect(fake.sent).toEqual(["a: a", "b: b", "a: first", "b: second"]);
  });

  test("can be awaited, and must be where its body is async; gives what the body returned", async () => {
    const sync = deploy("Sync", () => {
      shell({ line: "sync" });
      return 1;
    });
    const slow = deploy("Slow", async ({ line }: { line: string }) => {
      await null;
      shell({ line });
      return { port: 2 };
    });
    const returns = deploy("Returns", () => shell({ line: "returned" }));
    const run = await sent(async () => {
      const one = sync();
      const two = await slow({ line: "slow" });
      const three = await sync();
      const four = returns();
      shell({ line: `got ${one.value} ${two.value.port} ${three.value}`, _if: two.didChange });
      shell({ line: "handle", _if: four.value.didChange });
    });
    expect(run.error).toBeUndefined();
    expect(run.sent).toEqual(["sync", "slow", "sync", "returned", "got 1 2 1", "handle"].map(line => `a: ${line}`));
  });

  test("tells that one of its operations failed", async () => {
    const broken = deploy("Broken", () => {
      shell({ line: "fails", _ignoreErrors: true });
      shell({ line: "works" });
    });
    const run = await sent(() => outcome(broken()), {
      answer: (_, command) => (command === "fails" ? { exitCode: 1 } : undefined),
    });
    expect(run.sent).toEqual(["a: fails", "a: works", "a: true false false true"]);
  });

  test("knows nothing before its operations have run", async () => {
    const web = deploy("Web", () => void shell({ line: "web" }));
    const slow = deploy("Slow", async () => void shell({ line: "slow" }));
    for (const ask of [
      () => web().didChange(),
      () => web().didSucceed(),
      () => deploy("Empty", () => {})().didChange(),
      async () => (await slow()).didChange(),
    ]) {
      const { error } = await sent(ask);
      expect(String(error)).toMatch(
        /"did(?:Change|Succeed)" of the deploy "\w+" is not known before its operations have run/,
      );
    }
    const { error } = await sent(() => (slow() as unknown as { value: unknown }).value);
    expect(error).toMatchObject({
      message: '"value" of the deploy "Slow" is not known before its body has ended',
      hint: "Put `await` before the call of the deploy",
    });
  });

  test("waits for its operations inside a callback", async () => {
    const web = deploy("Web", async () => {
      await null;
      shell({ line: "web" });
    });
    const run = await sent(() =>
      call({
        run: async () => {
          const { didChange } = await web();
          shell({ line: `changed ${didChange()}` });
        },
      }),
    );
    expect(run.error).toBeUndefined();
    expect(run.sent).toEqual(["a: web", "a: changed true"]);
  });

  test("is rejected with what its body throws", async () => {
    const broken = deploy("Broken", async () => Promise.reject(new Error("oops")));
    expect(await sent(async () => void (await broken()))).toMatchObject({ error: { message: "oops" } });
    const sync = deploy("Broken", () => {
      throw new Error("at once");
    });
    expect(await sent(() => void sync())).toMatchObject({ error: { message: "at once" } });
  });
});

test("an include knows whether anything in its file changed", async () => {
  const includes = { "./same.ts": () => same({ line: "x" }), "./shell.ts": () => shell({ line: "included" }) };
  const fake = fakeRun(
    ["a"],
    {},
    {
      loadDeploy: async name => ({
        name,
        evaluate: async () => void includes[name as keyof typeof includes](),
      }),
    },
  );
  await runAll(fake, async () => {
    const { local } = currentScope("This test");
    const [unchanged, changed] = [await local.include("./same.ts"), await local.include("./shell.ts")];
    shell({ line: "after same", _if: anyChanged(unchanged) });
    shell({ line: "after shell", _if: anyChanged(changed) });
  });
  expect(fake.sent).toEqual(["a: included", "a: after shell"]);
});
