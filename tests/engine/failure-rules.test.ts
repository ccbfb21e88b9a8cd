import { describe, expect, test } from "bun:test";
import type { GlobalArguments } from "../../src/core/arguments.ts";
import { CarrierError, CommandTimeoutError, ConnectionLostError } from "../../src/core/errors.ts";
import { upload } from "../../src/core/command.ts";
import { currentScope } from "../../src/core/scope.ts";
import { fact, type NoArguments, operation, raw, sh, type OperationHandle } from "../../src/public/index.ts";
import { type Answer, fakeRun, runAll } from "../support/fake-run.ts";

const shell = operation<{ line: string | string[] }>({
  name: "test.shell",
  async *steps(_, { line }) {
    for (const text of [line].flat()) yield sh`${raw(text)}`;
  },
});
const send = operation<{ dest: string }>({
  name: "test.send",
  async *steps(_, { dest }) {
    yield upload({ content: "text" }, dest);
  },
});
const host = (): string => currentScope("This test").host.name;
const on =
  (name: string, command: string, answer: Answer) =>
  (at: string, sent: string): Answer =>
    at === name && sent === command ? answer : undefined;
const failing = { exitCode: 3, stderr: "no\n" };

const Answered = fact<NoArguments, string>({
  name: "test.Answered",
  command: () => sh`ask`,
  parse: () => "",
  empty: "",
});

/** Outcomes as `operation@host outcome`. */
const outcomes = (fake: ReturnType<typeof fakeRun>): string[] =>
  fake
    .of("operation:host:end")
    .map(event => `${event.operation}@${event.host} ${event.outcome}`)
    .sort();
const named = (name: string, line: string | string[], args: GlobalArguments = {}): OperationHandle =>
  shell({ name, line, ...args });

describe("a command that fails", () => {
  test("fails its host, which takes no further part; the others go on", async () => {
    const fake = fakeRun(["a", "b"], { answer: on("a", "one", failing) });
    const error = await runAll(fake, () => {
      named("One", "one");
      named("Two", "two");
    });
    expect(error).toBeUndefined();
    expect(outcomes(fake)).toEqual(["One@a failed", "One@b changed", "Two@b changed"]);
    expect(fake.run.failedHosts).toEqual(["a"]);
    const [results] = fake.of("results");
    expect(results!.ok).toBe(false);
    expect(results!.operations[1]).toMatchObject({ operation: "Two", hosts: 2, changed: 1, notReached: 1, failed: 0 });
    expect(results!.hosts[0]).toMatchObject({
      host: "a",
      failed: 1,
      notReached: 1,
      error: { code: "E_COMMAND", message: "Command failed with exit code 3 on a: one", output: ["no"] },
    });
  });

  test("stops its operation's other commands, unless it is to go on", async () => {
    const fake = fakeRun(["a"], { answer: on("a", "one", failing) });
    await runAll(fake, () => {
      named("Stops", ["one", "two"], { _ignoreErrors: true });
      named("Goes on", ["one", "three"], { _continueOnError: true });
    });
    expect(fake.sent).toEqual(["a: one", "a: one", "a: three"]);
    expect(outcomes(fake)).toEqual(["Goes on@a failed", "Stops@a ignored"]);
  });

  test("is told with all that failed behind it, where the operation goes on", async () => {
    const told = async (third: Answer | Error, second: Answer = { exitCode: 7 }): Promise<string | undefined> => {
      const answers: Readonly<Record<string, Answer | Error>> = { two: second, three: third };
      const fake = fakeRun(["a"], { answer: (_, sent) => (sent === "one" ? failing : answers[sent]) });
      await runAll(fake, () => {
        named("Goes on", ["one", "two", "three", "four"], { _continueOnError: true });
      });
      return fake.of("operation:host:end")[0]!.error?.message;
    };
    expect(await told({ exitCode: 0 })).toBe(
      "Command failed with exit code 3 on a: one. After that another command failed: Command failed with exit code 7: two",
    );
    expect(await told({ exitCode: 0 }, { exitCode: 8, stderr: "disk full\n" })).toEndWith(
      "exit code 8: two (disk full)",
    );
    expect(await told({ exitCode: 9 })).toContain(
      ". After that 2 more commands failed: Command failed with exit code 7",
    );
    expect(await told(new ConnectionLostError("Lost the connection to a"))).toBe(
      "Lost the connection to a. Before that 2 more commands failed: Command failed with exit code 3: one (no); Command failed with exit code 7: two",
    );
  });

  test("counts as success with an exit code that was asked for", async () => {
    const fake = fakeRun(["a"], { answer: () => failing });
    await runAll(fake, () => {
      named("Fine", "one", { _successExitCodes: [0, 3] });
    });
    expect(outcomes(fake)).toEqual(["Fine@a changed"]);
  });

  test("ends the run when nobody is left, and the results are still told", async () => {
    const fake = fakeRun(["a", "b"], { answer: () => failing });
    const error = await runAll(fake, () => {
      named("One", "one");
      named("Two", "two");
    });
    expect(error).toMatchObject({ code: "E_TOO_MANY_FAILURES", message: "No hosts remaining: all 2 hosts failed" });
    expect(fake.of("results")).toHaveLength(1);
    expect(fake.sent).toEqual(["a: one", "b: one"]);
  });

  test("ignored: fails neither the host nor the run", async () => {
    const fake = fakeRun(["a"], { answer: on("a", "one", failing) });
    const seen: boolean[] = [];
    await runAll(fake, () => {
      const one = named("One", "one", { _ignoreErrors: true });
      named("Two", "two", {
        _if: () => {
          seen.push(one.didError(), one.didSucceed(), one.didChange());
          return true;
        },
      });
    });
    expect(outcomes(fake)).toEqual(["One@a ignored", "Two@a changed"]);
    expect(seen).toEqual([true, false, false]);
    expect(fake.of("results")[0]!.ok).toBe(true);
  });
});

