/** Connectors of the user's own whose members give something else than they should. */
import { describe, expect, jest, setDefaultTimeout, test } from "bun:test";
import { checkedConnector, PATIENCE } from "../../src/connectors/own.ts";
import { sh } from "../../src/core/command.ts";
import type { Connection, Connector, RunOptions } from "../../src/core/connector.ts";
import { programConnector } from "../../src/connectors/program/program.ts";
import { loadInventory } from "../../src/inventory/index.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";

setDefaultTimeout(60_000);

const NOTHING = new Uint8Array();
const TRUE = { exitCode: 0, stdout: NOTHING, stderr: NOTHING };
const never = (): Promise<never> => new Promise(() => {});

/** A connector whose members are whatever they are. */
const own = (members: Readonly<Record<string, unknown>>): Connector =>
  checkedConnector({ name: "own", summary: "One", can: {}, dataKeys: {}, ...members } as unknown as Connector);
const connected = (members: Readonly<Record<string, unknown>>, context = connectorContext()): Promise<Connection> =>
  own({ connect: async () => ({ run: async () => TRUE, close: async () => {}, ...members }) }).connect!(
    targetFor("web"),
    context,
  );

const thrown = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("hosts()", () => {
  const host = { name: "@local", data: {}, groups: [] };
  test.each([
    ["null", null, "gave null"],
    ["undefined", undefined, "gave undefined"],
    ["text", "web", "gave text"],
    ["an object", { web: {} }, "gave an object"],
    ["a generator", (function* () {})(), "gave a generator"],
    ["numbers", [1], "gave a list whose host 1 is a number"],
    ["names", [host, "web"], "gave a list whose host 2 is text"],
    ["an object without a name", [{ data: {} }], "gave a list whose host 1 has no name (undefined)"],
    ["an empty name", [{ ...host, name: " " }], "gave a list whose host 1 has an empty name"],
    ["a place that is none", [{ ...host, at: 3 }], `gave a list whose host "@local" has a number as its "at"`],
    ["no data", [{ name: "a", groups: [] }], `gave a list whose host "a" has undefined as its "data"`],
    ["no groups", [{ name: "a", data: {} }], `gave a list whose host "a" has undefined as its "groups"`],
    [
      "a group that is none",
      [{ ...host, groups: [1] }],
      `gave a list whose host "@local" has a number in its "groups"`,
    ],
  ])("that gives %s is told by name", async (_, found, told) => {
    const connectors = new Map([["own", own({ hosts: () => found })]]);
    const error = await thrown(loadInventory("@own/x", { cwd: "/", connectors, context: connectorContext() }));
    expect(error).toMatchObject({
      code: "E_INVENTORY",
      message: `hosts() of the connector "@own", asked for the hosts of "@own/x", ${told}`,
      hint: expect.stringContaining("It must give a list"),
    });
  });

  test.each([
    ["an error", new TypeError("boom"), "threw TypeError: boom"],
    ["text", "boom", 'threw "boom"'],
  ])("that rejects with %s is told by name", async (_, reason, told) => {
    const error = await thrown(own({ hosts: () => Promise.reject(reason) }).hosts!("", connectorContext()));
    expect(error).toMatchObject({
      code: "E_INVENTORY",
      message: `hosts() of the connector "@own", asked for the hosts of "@own", ${told}`,
    });
  });
});

describe("connect()", () => {
  test.each([
    ["undefined", undefined, "gave undefined"],
    ["a number", 3, "gave a number"],
    ["an empty object", {}, "gave an object without run()"],
    ["no close", { run: async () => TRUE }, "gave an object without close()"],
    ["a run that is no function", { run: 1, close() {} }, 'gave an object whose "run" is a number'],
    ["an rsync that is no function", { run() {}, close() {}, rsync: {} }, 'gave an object whose "rsync" is an object'],
  ])("that gives %s is told by name", async (_, given, told) => {
    const error = await thrown(own({ connect: async () => given }).connect!(targetFor("web"), connectorContext()));
    expect(error).toMatchObject({
      code: "E_CONNECT",
      host: "web",
      message: `web cannot be connected to: connect() of the connector "@own" ${told}`,
    });
  });

  test.each([
    ["a mistake", new TypeError("boom"), 'connect() of the connector "@own" threw TypeError: boom'],
    ["text", "boom", 'connect() of the connector "@own" threw "boom"'],
    ["an object", { a: 1 }, 'connect() of the connector "@own" threw { a: 1 }'],
    ["a reason", new Error("The door is shut"), "The door is shut"],
  ])("that throws %s is told with the host", async (_, reason, told) => {
    const connector = own({
      connect: () => {
        throw reason;
      },
    });
    const error = await thrown(connector.connect!(targetFor("web"), connectorContext()));
    expect(error).toMatchObject({ code: "E_CONNECT", host: "web", message: `web cannot be connected to: ${told}` });
  });
});

