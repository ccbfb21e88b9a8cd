import { describe, expect, test } from "bun:test";
import { sh } from "../../src/core/command.ts";
import type { Connection } from "../../src/core/connector.ts";
import { KEPT_OUTPUT, KeptOutput } from "../../src/core/output.ts";
import type { EngineEvent } from "../../src/engine/events.ts";
import type { Ran } from "../../src/engine/host/sending.ts";
import { lineEmitter, LONGEST_LINE } from "../../src/engine/operation/output-lines.ts";
import { toCommandResult } from "../../src/engine/operation/commands.ts";
import { operation } from "../../src/core/operation.ts";
import { fakeRun, runAll } from "../support/fake-run.ts";
import { localConnection, localSession } from "../support/local-session.ts";

const { signal } = new AbortController();
const options = { surroundings: { shell: "sh", env: {} }, signal } as const;
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

describe("what is kept of an output", () => {
  const kept = (most: number, ...chunks: string[]) => {
    const output = new KeptOutput(most);
    for (const chunk of chunks) output.add(Buffer.from(chunk));
    return [text(output.bytes()), output.isCut];
  };
  test("is all of it, up to the limit", () => {
    expect(kept(8)).toEqual(["", false]);
    expect(kept(8, "abc", "", "defgh")).toEqual(["abcdefgh", false]);
  });
  test("is its end beyond it, from a whole line on", () => {
    expect(kept(8, "abcdefghi")).toEqual(["bcdefghi", true]);
    expect(kept(8, "ab\ncd\nef\ngh\n")).toEqual(["ef\ngh\n", true]);
    expect(kept(8, "0123456789\n0123\n45\n")).toEqual(["45\n", true]);
  });
  test("is the same however the output was cut into chunks", () => {
    const all = Array.from({ length: 40 }, (_, index) => `line ${index}\n`).join("");
    const whole = kept(100, all);
    for (const size of [1, 2, 7, 99, 100, 101, 150]) {
      const chunks = Array.from({ length: Math.ceil(all.length / size) }, (_, at) =>
        all.slice(at * size, (at + 1) * size),
      );
      expect(kept(100, ...chunks)).toEqual(whole);
    }
  });
  test("takes no more memory than the limit, whatever comes", () => {
    const output = new KeptOutput(1000);
    const chunk = new Uint8Array(64 * 1024);
    for (let count = 0; count < 100; count++) output.add(chunk);
    expect(output.bytes().buffer.byteLength).toBe(1000);
  });
});

describe("lines", () => {
  const settings = (room?: () => Promise<void> | undefined, interrupted = signal) => {
    const told: EngineEvent[] = [];
    let time = 0;
    return {
      told,
      // Each look at it takes a second: so lines never come without a break.
      clock: { now: () => 0, monotonic: () => (time += 1000), sleep: async () => {} },
      emit: (event: EngineEvent) => void told.push(event),
      signal: interrupted,
      ...(room ? { onOutput: room } : {}),
    };
  };
  const linesIn = (told: readonly EngineEvent[]) =>
    told.map(event => (event.type === "output" ? `${event.line.length}${event.continues ? "…" : ""}` : event.type));

  test("that are long are told in pieces of a stated size, and no character is parted", async () => {
    const given = settings();
    const lines = lineEmitter(given, "a", "operation");
    const long = `${"x".repeat(LONGEST_LINE - 1)}💥${"y".repeat(LONGEST_LINE)}z\r\nshort\n`;
    for (let at = 0; at < long.length; at += 1000) await lines.push("stdout", Buffer.from(long.slice(at, at + 1000)));
    await lines.end();
    expect(linesIn(given.told)).toEqual([`${LONGEST_LINE + 1}…`, `${LONGEST_LINE}…`, "1", "5"]);
    expect(given.told.map(event => (event.type === "output" ? event.line : "")).join("")).toBe(
      long.replaceAll(/[\r\n]/g, ""),
    );
  });

  test("exactly as long as a piece are one", async () => {
    const given = settings();
    const lines = lineEmitter(given, "a", "operation");
    await lines.push("stdout", Buffer.from(`${"x".repeat(LONGEST_LINE)}\n\n${"y".repeat(LONGEST_LINE)}`));
    await lines.end();
    expect(linesIn(given.told)).toEqual([`${LONGEST_LINE}`, "0", `${LONGEST_LINE}`]);
  });

  test("that are many give others their turn, and none is told before the one before it", async () => {
    const given = settings();
    const lines = lineEmitter(given, "a", "direct");
    const first = lines.push("stdout", Buffer.from("1\n".repeat(1000)));
    const second = lines.push("stdout", Buffer.from("22\n"));
    expect(first).toBeInstanceOf(Promise);
    expect(given.told.length).toBeLessThan(1000);
    await Promise.all([first, second, lines.end()]);
    expect(linesIn(given.told)).toEqual([...Array<string>(1000).fill("1"), "2"]);
  });

  test("that come in many chunks give others their turn too", async () => {
    // What the tests before told was in another turn.
    await new Promise(resolve => setImmediate(resolve));
    const given = settings();
    const lines = lineEmitter(given, "a", "operation");
    const chunks = Array.from({ length: 5 }, () => lines.push("stdout", Buffer.from("1\n".repeat(100))));
    expect(chunks.at(-1)).toBeInstanceOf(Promise);
    // Not so one that says little.
    expect(lineEmitter(given, "b", "operation").push("stdout", Buffer.from("22\n"))).toBeUndefined();
    await Promise.all([...chunks, lines.end()]);
    expect(linesIn(given.told).filter(line => line === "1").length).toBe(500);
  });

  for (const purpose of ["operation", "direct"] as const)
    test(`have their command wait until they are taken (${purpose})`, async () => {
      const room = Promise.withResolvers<void>();
      const given = settings(() => room.promise);
      const lines = lineEmitter(given, "a", purpose);
      let isTaken = false;
      const pushed = Promise.resolve(lines.push("stdout", Buffer.from("1\n"))).then(() => (isTaken = true));
      expect(linesIn(given.told)).toEqual(["1"]);
      await Bun.sleep(0);
      expect(isTaken).toBe(false);
      room.resolve();
      await pushed;
    });

  test("wait for nobody after an interrupt", async () => {
    const interrupt = new AbortController();
    const given = settings(() => new Promise(() => {}), interrupt.signal);
    const lines = lineEmitter(given, "a", "operation");
    const pushed = lines.push("stdout", Buffer.from("1\n".repeat(1000)));
    interrupt.abort();
    await Promise.all([pushed, lines.push("stdout", Buffer.from("2\n")), lines.end()]);
    expect(given.told.length).toBe(1001);
  });
});

