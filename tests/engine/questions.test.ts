/** Questions to a host: each is awaited, in time, where there is time, or told at its line. */
import { describe, expect, test } from "bun:test";
import { sh } from "../../src/core/command.ts";
import { DeployError, OperationTypeError, type TsinfraError } from "../../src/core/errors.ts";
import { fact } from "../../src/core/fact.ts";
import { operation } from "../../src/core/operation.ts";
import { Asked } from "../../src/engine/operation/asked.ts";
import { call } from "../../src/operations/ts.ts";
import { Answer, ask, run, scope, turningHosts } from "../support/asking.ts";
import { deployOf, runAll } from "../support/fake-run.ts";

const fake = () => turningHosts(["a", "b"]);

/** What a deploy comes to. */
async function outcome(body: () => unknown) {
  const fakes = fake();
  const thrown = await runAll(fakes, body);
  const failed = fakes.of("operation:host:end").flatMap(({ error }) => error?.message ?? []);
  return { error: thrown as TsinfraError | undefined, failed, ...fakes };
}

const PROMISES: Readonly<Record<string, () => void>> = {
  "its truth alone": () => void (!ask() && run({ command: "never" })),
  "its keys": () => void Object.keys(ask()),
  "a spread": () => void { ...ask() },
  nothing: () => void ask(),
  "the truth of what another host answers": () => void !scope().inventory.getHost("b").getFact(Answer),
  "the truth of a command of the host": () => void !scope().host.run(sh`answer`),
  "the truth of a command of this machine": () => void !scope().local.shell("true"),
};

describe("an answer that is not awaited, of which is used", () => {
  for (const [what, body] of Object.entries(PROMISES)) {
    test(`${what}, in a deploy file, though something else is awaited`, async () => {
      const { error } = await outcome(async () => {
        body();
        await ask();
        await Bun.sleep(5);
        run({ command: "last" });
      });
      expect(error).toBeInstanceOf(DeployError);
      expect(error?.message).toMatch(/^The answer of (test\.Answer|host\.run\(\)|local\.shell\(\)) is not awaited/);
      expect(error?.at?.file).toBe(import.meta.path);
    });

    test(`${what}, in a callback`, async () => {
      const { failed } = await outcome(() => {
        call({
          function: async () => {
            body();
            await Bun.sleep(5);
          },
        });
      });
      expect(failed[0]).toMatch(/^The answer of (test\.Answer|host\.run\(\)|local\.shell\(\)) is not awaited$/);
    });
  }

  test("the truth, in the steps of an operation", async () => {
    const own = operation<{ wants: boolean }>({
      name: "own.install",
      async *steps(host, { wants }) {
        if (!host.getFact(Answer) === wants) yield sh`install`;
      },
    });
    const { error } = await outcome(() => void own({ wants: true }));
    expect(error?.message).toBe("The answer of test.Answer is not awaited (and on 1 more host)");
    expect(error?.at?.file).toBe(import.meta.path);
    // Nothing has run, though it yields before it ends.
    const changing = await outcome(() => void own({ wants: false }));
    expect(changing.error?.message).toBe(
      "The answer of test.Answer is not awaited before a command is yielded (and on 1 more host)",
    );
    expect(changing.error?.callers).toMatchObject([{ file: import.meta.path }]);
    expect(changing.sent.filter(line => line.includes("install"))).toEqual([]);
  });

  test("nothing, in the steps of an operation, between commands, before its next one", async () => {
    const own = operation({
      name: "own.install",
      async *steps(host) {
        yield sh`first`;
        host.getFact(Answer);
        yield sh`second`;
      },
    });
    const { failed, sent } = await outcome(() => void own());
    expect(failed[0]).toBe("The answer of test.Answer is not awaited before a command is yielded");
    expect(sent.some(line => line.includes("first"))).toBe(true);
    expect(sent.some(line => line.includes("second"))).toBe(false);
  });
});

test("answers may be awaited later, together, by others, or not be liked", async () => {
  const { error, sent } = await outcome(async () => {
    const first = ask();
    const kept = scope().inventory.getHost("b").getFact(Answer);
    const [one, two] = await Promise.all([ask(), scope().local.shell("true")]);
    const raced = await Promise.race([first, kept]);
    await kept.catch(() => undefined);
    for await (const item of [first]) run({ command: `${item} ${one} ${two} ${raced}` });
    first.then(() => undefined).catch(() => undefined);
  });
  expect(error).toBeUndefined();
  expect(sent.filter(line => line.startsWith("a: 'answer answer"))).toHaveLength(1);
});

