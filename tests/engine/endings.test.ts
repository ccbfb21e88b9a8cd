import { Secret } from "../../src/core/command.ts";
import { describe, expect, test } from "bun:test";
import { proposedLines, resultLines } from "../../src/cli/views/reports.ts";
import { noPaint } from "../../src/cli/views/paint.ts";
import type { Connector } from "../../src/core/connector.ts";
import { ConnectionLostError } from "../../src/core/errors.ts";
import { currentScope } from "../../src/core/scope.ts";
import { fact, operation, raw, sh, type OperationHandle } from "../../src/public/index.ts";
import { deployOf, fakeRun, runAll } from "../support/fake-run.ts";

const shell = operation<{ line: string | string[] }>({
  name: "test.shell",
  async *steps(_, { line }) {
    for (const text of [line].flat()) yield sh`${raw(text)}`;
  },
});
const call = operation<{ run: () => unknown }>({
  name: "test.call",
  async *steps(_, { run }) {
    yield { kind: "function", name: "run", run };
  },
});
const asks = operation<object>({
  name: "test.asks",
  async *steps(host) {
    await host.getFact(Slow);
    yield sh`asked`;
  },
});
const Slow = fact({
  name: "test.Slow",
  command: () => sh`slow`,
  parse: ([line = ""]) => line,
  empty: "",
});

const view = { paint: noPaint, width: () => 80 };
const never = new Promise<never>(() => {});

/** The last line of the results. */
function summary(fake: ReturnType<typeof fakeRun>): string {
  return resultLines(fake.of("results")[0]!, view).at(-1)!;
}

/** Run until a command matches, then interrupt. */
async function interrupted(command: string, hosts: readonly string[], body: () => unknown) {
  const stop = new AbortController();
  const fake = fakeRun(
    hosts,
    {
      answer: (_, sent) => {
        if (sent !== command) return undefined;
        setImmediate(() => stop.abort(new Error("enough")));
        return never;
      },
    },
    { signal: stop.signal },
  );
  return { fake, error: await runAll(fake, body) };
}

describe("an interrupted run", () => {
  test("names what was running, on every host, and says what it does not know", async () => {
    const { fake, error } = await interrupted("two", ["a", "b"], () => {
      shell({ name: "One", line: "one" });
      shell({ name: "Two", line: "two" });
      shell({ name: "Three", line: "three" });
    });
    expect(error).toMatchObject({ code: "E_CANCELLED" });
    expect(fake.of("operation:host:end").filter(event => event.operation !== "One")).toMatchObject([
      { operation: "Two", host: "a", outcome: "interrupted", unfinished: true, commands: 0 },
      { operation: "Two", host: "b", outcome: "interrupted" },
    ]);
    expect(fake.of("results")[0]).toMatchObject({
      ok: false,
      operations: [
        { changed: 2, interrupted: 0, notReached: 0 },
        { changed: 0, interrupted: 2, notReached: 0 },
        { changed: 0, interrupted: 0, notReached: 2 },
      ],
      hosts: [
        { changed: 1, interrupted: 1, notReached: 1 },
        { changed: 1, interrupted: 1, notReached: 1 },
      ],
    });
    expect(summary(fake)).toMatch(/^Interrupted: 2 changes, 2 more did not finish on 2 hosts, /);
  });

  test("tells of an operation that had sent nothing that it had not", async () => {
    const body = (): OperationHandle => asks({ name: "Asks" });
    const stop = new AbortController();
    let questions = 0;
    const fake = fakeRun(
      ["a"],
      {
        answer: (_, sent) => {
          // The first time it is asked while preparing.
          if (!sent.includes("slow") || ++questions === 1) return { stdout: "x\n" };
          setImmediate(() => stop.abort(new Error("enough")));
          return never;
        },
      },
      { signal: stop.signal, config: { factMaxAge: -1 } },
    );
    await runAll(fake, body);
    const [end] = fake.of("operation:host:end");
    expect(end).toMatchObject({ outcome: "interrupted", commands: 0 });
    expect(end).not.toHaveProperty("unfinished");
    expect(summary(fake)).toMatch(/^Interrupted: nothing changed on 1 host, /);
  });

  test("is not held up for good by a callback that waits for something of its own", async () => {
    const stop = new AbortController();
    const giveUp = new AbortController();
    const fake = fakeRun(["a"], {}, { signal: stop.signal, givenUp: giveUp.signal });
    const error = await runAll(fake, () => {
      call({
        name: "Hang",
        run: () => {
          stop.abort(new Error("enough"));
          giveUp.abort(new Error("enough"));
          return never;
        },
      });
    });
    expect(error).toMatchObject({ code: "E_CANCELLED" });
    expect(fake.of("operation:host:end")).toMatchObject([{ operation: "Hang", outcome: "interrupted" }]);
    expect(fake.of("results")[0]).toMatchObject({ ok: false, operations: [{ interrupted: 1, unfinished: 1 }] });
  });
});