describe("run()", () => {
  test.each([
    ["undefined", undefined, "gave undefined"],
    ["text", "done", "gave text"],
    ["no exit code", {}, "gave a result without an exit code"],
    ["an exit code that is text", { ...TRUE, exitCode: "0" }, "gave a result whose exit code is text"],
    ["no number", { ...TRUE, exitCode: Number.NaN }, "gave a result whose exit code is NaN"],
    ["null", { ...TRUE, exitCode: null }, "gave a result whose exit code is null"],
    ["text as output", { ...TRUE, stdout: "x" }, "gave a result whose stdout is text"],
    ["no stderr", { exitCode: 0, stdout: NOTHING }, "gave a result whose stderr is undefined"],
    ["output in the result alone", { ...TRUE, stdout: Buffer.from("x") }, "gave output in its result alone"],
  ])("that gives %s is told by name", async (_, given, told) => {
    const connection = await connected({ run: async () => given });
    const error = await thrown(connection.run(sh`true`, { onOutput: () => {} }));
    expect(error).toMatchObject({
      code: "E_OPERATION",
      host: "web",
      message: `run() of the connector "@own" ${told} on web: the state of the command is unknown`,
    });
  });

  test("that throws, or tells what is no output, is told by name", async () => {
    const failing = await connected({
      run: () => {
        throw new RangeError("boom");
      },
    });
    expect(await thrown(failing.run(sh`true`))).toMatchObject({
      message: 'run() of the connector "@own" threw RangeError: boom on web: the state of the command is unknown',
    });
    const telling = (...told: unknown[]) =>
      connected({
        run: async (_: unknown, { onOutput }: { onOutput(...told: unknown[]): void }) => (onOutput(...told), never()),
      }).then(connection => thrown(connection.run(sh`true`, { onOutput: () => {} })));
    expect(await telling("stdout", "text")).toMatchObject({
      message: expect.stringContaining('run() of the connector "@own" gave onOutput text on web'),
    });
    expect(await telling("out", NOTHING)).toMatchObject({
      message: expect.stringContaining('run() of the connector "@own" told onOutput of the stream "out" on web'),
    });
  });

  test("that hears no signal is left, and that is said", async () => {
    jest.useFakeTimers();
    try {
      const context = connectorContext();
      const connection = await connected({ run: never }, context);
      const stop = new AbortController();
      const ended = thrown(connection.run(sh`true`, { signal: stop.signal }));
      const reason = new Error("enough");
      stop.abort(reason);
      jest.advanceTimersByTime(PATIENCE);
      expect(await ended).toBe(reason);
      expect(context.warnings).toEqual([
        'run() of the connector "@own" has not ended on web within 5 s of being told to: it is left',
      ]);
    } finally {
      jest.useRealTimers();
    }
  });

  test.each([0, 255])("that resolves with %d once it was told to end has not come to its end", async exitCode => {
    const carrier = Promise.withResolvers<typeof TRUE>();
    const run = async (_: unknown, { signal }: RunOptions) => {
      signal?.addEventListener("abort", () => carrier.resolve({ ...TRUE, exitCode }));
      return await carrier.promise;
    };
    const connection = await connected({
      run,
      rsync: (_: string, to: string, __: unknown, how: RunOptions) => run(to, how),
    });
    const stop = new AbortController();
    const { signal } = stop;
    const ended = [connection.run(sh`true`, { signal }), connection.rsync!("a", "b", [], { signal })].map(thrown);
    const reason = new Error("enough");
    stop.abort(reason);
    expect(await Promise.all(ended)).toEqual([reason, reason]);
  });

  test("that had resolved when it was told to end has come to its end", async () => {
    const connection = await connected({});
    const stop = new AbortController();
    const result = await connection.run(sh`true`, { signal: stop.signal });
    stop.abort(new Error("too late"));
    expect(result.exitCode).toBe(0);
  });

  test("what it gives, and the options it gets, pass", async () => {
    const seen: RunOptions[] = [];
    const chunks: unknown[] = [];
    const connection = await connected({
      run: async (_: unknown, options: RunOptions) => {
        seen.push(options);
        await options.onOutput?.("stderr", Buffer.from("a"));
        return { ...TRUE, exitCode: 7, stderr: Buffer.from("a") };
      },
    });
    const result = await connection.run(sh`true`, {
      pty: true,
      onOutput: (stream, chunk) => void chunks.push(stream, Buffer.from(chunk).toString()),
    });
    expect([result.exitCode, chunks, seen[0]?.pty]).toEqual([7, ["stderr", "a"], true]);
  });
});