describe("trouble with the connection", () => {
  test("a host whose shell does not carry commands fails alone, while preparing too", async () => {
    const fake = fakeRun(["a", "b"], {
      answer: (host, sent) => (host === "a" && sent === "ask" ? new CarrierError("It mixes") : undefined),
    });
    const error = await runAll(fake, async () => {
      await currentScope("This test").host.getFact(Answered);
      named("One", "one");
    });
    expect(error).toBeUndefined();
    expect(fake.of("host:failed")).toMatchObject([{ host: "a", stage: "prepare", error: { message: "It mixes" } }]);
    expect(fake.sent.filter(sent => sent.endsWith("one"))).toEqual(["b: one"]);
  });
  test("a host that cannot be reached fails alone", async () => {
    const fake = fakeRun(["a", "b"], { unreachable: ["a"] });
    await runAll(fake, () => {
      named("One", "one");
    });
    expect(fake.sent).toEqual(["b: one"]);
    expect(fake.of("host:failed")).toMatchObject([{ host: "a", stage: "connect", error: { code: "E_CONNECT" } }]);
  });
  test("a connection lost during a command is a failure, never a success", async () => {
    const fake = fakeRun(["a"], { answer: on("a", "one", new ConnectionLostError("The connection was lost")) });
    await runAll(fake, () => {
      named("One", "one");
    });
    expect(fake.of("operation:host:end")[0]).toMatchObject({
      outcome: "failed",
      commands: 0,
      error: { code: "E_CONNECTION_LOST" },
    });
  });
  test("a connection that may go down with a command is none, and the next command makes another", async () => {
    const fake = fakeRun(["a"], { answer: on("a", "reboot", new ConnectionLostError("The connection was lost")) });
    await runAll(fake, () => {
      named("Reboot", "reboot", { _successExitCodes: [0, -1] });
      named("Next", "next");
    });
    expect(outcomes(fake)).toEqual(["Next@a changed", "Reboot@a changed"]);
  });
  test("a connection lost during an upload is a failure, never a success", async () => {
    const fake = fakeRun(["a"], {
      answer: (_, sent) =>
        sent.includes(".tsinfra-") ? new ConnectionLostError("The connection was lost") : undefined,
    });
    await runAll(fake, () => {
      send({ dest: "/etc/motd" });
    });
    expect(fake.of("operation:host:end")[0]).toMatchObject({ outcome: "failed", error: { code: "E_CONNECTION_LOST" } });
  });
  test("a retry connects again", async () => {
    let lost = 0;
    const fake = fakeRun(["a"], {
      answer: () => (lost++ === 0 ? new ConnectionLostError("The connection was lost") : undefined),
    });
    await runAll(fake, () => {
      named("One", "one", { _retries: 1 });
    });
    expect(outcomes(fake)).toEqual(["One@a changed"]);
  });
  test("a command that takes too long fails with a timeout, and what it started is killed", async () => {
    const fake = fakeRun(["a"], {
      answer: (_, sent, { onOutput }) => {
        if (sent !== "sleep 60") return undefined;
        onOutput?.("stdout", Buffer.from("early\n"));
        return new Promise<Answer>(() => {}) as never;
      },
    });
    await runAll(fake, () => {
      named("Slow", "sleep 60", { _timeout: 0.01 });
    });
    expect(fake.of("operation:host:end")[0]).toMatchObject({
      outcome: "failed",
      error: {
        code: new CommandTimeoutError("").code,
        message: "Command timed out after 0.01 s: sleep 60",
        output: ["early"],
      },
    });
  });
});

