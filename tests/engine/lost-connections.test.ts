import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret, sh } from "../../src/core/command.ts";
import type { Connection, RunOptions, RunResult } from "../../src/core/connector.ts";
import { ConnectionLostError } from "../../src/core/errors.ts";
import { Session } from "../../src/engine/host/session.ts";
import { shell } from "../../src/operations/server/index.ts";
import { operation, type OperationHandle, raw } from "../../src/public/index.ts";
import { listeningRun } from "../support/listening-run.ts";
import { localConnection, localSession } from "../support/local-session.ts";
import { until } from "../support/until.ts";

const both = operation<{ readonly first: string; readonly second: string }>({
  name: "test.both",
  changes: "what it names",
  async *steps(_, { first, second }) {
    yield sh`${raw(first)}`;
    yield sh`${raw(second)}`;
  },
});
const { signal } = new AbortController();
const plain = { shell: "sh", env: {} } as const;
const root = { ...plain, sudo: { login: false, preserveEnv: false, password: new Secret("sesame") } } as const;

/** A command of a scripted connection that has not ended. */
interface Running {
  readonly connection: number;
  readonly isTrial: boolean;
  /** End it well. */
  succeed(): void;
  refuse(): void;
}

/** Connections whose commands end when the test says so. */
class Script {
  readonly running: Running[] = [];
  readonly closed: number[] = [];
  opened = 0;
  readonly #losses = new Map<number, () => void>();
  readonly #waiting: (() => void)[] = [];
  /** Held back until `admit`. */
  readonly #pending: (() => void)[] = [];
  isSlow = false;