test("a connection that does not close holds up no run that nobody waits for any longer", async () => {
  const giveUp = new AbortController();
  const connector: Connector = {
    name: "fake",
    summary: "",
    can: { pty: false, rsync: false },
    dataKeys: {},
    connect: async () => ({ run: () => never, close: () => never }),
    close: () => never,
  };
  const fake = fakeRun(["a"], {}, { givenUp: giveUp.signal, connectors: new Map([["fake", connector]]) });
  await fake.run.connect();
  const disconnecting = fake.run.disconnect();
  giveUp.abort(new Error("enough"));
  await disconnecting;
  expect(fake.of("host:disconnected")).toHaveLength(1);
});

describe("what did not succeed", () => {
  test("may have changed something, once a command of it had run", async () => {
    const fake = fakeRun(["a"], { answer: (_, sent) => (sent === "two" ? { exitCode: 1 } : undefined) });
    await runAll(fake, () => shell({ name: "Steps", line: ["one", "two"] }));
    expect(fake.of("operation:host:end")[0]).toMatchObject({ outcome: "failed", commands: 1, unfinished: true });
    expect(summary(fake)).toMatch(/^Failed: 1 of 1 host failed, 1 change did not finish, /);
  });

  test.each([
    ["stderr", false],
    ["stdout", true],
  ])(
    "has changed nothing when sudo, su or the login shell let no command begin; what they said on %s is the reason",
    async (stream, _getPty) => {
      const said = "We trust you have received the usual lecture\nsudo: a password is required\n";
      const fake = fakeRun(["a"], { answer: () => ({ exitCode: 1, [stream]: said, isRefusal: true }) });
      await runAll(fake, () => shell({ name: "Steps", line: "id", _getPty }));
      const [end] = fake.of("operation:host:end");
      expect(end!.error).toMatchObject({
        code: "E_COMMAND",
        message: "Command did not begin on a: sudo: a password is required",
        hint: "The command was: id",
        output: ["We trust you have received the usual lecture"],
      });
      expect(end).not.toHaveProperty("unfinished");
      expect(summary(fake)).toMatch(/^Failed: 1 of 1 host failed, nothing changed, /);
    },
  );
});

test("what stands in the way of a command is not quoted with its secret input", async () => {
  const fake = fakeRun(["a"], {
    answer: () => ({ exitCode: 127, stderr: "zsh: command not found: t0psecret\n", isRefusal: true }),
  });
  await runAll(fake, () => shell({ name: "Reads", line: "cat", _stdin: new Secret("first\nt0psecret\n") }));
  expect(fake.of("operation:host:end")[0]?.error?.message).toBe(
    "Command did not begin on a: zsh: command not found: ***",
  );
  expect(JSON.stringify(fake.events)).not.toContain("t0psecret");
});

test("a date that is set back while a run goes on makes no duration negative", async () => {
  let now = Date.now();
  let elapsed = 0;
  const fake = fakeRun(
    ["a"],
    {
      answer: () => {
        now -= 3_600_000;
        elapsed += 500;
        return undefined;
      },
    },
    { clock: { now: () => now, monotonic: () => elapsed, sleep: async () => {} } },
  );
  await runAll(fake, () => shell({ line: "one" }));
  const seconds = fake.events.flatMap(event => ("seconds" in event ? [event.seconds] : []));
  expect(Math.min(...seconds)).toBeGreaterThanOrEqual(0);
  expect(fake.of("operation:host:end")[0]!.seconds).toBe(0.5);
});

test("a proposal without hosts does not say that everything is as it should be", async () => {
  const fake = fakeRun(["a"], { answer: (_, sent) => (sent.includes("slow") ? { exitCode: 1 } : undefined) });
  await fake.run.connect();
  await fake.run.prepare([
    deployOf(async () => {
      shell({ name: "One", line: "one" });
      await currentScope("This test").host.getFact(Slow);
    }),
  ]);
  expect(fake.run.failedHosts).toEqual(["a"]);
  expect(proposedLines(fake.run.propose(), view)).toEqual([
    "Proposed changes",
    "  Nothing would change: no host is left",
  ]);
});

