/** Conditions as values of arguments: asked when the operation's turn comes, told as conditional before. */
import { describe, expect, test } from "bun:test";
import type { Condition } from "../../src/core/arguments.ts";
import { allOperations } from "../../src/registry.ts";
import { loadReference } from "../../src/reference/index.ts";
import { anyChanged, deploy, operation, type OperationHandle, raw, sh } from "../../src/public/index.ts";
import { service } from "../../src/operations/systemd.ts";
import { type Answer, deployOf, fakeRun } from "../support/fake-run.ts";

const shell = operation<{ line: string }>({
  name: "test.shell",
  async *steps(_, { line }) {
    yield sh`${raw(line)}`;
  },
});
const same = operation({ name: "test.same", async *steps() {} });
const own = operation<{ present?: boolean; restarted?: boolean | Condition; reloaded?: boolean | Condition }>({
  name: "test.own",
  conditions: { restarted: true, reloaded: true },
  async *steps(host, { present = false, restarted, reloaded }) {
    host.noop("it is as it should be");
    if (present) yield sh`present`;
    if (restarted) yield sh`restart`;
    if (reloaded) yield sh`reload`;
  },
});

/** What a deploy proposes and sends on one host. */
async function run(body: () => unknown, answer?: (command: string) => Answer) {
  const fake = fakeRun(["a"], answer ? { answer: (_, command) => answer(command) } : {});
  await fake.run.connect();
  let error: unknown;
  try {
    await fake.run.prepare([deployOf(body)]);
    fake.run.propose();
    await fake.run.execute();
  } catch (thrown) {
    error = thrown;
  }
  const proposed = fake.of("changes").flatMap(({ proposed: rows }) => rows);
  const row = (name: string) => {
    const found = proposed.find(({ operation: one }) => one === name);
    return found && [found.change.length, found.conditional.length, found.unchanged.length];
  };
  return { ...fake, error, row };
}

describe("a condition as the value of an argument", () => {
  test("is asked when its operation's turn comes", async () => {
    const asked: string[] = [];
    const note = (what: string, answer: () => boolean) => () => {
      asked.push(what);
      return answer();
    };
    const { error, sent } = await run(() => {
      const changed = shell({ line: "one" });
      const unchanged = same();
      own({ restarted: note("first", changed.didChange), reloaded: unchanged.didChange });
      own({ restarted: note("second", unchanged.didChange), reloaded: anyChanged(changed, unchanged) });
      own({ restarted: () => false, reloaded: false });
      expect(asked).toEqual([]);
    });
    expect(error).toBeUndefined();
    expect(sent).toEqual(["a: one", "a: restart", "a: reload"]);
    expect(asked).toEqual(["first", "second"]);
  });

  test("is told as conditional, unless the operation changes something anyway or nothing at all", async () => {
    const { row, of } = await run(() => {
      const before = same();
      own({ name: "may", restarted: before.didChange });
      own({ name: "does anyway", present: true, restarted: before.didChange });
      own({ name: "says so itself", restarted: true });
      own({ name: "does nothing", restarted: false });
      own({ name: "under a condition", present: true, restarted: before.didChange, _if: () => true });
    });
    expect(row("may")).toEqual([0, 1, 0]);
    expect(row("does anyway")).toEqual([1, 0, 0]);
    expect(row("says so itself")).toEqual([1, 0, 0]);
    expect(row("does nothing")).toEqual([0, 0, 1]);
    expect(row("under a condition")).toEqual([0, 1, 0]);
    expect(of("operation:host:end").map(({ operation: name, outcome }) => `${name}: ${outcome}`)).toEqual([
      "test.same: unchanged",
      "may: unchanged",
      "does anyway: changed",
      "says so itself: changed",
      "does nothing: unchanged",
      "under a condition: changed",
    ]);
    expect(of("operation:host:end")[1]?.noop).toBe("it is as it should be");
  });

  test("gives reasons and warnings once", async () => {
    const { of } = await run(() => own({ name: "may", restarted: () => false }));
    expect(of("noop").map(({ reason }) => reason)).toEqual(["it is as it should be", "it is as it should be"]);
  });

  test("is named as one where the operation is named after its arguments", async () => {
    const { of } = await run(() => own({ restarted: () => true, present: true }));
    expect(of("operation:start")[0]?.operation).toBe("test.own (restarted=conditional, present=true)");
  });

  test("may be what a deploy changed", async () => {
    const { sent } = await run(() => {
      const web = deploy("Web", () => void shell({ line: "web" }))();
      const db = deploy("Db", () => void same())();
      own({ restarted: web.didChange, reloaded: db.didChange });
    });
    expect(sent).toEqual(["a: web", "a: restart"]);
  });

  test("is asked again when the operation is tried again", async () => {
    const answers = [true, false];
    const { sent, of } = await run(
      () => own({ restarted: () => answers.shift() ?? false, _retries: 1 }),
      command => (command === "restart" ? { exitCode: 1 } : undefined),
    );
    expect(sent).toEqual(["a: restart"]);
    // What failed may have changed something.
    expect(of("operation:host:end")[0]).toMatchObject({ outcome: "changed", retryAttempts: 1 });
  });

  test("that throws, or is neither true nor false, fails its operation", async () => {
    const failure = async (condition: () => unknown, _if = false): Promise<unknown> => {
      const given = condition as Condition;
      const { of } = await run(() => (_if ? shell({ line: "x", _if: given }) : own({ restarted: given })));
      return of("operation:host:end")[0]?.error;
    };
    expect(await failure(() => Promise.resolve(false))).toMatchObject({
      message: "The condition in `restarted` must give true or false, found a promise",
      hint: "A condition is asked at once: it cannot be async",
    });
    expect(await failure(() => undefined)).toMatchObject({ message: expect.stringContaining("found undefined") });
    expect(await failure(() => () => true)).toMatchObject({
      message: "The condition in `restarted` must give true or false, found a function",
      hint: "Give the inner function itself as the condition, or call it",
    });
    expect(
      await failure(() => {
        throw () => "secret source";
      }),
    ).toMatchObject({ message: "The condition in `restarted` threw a function" });
    expect(await failure(() => Promise.resolve(false), true)).toMatchObject({
      message: "The condition in `_if` must give true or false, found a promise",
    });
    expect(
      await failure(() => {
        throw new Error("oops");
      }),
    ).toMatchObject({ message: "The condition in `restarted` threw Error: oops" });
  });

  test("is no handle, nor anything else", async () => {
    const { error } = await run(() => {
      const before: unknown = shell({ line: "one" });
      own({ restarted: before as Condition });
    });
    expect(error).toMatchObject({
      message: 'Argument "restarted" of test.own must be true, false or a condition',
      hint: "Pass its didChange",
    });
    const wrong = await run(() => own({ restarted: "yes" as unknown as boolean }));
    expect(wrong.error).toMatchObject({ hint: undefined, code: "E_DEPLOY" });
  });
});

