/** What is declared after its file has ended, and what a file that ends has not waited for. */
import { describe, expect, test } from "bun:test";
import { sh } from "../../src/core/command.ts";
import { DeployError, OperationError } from "../../src/core/errors.ts";
import { operation } from "../../src/core/operation.ts";
import { call } from "../../src/operations/ts.ts";
import { Answer, ask, run, scope, turningHosts } from "../support/asking.ts";
import { deployOf, fakeRun, runAll } from "../support/fake-run.ts";

const fake = (hosts = ["a"]) => turningHosts(hosts);

async function failsWith(body: () => unknown): Promise<DeployError> {
  const fakes = fake();
  const error = await runAll(fakes, body);
  expect(error).toBeInstanceOf(DeployError);
  expect(fakes.sent.filter(command => !command.includes("answer"))).toEqual([]);
  return error as DeployError;
}

describe("a file that ends too early", () => {
  test("while a fact is awaited that nobody waits for", async () => {
    const error = await failsWith(() => {
      ["x"].forEach(async () => {
        await ask();
        expect(() => run({ command: "late" })).toThrow("after deploy-0.ts had ended");
      });
    });
    expect(error.message).toBe("deploy-0.ts ended while the answer of test.Answer was still awaited");
    expect(error.at?.file).toBe(import.meta.path);
    expect(error.hint).toContain("for … of");
  });

  test("while a deploy or an include runs", async () => {
    const { deploy } = await import("../../src/public/deploy.ts");
    const error = await failsWith(() => {
      void deploy("web", async () => {
        await new Promise(() => {});
      })();
    });
    expect(error.message).toBe('deploy-0.ts ended while deploy("web") was still running');
    const fakes = fakeRun(
      ["a"],
      {},
      { loadDeploy: async name => deployOf(() => void run({ command: "included" }), name) },
    );
    const included = await runAll(fakes, () => void scope().local.include("./more.ts"));
    expect(String(included)).toContain('deploy-0.ts ended while local.include("./more.ts") was still running');
  });

  test("with an operation beside a block that nobody waits for", async () => {
    const error = await failsWith(async () => {
      const block = scope().host.withArguments({ _sudo: true }, async () => {
        await ask();
        run({ command: "inside" });
      });
      run({ command: "beside" });
      await block;
    });
    expect(error.message).toMatch(/^host\.withArguments\(\) \(line \d+\) is not awaited before operations follow it$/);
  });

  test("or that throws: what it leaves behind fails with it, and is not told beside", async () => {
    const error = await runAll(fake(), () => {
      void scope().host.withArguments({}, () => ask());
      void scope().host.withArguments({}, async () => {
        await Bun.sleep(0);
        throw new Error("beside");
      });
      throw new Error("first");
    });
    expect(error).toMatchObject({ message: "first" });
    // A rejection that nobody handles would fail this test.
    await Bun.sleep(5);
  });

  test("answers that were awaited further out are no mistake", async () => {
    const fakes = fake();
    expect(
      await runAll(fakes, async () => {
        const asked = scope().host.withArguments({ _sudo: true }, () => ask());
        const all = await Promise.all([asked, ask()]);
        run({ command: all.join(" ") });
      }),
    ).toBeUndefined();
    expect(fakes.sent.filter(command => !command.includes("answer"))).toEqual([]);
    expect(fakes.of("operation:host:end").map(({ outcome }) => outcome)).toEqual(["changed"]);
  });
});

describe("an operation after its file has ended", () => {
  test("is an error at its line, also when what it threw is swallowed", async () => {
    const fakes = fake();
    let thrown: unknown;
    const { promise, resolve } = Promise.withResolvers<void>();
    const error = await runAll(
      fakes,
      () => {
        void Bun.sleep(1).then(() => {
          try {
            run({ command: "late" });
          } catch (late) {
            thrown = late;
          }
          resolve();
        });
      },
      () => promise,
    );
    expect(thrown).toBeInstanceOf(DeployError);
    expect(error).toBe(thrown);
    expect((error as DeployError).message).toBe("test.run was called after deploy-0.ts had ended");
    expect((error as DeployError).at?.file).toBe(import.meta.path);
    expect((error as DeployError).hint).toContain("Put `await` before");
  });

  test("ends the run while executing, too", async () => {
    const fakes = fake();
    const { promise, resolve } = Promise.withResolvers<void>();
    const error = await runAll(fakes, () => {
      call({
        async function() {
          setTimeout(() => {
            try {
              run({ command: "late" });
            } catch {
              resolve();
            }
          });
        },
      });
      call({ function: () => promise });
      run({ command: "never" });
    });
    expect(String(error)).toContain("test.run was called after the callback of ts.call");
    expect(fakes.sent).toEqual([]);
  });
});

describe("a callback", () => {
  test("that throws ends its nested operations before the next operation begins", async () => {
    const fakes = fake();
    await runAll(fakes, () => {
      call({
        _ignoreErrors: true,
        function() {
          run({ command: "nested 1" });
          run({ command: "nested 2" });
          throw new Error("enough");
        },
      });
      run({ command: "next" });
    });
    expect(fakes.sent).toEqual(["a: 'nested 1'", "a: 'nested 2'", "a: next"]);
  });
});