test("an operation that is interrupted counts its own commands, not those of another host", async () => {
  const interrupt = new AbortController();
  let waiting = 0;
  const fakes = fakeRun(
    ["a", "b"],
    {
      answer: async (host, command) => {
        if (command !== (host === "a" ? "three" : "one")) return {};
        if (++waiting === 2) setImmediate(() => interrupt.abort(new Error("Interrupted")));
        return await new Promise<never>(() => {});
      },
    },
    { fast: true, signal: interrupt.signal },
  );
  await runAll(fakes, () => shell({ line: ["one", "two", "three"], _timeout: 60 }));
  const told = fakes.of("operation:host:end").map(({ host, outcome, commands }) => `${host} ${outcome} ${commands}`);
  expect(told.sort()).toEqual(["a interrupted 2", "b interrupted 0"]);
});

test("what a deploy file had declared before it threw says nothing when preparing has ended", async () => {
  const finds = operation<object>({
    name: "test.finds",
    async *steps(host) {
      await host.getFact(Slow);
      host.noop("it is there");
    },
  });
  const fake = fakeRun(["a"], { answer: async () => (await Bun.sleep(20), { stdout: "x" }) as never });
  const error = await runAll(fake, () => {
    finds({});
    throw new Error("oops");
  });
  expect(error).toBeInstanceOf(Error);
  const types = fake.events.map(event => (event.type === "stage:end" ? `end of ${event.stage}` : event.type));
  expect(types.slice(types.indexOf("end of prepare"))).not.toContain("fact:end");
  expect(types.indexOf("fact:end")).toBeGreaterThan(0);
});

describe("each host that is told of has an end", () => {
  const told = (fake: ReturnType<typeof fakeRun>): string[] =>
    fake.events.filter(({ type }) => type.startsWith("host:")).map(({ type }) => type);

  test("also one that was being connected to when the run was interrupted", async () => {
    const stop = new AbortController();
    const connector = {
      name: "fake",
      can: {},
      dataKeys: {},
      connect: async () => {
        stop.abort(new Error("enough"));
        throw new Error("given up");
      },
    } as unknown as Connector;
    const fake = fakeRun(["a"], {}, { signal: stop.signal, connectors: new Map([["fake", connector]]) });
    await expect(fake.run.connect()).rejects.toThrow("enough");
    await fake.run.disconnect();
    expect(told(fake)).toEqual(["host:connecting", "host:disconnected"]);
  });

  test("also one whose connection was lost", async () => {
    const fake = fakeRun(["a"], { answer: () => new ConnectionLostError("It was lost") });
    await runAll(fake, () => void shell({ line: "one" }));
    await fake.run.disconnect();
    expect(told(fake)).toEqual(["host:connecting", "host:connected", "host:disconnected"]);
  });
});

test("an operation whose errors are ignored fails at its turn where a fact of it cannot be had, and its host goes on", async () => {
  const Strict = fact({
    name: "test.Strict",
    command: () => sh`strict`,
    parse: (): string => {
      throw new SyntaxError("not that");
    },
    empty: "",
  });
  const strict = operation<object>({
    name: "test.strict",
    async *steps(host) {
      yield sh`${await host.getFact(Strict)}`;
    },
  });
  const fake = fakeRun(["a"], { answer: (_, sent) => (sent === "strict" ? { stdout: "rubbish\n" } : undefined) });
  await runAll(fake, () => {
    strict({ _ignoreErrors: true } as object);
    shell({ line: "after" });
  });
  expect(fake.of("operation:host:end").map(({ outcome }) => outcome)).toEqual(["ignored", "changed"]);
});

test("each end of an operation on a host has its start, also where a `_runOnce` passes a host by", async () => {
  const fake = fakeRun(["a", "b"]);
  await runAll(fake, () => void shell({ line: "one", _runOnce: true }));
  const told = (type: "operation:host:start" | "operation:host:end"): string[] =>
    fake
      .of(type)
      .map(({ host }) => host)
      .sort();
  expect(told("operation:host:start")).toEqual(["a", "b"]);
  expect(told("operation:host:end")).toEqual(["a", "b"]);
});