for (const fast of [true, false])
  describe(fast ? "a command in a shared shell" : "a command in a channel of its own", () => {
    test("may print more than is kept: its end is, and the result says so", async () => {
      const session = localSession({ fast });
      let told = 0;
      const sent = await session.send(
        [sh`head -c 40000000 /dev/zero | tr '\\0' x | fold; echo; echo last`],
        { ...options, onOutput: (_, chunk) => void (told += chunk.length) },
        [0],
      );
      const [ran] = await sent.results;
      const result = toCommandResult(ran!);
      expect(told).toBe(40_500_005);
      expect(result.isCut).toBe(true);
      expect(result.stdout.length).toBeLessThanOrEqual(KEPT_OUTPUT);
      expect(result.stdout.length).toBeGreaterThan(KEPT_OUTPUT - 100);
      expect([result.stdoutLines[0]?.length, result.stdoutLines.at(-1)]).toEqual([80, "last"]);
      await session.close();
    });

    test("may print a million lines", async () => {
      const session = localSession({ fast });
      const ran = await session.run(sh`yes | head -n 1000000`, options);
      expect(toCommandResult(ran)).toMatchObject({ isCut: false, stdoutLines: { length: 1_000_000 } });
      await session.close();
    });

    test("is read no faster than its output is taken", async () => {
      const session = localSession({ fast });
      const gate = Promise.withResolvers<void>();
      let taken = 0;
      let ended = false;
      const sent = await session.send(
        [sh`head -c 50000000 /dev/zero`],
        { ...options, onOutput: (_, chunk) => ((taken += chunk.length), gate.promise) },
        [0],
      );
      void sent.results.then(() => (ended = true));
      await Bun.sleep(500);
      expect(ended).toBe(false);
      expect(taken).toBeLessThan(10_000_000);
      gate.resolve();
      const [ran] = await sent.results;
      expect([ran?.exitCode, taken]).toEqual([0, 50_000_000]);
      await session.close();
    });

    test("whose shell prints without end before it comes to the command fails, and is ended", async () => {
      for (const stream of ["1", "2"]) {
        const session = localSession({ fast, connect: () => noisy(`yes >&${stream}`) });
        const error: Error = await session.run(sh`echo never`, options).then(
          (ran: Ran) => Promise.reject(new Error(text(ran.stdout))),
          (thrown: Error) => thrown,
        );
        expect(error).toMatchObject({ code: "E_CONNECT", host: "here" });
        expect(error.message).toMatch(
          /^here printed more than \d+ KiB before it said that the command had begun: whether it ran is not known$/,
        );
        await session.close();
      }
    });

    test("whose shell prints a little before it comes to the command is told apart from that", async () => {
      const session = localSession({ fast, connect: () => noisy("yes 2>&1 | head -c 100000 >&2") });
      const ran = await session.run(sh`echo out; echo err >&2`, options);
      expect([text(ran.stdout), text(ran.stderr)]).toEqual(["out\n", "err\n"]);
      await session.close();
    });
  });

/** This machine, with start-up files that run a line. */
async function noisy(startUp: string): Promise<Connection> {
  const connection = await localConnection();
  return { ...connection, run: (command, how) => connection.run(sh`sh -c ${`${startUp}; ${command.wire()}`}`, how) };
}

const print = operation<object>({
  name: "test.print",
  async *steps() {
    yield sh`print`;
  },
});
test("a handle and `_retryUntil` say that the output is cut", async () => {
  const line = `${"x".repeat(99)}\n`;
  const fake = fakeRun(["a"], { answer: () => ({ stdout: line.repeat(KEPT_OUTPUT / 100 + 2) }) });
  const seen: unknown[] = [];
  const error = await runAll(fake, () => {
    const handle = print({
      _retries: 1,
      _retryDelay: 0,
      _retryUntil: ({ isCut, stdoutLines }) => seen.push(isCut, stdoutLines[0]?.length) === 0,
    });
    print({
      _if: () => seen.push(handle.isCut, handle.stdoutLines[0]?.length, handle.stdout.length <= KEPT_OUTPUT) === 0,
    });
  });
  expect(fake.of("operation:host:end").map(({ error: told }) => told)).toEqual([undefined, undefined]);
  expect(error).toBeUndefined();
  expect(seen).toEqual([true, 99, true, 99, true]);
});