describe("retries", () => {
  test("try again after a delay, as often as asked, with the operation evaluated again", async () => {
    let attempts = 0;
    const fake = fakeRun(["a"], { answer: (_, sent) => (sent === "flaky" && ++attempts < 3 ? failing : undefined) });
    let handle: OperationHandle | undefined;
    await runAll(fake, () => {
      handle = named("Flaky", "flaky", { _retries: 5, _retryDelay: 7 });
    });
    expect(fake.sleeps).toEqual([7, 7]);
    expect(outcomes(fake)).toEqual(["Flaky@a changed"]);
    expect(handle!.retryAttempts).toBe(2);
    expect(fake.of("operation:retry").map(event => `${event.attempt}/${event.retries}`)).toEqual(["1/5", "2/5"]);
  });
  test("exhausted: the host fails", async () => {
    const fake = fakeRun(["a"], { answer: () => failing });
    await runAll(fake, () => {
      named("Flaky", "flaky", { _retries: 2, _retryDelay: 0 });
    });
    expect(fake.sent).toEqual(["a: flaky", "a: flaky", "a: flaky"]);
    expect(outcomes(fake)).toEqual(["Flaky@a failed"]);
  });
  test("go on after a success while _retryUntil says so", async () => {
    let count = 0;
    const fake = fakeRun(["a"], { answer: () => ({ stdout: `${++count}\n` }) });
    await runAll(fake, () => {
      named("Wait", "status", {
        _retries: 9,
        _retryDelay: 1,
        _retryUntil: ({ stdoutLines }) => stdoutLines[0] !== "3",
      });
    });
    expect(fake.sleeps).toEqual([1, 1]);
    expect(outcomes(fake)).toEqual(["Wait@a changed"]);
  });
});

describe("run once", () => {
  test("the first host runs it, the others see that it did not change anything there", async () => {
    const fake = fakeRun(["a", "b"]);
    await runAll(fake, () => {
      const once = named("Once", "once", { _runOnce: true });
      named("After", "after", { _if: once.didChange });
    });
    expect(fake.sent).toEqual(["a: once", "a: after"]);
    expect(outcomes(fake)).toEqual(["After@a changed", "After@b unchanged", "Once@a changed", "Once@b skipped"]);
  });
  test("the next host runs it when the first has failed before", async () => {
    const fake = fakeRun(["a", "b"], { answer: on("a", "one", failing) });
    await runAll(fake, () => {
      named("One", "one");
      named("Once", "once", { _runOnce: true });
    });
    expect(fake.sent).toEqual(["a: one", "b: one", "b: once"]);
  });
  test("failing, it fails its host alone", async () => {
    const fake = fakeRun(["a", "b"], { answer: on("a", "once", failing) });
    await runAll(fake, () => {
      named("Once", "once", { _runOnce: true });
      named("After", "after");
    });
    expect(fake.sent).toEqual(["a: once", "b: after"]);
    expect(fake.run.failedHosts).toEqual(["a"]);
  });
  test("happens once in every strategy", async () => {
    for (const strategy of [{ serial: true }, { noWait: true }]) {
      const fake = fakeRun(["a", "b", "c"], {}, strategy);
      await runAll(fake, () => {
        named("Once", "once", { _runOnce: true });
      });
      expect(fake.sent).toEqual(["a: once"]);
    }
  });
});

