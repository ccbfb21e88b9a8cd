/** Commands that take longer than they may, or are interrupted: what is told of them is what became of them. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { raw, type Shell, sh } from "../../src/core/command.ts";
import type { Connection } from "../../src/core/connector.ts";
import type { CommandOptions } from "../../src/engine/host/sending.ts";
import type { Session } from "../../src/engine/host/session.ts";
import { isAlive } from "../support/is-alive.ts";
import { localConnection, localSession } from "../support/local-session.ts";

let directory: string;
beforeAll(() => void (directory = mkdtempSync(join(tmpdir(), "tsinfra-limits-"))));
afterAll(() => rmSync(directory, { recursive: true }));

const surroundings = { shell: "sh", env: {} };
const { signal } = new AbortController();

/** What is told of one command: `exitCode` and `stdout`, or the error. */
async function told(session: Session, line: string, options: Partial<CommandOptions>): Promise<unknown> {
  try {
    const { exitCode, stdout } = await session.run(sh`${raw(line)}`, { surroundings, signal, ...options });
    return { exitCode, stdout: Buffer.from(stdout).toString() };
  } catch (error) {
    return error;
  } finally {
    await session.disconnect();
  }
}

const isKill = (command: Shell): boolean => command.wire().includes("isThere");

/** A connection whose `run` is changed. */
const changed =
  (change: (run: Connection["run"]) => Connection["run"]): (() => Promise<Connection>) =>
  async () => {
    const connection = await localConnection();
    return { ...connection, run: change((command, options) => connection.run(command, options)) };
  };

/** As with MaxSessions 1: a command waits until the one before it has ended. */
function oneAtATime(): () => Promise<Connection> {
  const commands: Promise<unknown>[] = [];
  return changed(run => async (command, options) => {
    await Promise.all(commands);
    const running = run(command, options);
    commands.push(running.catch(() => undefined));
    return running;
  });
}

const STILL_RUNS = {
  message: expect.stringContaining("Something that it left behind holds its output, and may still run there"),
  mayStillRun: true,
};
const TIMED_OUT = { code: "E_TIMEOUT", mayStillRun: false };

test("what could not be ended in time is told as that", async () => {
  const connect = changed(
    run => (command, options) =>
      isKill(command) ? Promise.reject(new Error("There is no way in")) : run(command, options),
  );
  const ran = await told(localSession({ fast: false, connect }), "sleep 600", { timeout: 0.2 });
  expect(ran).toMatchObject({
    message: "Command timed out after 0.2 s: sleep 600. It could not be ended, and may still run there",
    mayStillRun: true,
  });
});

for (const [how, line, result] of [
  ["with an exit code", "sleep 0.8; echo late; exit 3", { exitCode: 3, stdout: "late\n" }],
  ["of a signal", "sleep 0.8; kill -9 $$", { exitCode: 137, stdout: "" }],
  ["having printed much", "sleep 0.8; printf %03000000d 0", { exitCode: 0, stdout: "0".repeat(3_000_000) }],
] as const)
  test(`what ends by itself ${how} while there is no room to end it is told as it ended`, async () => {
    expect(await told(localSession({ fast: false, connect: oneAtATime() }), line, { timeout: 0.4 })).toEqual(result);
  });

test("a download that is through while there is no room to end it is whole", async () => {
  const pipe = join(directory, "pipe");
  const copy = join(directory, "copy");
  Bun.spawnSync(["mkfifo", pipe]);
  await using writer = Bun.spawn([
    "sh",
    "-c",
    `exec >${pipe}; echo first; sleep 1; echo second; sleep 0.1; echo third`,
  ]);
  // As the interface allows it, it reads into one buffer.
  const buffer = new Uint8Array(1 << 20);
  const connect = async (): Promise<Connection> => {
    const connection = await oneAtATime()();
    return {
      ...connection,
      run: (command, options) =>
        connection.run(command, {
          ...options,
          async onOutput(stream, chunk) {
            buffer.set(chunk);
            await options?.onOutput?.(stream, buffer.subarray(0, chunk.length));
          },
        }),
    };
  };
  const session = localSession({ fast: false, connect });
  await session.transfers.download(pipe, copy, { surroundings, signal, timeout: 0.4 });
  await writer.exited;
  expect(readFileSync(copy, "utf8")).toBe("first\nsecond\nthird\n");
  await session.disconnect();
});

test("what cannot be taken of it then is told as that", async () => {
  const onOutput = (): Promise<never> => Promise.reject(new Error("No space left on device"));
  const session = localSession({ fast: false, connect: oneAtATime() });
  expect(String(await told(session, "sleep 0.8; echo late", { timeout: 0.4, onOutput }))).toContain("No space left");
});

test("what prints without end can tidy up when it is told to end", async () => {
  const lock = join(directory, "lock");
  writeFileSync(lock, "");
  const line = `trap 'echo bye; rm ${lock}; exit 1' TERM; while :; do head -c 100000 /dev/zero; done`;
  expect(await told(localSession({ fast: false }), line, { timeout: 0.5, keep: 0 })).toMatchObject(TIMED_OUT);
  expect(existsSync(lock)).toBe(false);
});