describe("close()", () => {
  test.each([
    [
      "throws",
      () => {
        throw new Error("boom");
      },
    ],
    ["rejects", () => Promise.reject(new Error("boom"))],
  ])("that %s is said", async (_, close) => {
    const context = connectorContext();
    await (await connected({ close }, context)).close();
    expect(context.warnings).toEqual(['close() of the connector "@own" on web threw Error: boom']);
    const whole = own({ connect: async () => ({ run: never, close() {} }), close });
    await whole.connect!(targetFor("web"), context);
    await whole.close!();
    expect(context.warnings.slice(1)).toEqual(['close() of the connector "@own" threw Error: boom']);
  });

  test("that never settles is left, and that is said", async () => {
    const context = connectorContext();
    const connection = await connected({ close: never }, context);
    jest.useFakeTimers();
    try {
      const closed = connection.close();
      jest.advanceTimersByTime(PATIENCE);
      await closed;
    } finally {
      jest.useRealTimers();
    }
    expect(context.warnings).toEqual(['close() of the connector "@own" on web has not ended within 5 s: it is left']);
  });

  test("names a command that does not end with its connection", async () => {
    const context = connectorContext();
    const connection = await connected({ run: never }, context);
    void connection.run(sh`true`);
    await connection.close();
    expect(context.warnings).toEqual([
      'run() of the connector "@own" has not ended on web, though its connection was closed: it is left',
    ]);
  });
});

describe("the place of a program", () => {
  const connect = (open: unknown): Promise<unknown> =>
    thrown(
      (async () => {
        const connector = programConnector({ name: "own", summary: "One", dataKeys: {}, open: open as never });
        const connection = await checkedConnector(connector).connect!(targetFor("web"), connectorContext());
        await connection.run(sh`true`);
      })(),
    );
  test.each([
    ["undefined", async () => undefined, 'open() of the connector "@own" gave undefined'],
    ["nothing to wrap with", async () => ({}), 'open() of the connector "@own" gave an object without wrap()'],
    [
      "a wrap that is none",
      async () => ({ wrap: "x" }),
      'open() of the connector "@own" gave an object whose "wrap" is text',
    ],
    ["text as a line", async () => ({ wrap: () => "x" }), 'wrap() of the connector "@own" gave text for web'],
    [
      "a promise as a line",
      async () => ({ wrap: async () => sh`x` }),
      'wrap() of the connector "@own" gave a promise for web',
    ],
    ["no function", "x", 'The member open of the connector "@own" must be a function, found text'],
  ])("with %s is told by name", async (_, open, told) => {
    expect(await connect(open)).toMatchObject({ message: expect.stringContaining(told) });
  });
});

test("isLost() that does not say yes or no is told by name, and no new connection is made of it", async () => {
  for (const [isLost, told] of [
    [async () => false, 'isLost() of the connector "@own" gave a promise for web'],
    [() => "no", 'isLost() of the connector "@own" gave text for web'],
    [
      () => {
        throw new Error("oops");
      },
      'isLost() of the connector "@own" threw Error: oops',
    ],
  ] as const) {
    const connection = await connected({ isLost });
    expect(() => connection.isLost!()).toThrow(told);
  }
  expect((await connected({ isLost: () => true })).isLost!()).toBe(true);
});