describe("strategies", () => {
  const two = (): void => {
    named("One", "one");
    named("Two", "two");
  };
  test("all hosts do one operation before any does the next", async () => {
    const fake = fakeRun(["a", "b"]);
    await runAll(fake, two);
    expect(fake.sent).toEqual(["a: one", "b: one", "a: two", "b: two"]);
  });
  test("serial: one host does everything before the next begins", async () => {
    const fake = fakeRun(["a", "b"], {}, { serial: true });
    await runAll(fake, two);
    expect(fake.sent).toEqual(["a: one", "a: two", "b: one", "b: two"]);
  });
  test("without waiting: a slow host holds nobody up", async () => {
    const slow = Promise.withResolvers<Answer>();
    const fake = fakeRun(
      ["a", "b"],
      {
        answer: (at, sent) => {
          if (at === "b" && sent === "two") slow.resolve(undefined);
          return at === "a" && sent === "one" ? slow.promise : undefined;
        },
      },
      { noWait: true },
    );
    await runAll(fake, two);
    expect(fake.sent).toEqual(["a: one", "b: one", "b: two", "a: two"]);
  });
  test("_serial and _parallel bound one operation", async () => {
    let running = 0;
    const most: Record<string, number> = {};
    const fake = fakeRun(["a", "b", "c", "d"], {
      answer: async (_, sent) => {
        most[sent] = Math.max(most[sent] ?? 0, ++running);
        await new Promise(resolve => setImmediate(resolve));
        running--;
        return undefined;
      },
    });
    await runAll(fake, () => {
      named("S", "serial", { _serial: true });
      named("P", "pairs", { _parallel: 2 });
      named("A", "all");
    });
    expect(most).toEqual({ serial: 1, pairs: 2, all: 4 });
  });
  test("config.parallel bounds all of them", async () => {
    let running = 0;
    let most = 0;
    const fake = fakeRun(
      ["a", "b", "c", "d"],
      {
        answer: async () => {
          most = Math.max(most, ++running);
          await new Promise(resolve => setImmediate(resolve));
          running--;
          return undefined;
        },
      },
      { config: { parallel: 3 } },
    );
    await runAll(fake, two);
    expect(most).toBe(3);
  });
});