test("a service is restarted and reloaded only where its conditions hold", async () => {
  const running = (command: string): Answer =>
    command.includes(" show ") ? { stdout: "Id=app.service\nSubState=running\n" } : undefined;
  const commands = async (declare: () => OperationHandle): Promise<readonly string[]> => {
    const { error, sent } = await run(() => void declare(), running);
    expect(error).toBeUndefined();
    return sent.flatMap(line => /^a: (systemctl (?:daemon-reload|restart|reload|start).*)/.exec(line)?.[1] ?? []);
  };
  expect(
    await commands(() => {
      const [unit, settings] = [shell({ line: "unit" }), same()];
      return service({
        service: "app",
        daemonReload: unit.didChange,
        restarted: unit.didChange,
        reloaded: settings.didChange,
      });
    }),
  ).toEqual(["systemctl daemon-reload", "systemctl restart app.service"]);
  expect(await commands(() => service({ service: "app", daemonReload: () => false, restarted: () => false }))).toEqual(
    [],
  );
});

test("every operation that takes a condition says which", async () => {
  const { operations } = await loadReference();
  const takes = operations.flatMap(({ name, arguments: all }) => {
    const found = all.filter(({ typeText }) => typeText === "boolean | function").map(argument => argument.name);
    return found.length > 0 ? [[name, found.toSorted()] as const] : [];
  });
  const says = [...allOperations.values()].flatMap(({ name, conditions }) =>
    conditions ? [[name, Object.keys(conditions).toSorted()] as const] : [],
  );
  expect(new Map(says)).toEqual(new Map(takes));
  expect(takes.length).toBeGreaterThan(10);
}, 120_000);

test("an async condition that rejects is told once, and ends nothing else", async () => {
  const strays: unknown[] = [];
  const onStray = (error: unknown): void => void strays.push(error);
  process.on("unhandledRejection", onStray);
  try {
    const { error, of } = await run(() => {
      shell({ line: "one", _if: (async () => Promise.reject(new Error("boo"))) as never, _ignoreErrors: true });
      shell({ line: "two" });
    });
    await Bun.sleep(0);
    expect(error).toBeUndefined();
    expect(of("operation:host:end").map(({ outcome }) => outcome)).toEqual(["ignored", "changed"]);
    expect(strays).toEqual([]);
  } finally {
    process.off("unhandledRejection", onStray);
  }
});