  readonly session = new Session({
    host: "web-1",
    fast: false,
    connect: async () => {
      const number = ++this.opened;
      if (this.isSlow) await new Promise<void>(resolve => this.#pending.push(resolve));
      return this.#connection(number);
    },
    context: { ask: async () => undefined, warn: () => {}, inform: () => {}, cwd: "/" },
    transfers: {} as never,
    onMayHaveChanged: () => {},
    onTransfer: () => {},
  });

  /** Let the next one through that is being made. */
  async admit(): Promise<void> {
    await until("a connection is being made", async () => this.#pending.length > 0);
    this.#pending.shift()!();
  }
  lose(connection: number): void {
    this.#losses.get(connection)?.();
  }
  /** Wait until so many commands have been begun in all. */
  async begun(count: number): Promise<void> {
    while (this.running.length < count) await new Promise<void>(resolve => this.#waiting.push(resolve));
  }
  run = (as: typeof plain | typeof root = plain): Promise<unknown> =>
    this.session.run(sh`work`, { surroundings: as, signal }).then(
      ({ exitCode }) => exitCode,
      (error: { code: string }) => error.code,
    );

  #connection(number: number): Connection {
    const lost = Promise.withResolvers<never>();
    lost.promise.catch(() => undefined);
    let isLost = false;
    this.#losses.set(number, () => {
      isLost = true;
      lost.reject(new ConnectionLostError("Lost web-1"));
    });
    return {
      isLost: () => isLost,
      run: (command, options = {}) => Promise.race([lost.promise, this.#command(number, command.wire(), options)]),
      close: async () => {
        this.closed.push(number);
        lost.reject(new ConnectionLostError("Closed web-1"));
      },
    };
  }

  #command(connection: number, line: string, { onOutput }: RunOptions): Promise<RunResult> {
    const { promise, resolve } = Promise.withResolvers<RunResult>();
    const nothing = { stdout: new Uint8Array(), stderr: new Uint8Array() };
    this.running.push({
      connection,
      isTrial: !line.includes("work"),
      succeed: () => {
        const nonce = /tsinfra-\w+/.exec(line)?.[0];
        void onOutput?.("stdout", Buffer.from(`${nonce}o 7\n\x01${nonce}o 0\n`));
        void onOutput?.("stderr", Buffer.from(`${nonce} 7\n\x01${nonce} 0\n`));
        resolve({ exitCode: 0, ...nothing });
      },
      refuse: () => {
        void onOutput?.("stderr", Buffer.from("Not for you\n"));
        resolve({ exitCode: 1, ...nothing });
      },
    });
    for (const wake of this.#waiting.splice(0)) wake();
    return promise;
  }
}

const commands = ({ running }: Script): string[] =>
  running.map(({ connection, isTrial }) => `${isTrial ? "trial" : "work"} on ${connection}`);

describe("a connection that is lost", () => {
  test("while nothing runs is made again for what comes next", async () => {
    const script = new Script();
    const first = script.run();
    await script.begun(1);
    script.running[0]!.succeed();
    expect(await first).toBe(0);
    script.lose(1);
    const second = script.run();
    await script.begun(2);
    script.running[1]!.succeed();
    expect(await second).toBe(0);
    expect(commands(script)).toEqual(["work on 1", "work on 2"]);
  });

  test("while nothing runs takes what was known of passwords with it", async () => {
    const script = new Script();
    const first = script.run(root);
    for (const count of [1, 2]) {
      await script.begun(count);
      script.running[count - 1]!.succeed();
    }
    expect(await first).toBe(0);
    script.lose(1);
    const second = script.run(root);
    for (const count of [3, 4]) {
      await script.begun(count);
      script.running[count - 1]!.succeed();
    }
    expect(await second).toBe(0);
    expect(commands(script)).toEqual(["trial on 1", "work on 1", "trial on 2", "work on 2"]);
  });

  test("while a password is tried says nothing about the password", async () => {
    const script = new Script();
    const first = [script.run(root), script.run(root)];
    await script.begun(1);
    script.lose(1);
    expect(await Promise.all(first)).toEqual(["E_CONNECTION_LOST", "E_CONNECTION_LOST"]);
    const second = [script.run(root), script.run(root)];
    await script.begun(2);
    script.running[1]!.succeed();
    await script.begun(4);
    for (const command of script.running.slice(2)) command.succeed();
    expect(await Promise.all(second)).toEqual([0, 0]);
    expect(commands(script)).toEqual(["trial on 1", "trial on 2", "work on 2", "work on 2"]);
  });

  test("has the password tried again on the next one, and a refusal there counts", async () => {
    const script = new Script();
    const first = script.run(root);
    await script.begun(1);
    script.running[0]!.succeed();
    await script.begun(2);
    script.lose(1);
    expect(await first).toBe("E_CONNECTION_LOST");
    const second = [script.run(root), script.run(root)];
    await script.begun(3);
    script.running[2]!.refuse();
    expect(await Promise.all(second)).toEqual(["E_ESCALATION", "E_ESCALATION"]);
    expect(await script.run(root)).toBe("E_ESCALATION");
    expect(commands(script)).toEqual(["trial on 1", "work on 1", "trial on 2"]);
  });

  test("just when the password was accepted has it tried on the next one", async () => {
    const script = new Script();
    const other = script.run();
    await script.begun(1);
    const escalated = script.run(root);
    await script.begun(2);
    script.lose(1);
    script.running[1]!.succeed();
    expect(await other).toBe("E_CONNECTION_LOST");
    await Promise.race([escalated, script.begun(3)]);
    // Either the trial was lost too, or it is repeated: in no case is the password used untried.
    expect(commands(script)).not.toContain("work on 2");
    expect(script.running[2]?.isTrial ?? true).toBe(true);
    script.running[2]?.refuse();
    expect(await escalated).toMatch(/E_ESCALATION|E_CONNECTION_LOST/);
  });

  test("does not take the one with it that another command has made since", async () => {
    const script = new Script();
    const first = script.run();
    const second = script.run();
    await script.begun(2);
    // The second command hears of it later than the first.
    const [early] = [script.running[0]!];
    early.refuse();
    expect(await first).toBe(1);
    script.lose(1);
    script.isSlow = true;
    expect(await second).toBe("E_CONNECTION_LOST");
    const third = script.run();
    const fourth = script.run();
    await script.admit();
    await script.begun(4);
    script.lose(1);
    for (const command of script.running.slice(2)) command.succeed();
    expect(await Promise.all([third, fourth])).toEqual([0, 0]);
    expect([script.opened, script.closed]).toEqual([2, [1]]);
  });

  test("is closed once the run ends, however many there were", async () => {
    const script = new Script();
    for (const number of [1, 2, 3]) {
      const running = script.run();
      await script.begun(number);
      script.lose(number);
      expect(await running).toBe("E_CONNECTION_LOST");
    }
    const last = script.run();
    await script.begun(4);
    script.running[3]!.succeed();
    expect(await last).toBe(0);
    await script.session.close();
    expect(script.opened).toBe(4);
    expect([...new Set(script.closed)].sort()).toEqual([1, 2, 3, 4]);
  });
});

describe("a connection that is being made", () => {
  test("is closed when the host is disconnected meanwhile; whoever waits for it takes the next one", async () => {
    const script = new Script();
    script.isSlow = true;
    const early = script.run();
    await until("it connects", async () => script.opened === 1);
    const disconnecting = script.session.disconnect();
    const late = script.run();
    await script.admit();
    await script.admit();
    await disconnecting;
    await script.begun(2);
    for (const command of script.running) command.succeed();
    expect(await Promise.all([early, late])).toEqual([0, 0]);
    expect(commands(script)).toEqual(["work on 2", "work on 2"]);
    expect(script.closed).not.toContain(2);
    await script.session.close();
    expect([...new Set(script.closed)].sort()).toEqual([1, 2]);
  });

  test("is made by nobody after the end of the run", async () => {
    const script = new Script();
    await script.session.close();
    expect(await script.run()).toBe("E_CONNECTION_LOST");
    expect(script.opened).toBe(0);
  });
});

test("a callback that disconnects and connects again, as a restart does, finds shells of its own on the new connection", async () => {
  let opened = 0;
  const closed: number[] = [];
  const session = localSession({
    connect: async () => {
      const number = ++opened;
      const connection = await localConnection();
      return { ...connection, close: async () => void (closed.push(number), await connection.close()) };
    },
  });
  const options = { surroundings: plain, signal };
  const pid = async (): Promise<string> => {
    const sent = await session.send([sh`read -r _ _ _ parent _ </proc/$$/stat; echo $parent`], options, [0]);
    const [ran] = await sent.results;
    return Buffer.from(ran!.stdout).toString();
  };
  const before = await pid();
  expect(await pid()).toBe(before);
  await session.disconnect();
  await session.connect(5);
  expect(await pid()).not.toBe(before);
  await session.close();
  expect([opened, closed]).toEqual([2, [1, 2]]);
});

test("a connection that is lost while a file travels beside commands is made again", async () => {
  let opened = 0;
  const session = localSession({
    connect: async () => {
      const isDead = ++opened === 1;
      const lost = async (): Promise<never> => {
        throw new ConnectionLostError("Lost it", { host: "here" });
      };
      const connection = await localConnection();
      return isDead ? { ...connection, run: lost, stage: lost, rsync: lost } : connection;
    },
  });
  const options = { surroundings: plain, signal };
  const copy = (): Promise<number> =>
    session.transfers
      .rsync("/nonexistent/", "/nonexistent/", ["--no-such-option"], options)
      .then(({ exitCode }) => exitCode);
  const download = (): Promise<void> => session.transfers.download("/nonexistent", "/dev/null", options);
  await session.connect();
  await expect(copy()).rejects.toThrow("Lost it");
  expect(await copy()).not.toBe(0);
  opened = 0;
  await session.disconnect();
  await expect(download()).rejects.toThrow("Lost it");
  await expect(download()).rejects.toThrow("Cannot download");
  expect(opened).toBe(2);
  await session.close();
});

for (const fast of [true, false])
  test(`what had ended when the connection was lost is kept, ${fast ? "fast" : "plain"}`, async () => {
    const directory = mkdtempSync(join(tmpdir(), "tsinfra-loss-"));
    const lost = until("the second command has begun", async () => existsSync(join(directory, "second")));
    let handle: OperationHandle | undefined;
    const { ends } = await listeningRun(
      directory,
      () => {
        // The next one is sent ahead meanwhile.
        shell({ commands: ["sleep 0.2"] });
        handle = both({ first: "echo hi", second: `: >${directory}/second; sleep 1000`, _ignoreErrors: true });
      },
      { fast, lost },
    );
    expect(ends.at(-1)).toMatchObject({ outcome: "ignored", commands: 1 });
    expect(handle!.stdoutLines).toEqual(["hi"]);
    rmSync(directory, { recursive: true });
  });