test("what we have ended is no success, though nobody has heard that it was us", async () => {
  const connect = changed(run => async (command, options) => {
    const ran = await run(sh`exec ${command}`, options);
    if (isKill(command)) await new Promise((_, reject) => options!.signal!.addEventListener("abort", reject));
    return ran;
  });
  const line = "trap 'exit 0' TERM; while :; do sleep 0.1; done";
  expect(await told(localSession({ fast: false, connect }), line, { timeout: 0.5 })).toMatchObject({
    code: "E_TIMEOUT",
  });
}, 30_000);

test("what has ended is waited for where somebody is slow to take its output, or to tell its end", async () => {
  const slowlyTaken = { timeout: 0.5, onOutput: () => Bun.sleep(2500) };
  const ended = { exitCode: 3, stdout: "hi\n" };
  expect(await told(localSession({ fast: false }), "echo hi; exit 3", slowlyTaken)).toEqual(ended);
  const slowToTell = changed(run => async (command, options) => {
    const ran = await run(command, { ...options, signal });
    if (!isKill(command)) await Bun.sleep(1000);
    options?.signal?.throwIfAborted();
    return ran;
  });
  const session = localSession({ fast: false, connect: slowToTell });
  expect(await told(session, "echo hi; exit 3", { timeout: 0.5 })).toEqual(ended);
}, 30_000);

test("who interrupts does not wait for a terminal that takes nothing", async () => {
  const interrupt = new AbortController();
  const never = Promise.withResolvers<void>();
  const reason = new Error("interrupted");
  setTimeout(() => interrupt.abort(reason), 500);
  const options = { timeout: 0.3, signal: interrupt.signal, onOutput: () => never.promise };
  const ran = await told(localSession({ fast: false }), "echo hi; exit 3", options);
  expect(ran).toMatchObject({ code: "E_TIMEOUT" });
});

test("what has ended but left something behind that holds its output may still run", async () => {
  const held = changed(run => async (command, options) => {
    const ran = await run(command, options);
    if (isKill(command)) return ran;
    return new Promise((_, reject) =>
      options!.signal!.addEventListener("abort", () => reject(options!.signal!.reason)),
    );
  });
  const session = localSession({ fast: false, connect: held });
  expect(await told(session, "exit 3", { timeout: 0.5 })).toMatchObject(STILL_RUNS);
});

test("a command is not run again because what follows it is given up before its output is taken", async () => {
  const session = localSession();
  const journal = join(directory, "journal");
  const slow = Promise.withResolvers<void>();
  const line = `echo once >>${journal}; echo told >&2; sleep 0.3; echo more >&2`;
  const first = session.run(sh`${raw(line)}`, {
    surroundings,
    signal,
    onOutput: stream => (stream === "stderr" ? slow.promise : undefined),
  });
  const abort = new AbortController();
  const fact = session.run(sh`true`, {
    surroundings,
    signal: abort.signal,
    isOurs: true,
    onTurn: () => setTimeout(() => abort.abort(new Error("No answer")), 1000),
  });
  await expect(fact).rejects.toThrow("No answer");
  slow.resolve();
  expect((await first).exitCode).toBe(0);
  expect(readFileSync(journal, "utf8")).toBe("once\n");
  await session.disconnect();
});

test("an interrupt that finds the shared shell gone leaves nothing", async () => {
  const connect = changed(run => async (command, options) => {
    const ran = await run(command, options);
    if (options?.onWanted) await Bun.sleep(1500);
    return ran;
  });
  const session = localSession({ connect });
  await session.run(sh`true`, { surroundings, signal });
  const interrupt = new AbortController();
  setTimeout(() => interrupt.abort(new Error("interrupted")), 700);
  const line = "read -r _ _ _ parent _ </proc/$$/stat; kill -9 $parent; exit 0";
  await told(session, line, { signal: interrupt.signal });
  expect(session.left).toBe(0);
});

for (const fast of [true, false])
  test(`an interrupt before a shell has said that it has begun counts it as left, ${fast ? "fast" : "plain"}`, async () => {
    const deaf = changed(run => (command, options) => {
      const { promise, reject } = Promise.withResolvers<never>();
      options?.signal?.addEventListener("abort", () => reject(options.signal!.reason));
      return Promise.race([run(command, { ...options, signal, onOutput: () => {} }), promise]);
    });
    const session = localSession({ fast, connect: deaf });
    const interrupt = new AbortController();
    setTimeout(() => interrupt.abort(new Error("interrupted")), 300);
    expect(String(await told(session, "sleep 0.6", { signal: interrupt.signal }))).toContain("interrupted");
    expect(session.left).toBe(1);
  });

test("whichever shell a command has, all of it is ended", async () => {
  for (const shell of ["zsh", "bash"]) {
    const pid = join(directory, `pid-${shell}`);
    const line = `setsid sh -c 'echo $$ >${pid}; exec sleep 100' & wait; true`;
    const session = localSession({ fast: false });
    expect(await told(session, line, { timeout: 1, surroundings: { shell, env: {} } })).toMatchObject(TIMED_OUT);
    expect(isAlive(Number(readFileSync(pid, "utf8")))).toBe(false);
  }
});