test("what nobody awaits does not disturb anybody when it is rejected", async () => {
  const asked = Asked.of(Promise.reject(new Error("No")));
  await Bun.sleep(1);
  expect(asked.isTaken).toBe(false);
  const error = await asked.catch((thrown: unknown) => thrown);
  expect(String(error)).toBe("Error: No");
  expect(asked.isTaken).toBe(true);
  expect(asked).toBeInstanceOf(Promise);
});

describe("a question that comes too late", () => {
  test("after the file has ended, is told at its line", async () => {
    const fakes = fake();
    await fakes.run.connect();
    const deploy = deployOf(() => {
      void (async () => {
        await Bun.sleep(0);
        await ask();
      })().catch(() => undefined);
    });
    await fakes.run.prepare([deploy]);
    await Bun.sleep(10);
    expect(() => fakes.run.expectNothingLate()).toThrow("test.Answer was asked after deploy.ts had ended");
  });

  test("after a callback has ended", async () => {
    const fakes = fake();
    await runAll(fakes, () => {
      call({
        function: () => {
          const { host } = scope();
          setTimeout(() => void host.run(sh`answer`).catch(() => undefined), 5);
        },
      });
    });
    await Bun.sleep(10);
    expect(() => fakes.run.expectNothingLate()).toThrow(
      /^host\.run\(\) was called after the callback of .* had ended$/,
    );
  });
});

describe("a condition", () => {
  test("reaches its host, the inventory, the data and the settings", async () => {
    const { error, sent } = await outcome(() => {
      const { host } = scope();
      run({ command: "named", _if: () => scope().host.name === "a" });
      run({
        command: "listed",
        _if: () => scope().inventory.getHost("b").name === "b" && scope().inventory.length === 2,
      });
      run({ command: "set", _if: () => scope().config.sudo === false && scope().state.isExecuting });
      host.when(
        () => scope().host.data.get("missing", true),
        () => run({ command: "given" }),
      );
      run({ command: "again", _retries: 1, _retryUntil: () => scope().host.name === "" });
    });
    expect(error).toBeUndefined();
    expect(sent.toSorted()).toEqual(
      [
        "a: named",
        ...["again", "given", "listed", "set"].flatMap(command => [`a: ${command}`, `b: ${command}`]),
      ].toSorted(),
    );
  });

  const REFUSED: Readonly<Record<string, [() => unknown, string]>> = {
    "ask a fact": [
      () => ask() as unknown as boolean,
      "test.Answer is asked in the condition in `_if`, which cannot wait",
    ],
    "ask another host": [
      () => !scope().inventory.getHost("b").getFact(Answer),
      "test.Answer is asked in the condition in `_if`, which cannot wait",
    ],
    "run a command of this machine": [() => !scope().local.shell("true"), "local.shell() is asked in"],
    "call an operation": [() => run({ command: "x" }).didChange(), "test.run is called in the condition in `_if`"],
    "open a block": [
      () =>
        scope().host.when(
          () => true,
          () => true,
        ),
      "host.when() is called in",
    ],
  };
  for (const [what, [condition, message]] of Object.entries(REFUSED))
    test(`cannot ${what}`, async () => {
      const { failed, sent } = await outcome(() => void run({ command: "x", _if: condition as () => boolean }));
      expect(failed[0]).toStartWith(message);
      expect(sent).toEqual([]);
    });
});

test("a hole of a command that holds no word rejects whoever asked, and nobody else", async () => {
  const Holed = fact<{ word?: string }, string>({
    name: "test.Holed",
    command: ({ word }) => sh`echo ${word as string}`,
    parse: ([line = ""]) => line,
    empty: "",
  });
  const { error, sent } = await outcome(async () => {
    const [bad, good] = await Promise.allSettled([scope().host.getFact(Holed, {}), ask()]);
    expect((bad as PromiseRejectedResult).reason).toBeInstanceOf(OperationTypeError);
    expect((bad as PromiseRejectedResult).reason.message).toContain("found undefined");
    expect(good.status).toBe("fulfilled");
    run({ command: "after" });
  });
  expect(error).toBeUndefined();
  expect(sent).toContain("a: after");
});