describe("facts", () => {
  const Value = fact<{ of: string }, string>({
    name: "test.Value",
    command: ({ of }) => sh`value ${of}`,
    parse: ([line = ""]) => line,
    empty: "none",
  });
  const ensure = operation<{ of: string; be: string }>({
    name: "test.ensure",
    async *steps(view, { of, be }) {
      const value = await view.getFact(Value, { of });
      if (value === be) return view.noop(`${of} is ${be}`);
      yield sh`set ${of} ${be}`;
    },
  });

  test("asked together travel together, and the same question is asked once", async () => {
    const fake = fakeRun(["a"], {
      answer: (_, sent) => ({
        stdout: [...sent.matchAll(/eval '?value (\w+)'? .*?\\n' (\S+)/g)]
          .map(([, of, nonce]) => `${nonce} begin\n${of}\n\x02\n${nonce} 0\n`)
          .join(""),
      }),
    });
    await runAll(fake, async () => {
      const scope = currentScope("This test");
      const answers = await Promise.all(["x", "y", "x"].map(of => scope.host.getFact(Value, { of })));
      expect(answers).toEqual(["x", "y", "x"]);
    });
    expect(fake.sent).toHaveLength(1);
    expect(fake.sent[0]!.match(/eval/g)).toHaveLength(2);
  });
  test("are used again while nothing ran on the host, and asked again after something did", async () => {
    const state: Record<string, string> = { x: "old" };
    const fake = fakeRun(["a"], {
      answer: (_, sent) => {
        const [verb, of = "", be = ""] = sent.split(" ");
        if (verb === "set") state[of] = be;
        return { stdout: verb === "value" ? `${state[of]}\n` : "" };
      },
    });
    await runAll(fake, () => {
      ensure({ of: "x", be: "new" });
      ensure({ of: "x", be: "new" });
    });
    expect(fake.sent).toEqual(["a: value x", "a: set x new", "a: value x"]);
    expect(outcomes(fake).map(line => line.split(" ").at(-1))).toEqual(["changed", "unchanged"]);
  });
  test("are asked again when they are too old", async () => {
    const fake = fakeRun(["a"], { answer: () => ({ stdout: "new\n" }) }, { config: { factMaxAge: 10 } });
    await fake.run.connect();
    await fake.run.prepare([{ name: "d", evaluate: async () => void ensure({ of: "x", be: "new" }) }]);
    fake.advance(11);
    await fake.run.execute();
    expect(fake.sent).toEqual(["a: value x", "a: value x"]);
  });
  test("that cannot be read fail their host with the raw line", async () => {
    const Strict = fact<NoArguments, number>({
      name: "test.Strict",
      command: () => sh`strict`,
      parse: ([line = ""]) => {
        throw new SyntaxError(`not a number: "${line}"`);
      },
      empty: 0,
    });
    const fake = fakeRun(["a", "b"], {
      answer: (at, sent) => (sent === "strict" ? { stdout: at === "a" ? "rubbish\n" : "" } : undefined),
    });
    await runAll(fake, async () => {
      await currentScope("This test").host.getFact(Strict);
      named("After", "after");
    });
    expect(fake.of("host:failed")).toMatchObject([
      {
        host: "a",
        error: {
          code: "E_FACT",
          message: 'Cannot read the answer of fact test.Strict: not a number: "rubbish"',
          hint: 'The host printed: "rubbish"',
        },
      },
    ]);
    expect(fake.sent).toContain("b: after");
  });
  test("whose command fails fail their host, or are empty when errors are ignored", async () => {
    const fake = fakeRun(["a", "b"], { answer: () => failing });
    const seen: string[] = [];
    await runAll(fake, async () => {
      seen.push(
        await currentScope("This test").host.getFact(Value, {
          of: "x",
          ...(host() === "b" ? { _ignoreErrors: true } : {}),
        }),
      );
    });
    expect(seen).toEqual(["none"]);
    expect(fake.run.failedHosts).toEqual(["a"]);
  });
});

describe("what the user wrote is wrong", () => {
  test("nothing runs, and the error has the place of the call", async () => {
    const fake = fakeRun(["a", "b"]);
    const error = await runAll(fake, () => {
      named("Fine", "fine");
      shell({ line: "x", _sudoo: true } as never);
    });
    expect(error).toMatchObject({
      code: "E_GLOBAL_ARGUMENT",
      message: 'test.shell has no global argument "_sudoo" (and on 1 more host)',
      hint: expect.stringContaining("_sudo"),
      at: { file: import.meta.path },
    });
    expect(fake.sent).toEqual([]);
  });
  test("a global argument of a wrong type says what it takes", async () => {
    const error = await runAll(fakeRun(["a"]), () => {
      shell({ line: "x", _timeout: "5" } as never);
    });
    expect(error).toMatchObject({
      message: 'test.shell was given "_timeout" as "5": it takes a number of seconds from 0 to 2147483',
    });
  });
  test("a handle read before its operation ran says so", async () => {
    const error = await runAll(fakeRun(["a"]), () => {
      named("One", "one").didChange();
    });
    expect(error).toMatchObject({
      code: "E_DEPLOY",
      message: '"didChange" of One is not known before the operation has run',
    });
  });
  test("an operation outside of a deploy says why", () => {
    expect(() => named("One", "one")).toThrow("The operation test.shell is used where there is no current host");
  });
});

describe("context", () => {
  test("blocks nest and merge, the inner one winning, and conditions add up", async () => {
    const fake = fakeRun([{ name: "a", data: [{ _timeout: 9 }] }]);
    await runAll(fake, () => {
      const { host: current } = currentScope("This test");
      current.withArguments({ _env: { A: "1", B: "1" }, _chdir: "/outer" }, () => {
        current.withArguments({ _env: { B: "2" } }, () => {
          current.when(
            () => true,
            () =>
              current.when(
                () => false,
                () => named("Never", "never"),
              ),
          );
          named("Both", "both", { _env: { C: "3" } });
        });
      });
      named("Outside", "outside");
    });
    expect(fake.sent).toEqual(["a: cd -- /outer && export A=1 B=2 C=3 && both", "a: outside"]);
    expect(outcomes(fake)).toEqual(["Both@a changed", "Never@a unchanged", "Outside@a changed"]);
  });
  test("is restored after an exception", async () => {
    const fake = fakeRun(["a"]);
    await runAll(fake, () => {
      const { host: current } = currentScope("This test");
      try {
        current.withArguments({ _chdir: "/x" }, () => {
          throw new Error("oops");
        });
      } catch {}
      named("Outside", "outside");
    });
    expect(fake.sent).toEqual(["a: outside"]);
  });
  test("data: set during the run, then the inventory's layers", async () => {
    const fake = fakeRun([{ name: "a", data: [{ cli: 1 }, { cli: 0, own: 1 }, { own: 0, group: 1 }] }]);
    await runAll(fake, () => {
      const { data } = currentScope("This test").host;
      data["group"] = 2;
      expect(Object.entries(data).sort()).toEqual([
        ["cli", 1],
        ["group", 2],
        ["own", 1],
      ]);
      expect(data["absent"]).toBeUndefined();
    });
  });
});