test("a nested operation that fails ends its callback, also where the callback's own failure is ignored", async () => {
  const fakes = fakeRun(["a"], { answer: (_, command) => ({ exitCode: command === "drain" ? 1 : 0 }) });
  await runAll(fakes, () => {
    call({
      _ignoreErrors: true,
      function() {
        run({ command: "drain" });
        run({ command: "reboot" });
      },
    });
    call({
      _ignoreErrors: true,
      async function(control) {
        run({ command: "drain" });
        await control.run(sh`direct`);
      },
    });
    run({ command: "next" });
  });
  expect(fakes.sent).toEqual(["a: drain", "a: drain", "a: next"]);
  const outcomes = fakes.of("operation:host:end").map(({ operation: name, outcome }) => `${name} ${outcome}`);
  expect(outcomes.filter(text => text.includes("ts.call"))).toHaveLength(2);
  expect(outcomes.filter(text => text.includes("ignored"))).toHaveLength(2);
});

describe("a nested operation that fails", () => {
  const failing = (...commands: readonly string[]) =>
    fakeRun(["a"], { answer: (_, command) => ({ exitCode: commands.includes(command) ? 1 : 0 }) });
  const told = (fakes: ReturnType<typeof fakeRun>): readonly string[] =>
    fakes.of("operation:host:end").map(({ operation: name, outcome }) => `${name} ${outcome}`);

  test("is caught where it is awaited: what comes behind it runs, and the host goes on", async () => {
    const fakes = failing("upgrade");
    await runAll(fakes, () => {
      call({
        async function(control) {
          try {
            await run({ command: "upgrade" });
            run({ command: "never" });
          } catch {
            await run({ command: "roll back" });
          } finally {
            await control.run(sh`undrain`);
          }
        },
      });
      run({ command: "next" });
    });
    expect(fakes.sent).toEqual(["a: upgrade", "a: 'roll back'", "a: undrain", "a: next"]);
    expect(told(fakes).at(-2)).toBe("ts.call (function=function) changed");
  });

  test("keeps what was declared before it was known from running", async () => {
    const fakes = failing("one");
    await runAll(fakes, () => {
      call({
        async function() {
          run({ command: "one" });
          const two = run({ command: "two" });
          await Promise.resolve(two).catch(() => undefined);
          await run({ command: "three" });
        },
      });
    });
    expect(fakes.sent).toEqual(["a: one", "a: three"]);
  });

  test("keeps nothing from running that is waited for apart from it", async () => {
    const fakes = failing("x");
    await runAll(fakes, () => {
      call({
        async function(control) {
          await Promise.all(
            ["x", "y"].map(async command => {
              try {
                await run({ command });
              } catch {
                // That one is left.
              }
            }),
          );
          await Promise.allSettled([run({ command: "x" }), run({ command: "z" }), control.run(sh`direct`)]);
        },
      });
      call({
        async function() {
          await Promise.all([run({ command: "x" }), run({ command: "not after it" })]);
        },
        _ignoreErrors: true,
      });
    });
    expect(fakes.sent).toEqual(["a: x", "a: y", "a: x", "a: z", "a: direct", "a: x"]);
  });

  test("fails its callback where only an earlier one was caught, or none", async () => {
    for (const handling of [
      async (): Promise<void> => {
        await Promise.resolve(run({ command: "one" })).catch(() => undefined);
        run({ command: "two" });
      },
      async (): Promise<void> => {
        try {
          await run({ command: "one" });
        } finally {
          await run({ command: "clean" });
        }
      },
    ]) {
      const fakes = failing("one", "two");
      await runAll(fakes, () => {
        call({ function: handling });
        run({ command: "next" });
      });
      expect(fakes.sent).toHaveLength(2);
      expect(fakes.of("results")[0]!.ok).toBe(false);
    }
  });
});

test("what a callback asks is asked after the operations that it declared before", async () => {
  const fakes = fake();
  await runAll(fakes, () => {
    call({
      async function(control) {
        run({ command: "first" });
        await control.getFact(Answer);
        run({ command: "second" });
        await control.run(sh`direct`);
        run({ command: "third" });
        await scope().host.run(sh`more`);
      },
    });
  });
  expect(fakes.sent).toEqual(["a: first", "a: answer", "a: second", "a: direct", "a: third", "a: more"]);
});

describe("an operation that cannot do what it was asked, while preparing", () => {
  const fussy = operation<{ readonly path: string }>({
    name: "test.fussy",
    async *steps(host, { path }) {
      if (host.name === "a") throw new OperationError(`${path} is not an existing directory`);
      yield sh`fussy ${path}`;
    },
  });

  test("takes its host out of the run, and only that", async () => {
    const fakes = fake(["a", "b"]);
    expect(
      await runAll(fakes, () => {
        run({ command: "first" });
        fussy({ path: "/x" });
      }),
    ).toBeUndefined();
    expect(fakes.sent).toEqual(["b: first", "b: fussy /x"]);
    expect(fakes.of("host:failed").map(({ host, error }) => [host, error.message])).toEqual([
      ["a", "/x is not an existing directory"],
    ]);
  });

  test("is ignored where it may be, at its turn", async () => {
    const fakes = fake(["a", "b"]);
    expect(
      await runAll(fakes, () => {
        run({ command: "first" });
        fussy({ path: "/x", _ignoreErrors: true });
        run({ command: "last" });
      }),
    ).toBeUndefined();
    expect(fakes.of("operation:host:end").map(({ host, outcome }) => `${host} ${outcome}`)).toEqual([
      "a changed",
      "b changed",
      "a ignored",
      "b changed",
      "a changed",
      "b changed",
    ]);
  });

  test("is told once where it is so on every host", async () => {
    const error = await runAll(fake(["a"]), () => fussy({ path: "/x" }));
    expect(String(error)).toBe("OperationError: /x is not an existing directory");
  });
});
