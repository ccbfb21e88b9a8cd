/** A shell that takes one command after the other, on a way that passes nothing on. */
import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { sh } from "../../src/core/command.ts";
import type { Connection, RunOptions, RunResult } from "../../src/core/connector.ts";
import { FramedShell, ShellEnded } from "../../src/engine/host/framed-shell.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A shell that says that it has begun, and what else is written on its two outputs. */
function silent({ hasBegun = true, waits = false } = {}): {
  readonly shell: FramedShell;
  readonly say: NonNullable<RunOptions["onOutput"]>;
  readonly nonce: string;
  readonly end: (exitCode: number) => void;
} {
  const { promise, resolve } = Promise.withResolvers<RunResult>();
  let say: NonNullable<RunOptions["onOutput"]> | undefined;
  let nonce = "";
  const connection = {
    run: (_, { onOutput } = {}) => {
      say = onOutput;
      return promise;
    },
  } as Pick<Connection, "run"> as Connection;
  const none = new Uint8Array();
  const shell = new FramedShell("web", connection, "sh", name => {
    nonce = name;
    return { line: sh`exec sh`, passwords: none, preamble: none, waits };
  });
  if (hasBegun) {
    void say!("stderr", Buffer.from(`${nonce} 42\n`));
    void say!("stdout", Buffer.from(`Welcome\n${nonce}o 42\n`));
  }
  return { shell, say: say!, nonce, end: exitCode => resolve({ exitCode, stdout: none, stderr: none }) };
}

const told = (running: Promise<unknown>): Promise<string> =>
  running.then(
    () => "ran",
    (error: Error) => error.message,
  );

test("a command that does not begin is given up after a minute, its state unknown", async () => {
  const { shell } = silent();
  const running = told(shell.run(sh`true`, {}));
  jest.advanceTimersByTime(59_000);
  expect(shell.isOpen).toBe(true);
  jest.advanceTimersByTime(2_000);
  expect(await running).toBe(
    "The login shell on web drops, or holds back, what goes through it: the state of the command is unknown",
  );
});

test("one that has begun may take as long as it likes, and so may the test before one", async () => {
  const { shell, say, nonce } = silent();
  const long = told(shell.run(sh`sleep 600`, {}));
  const [tested] = shell.runGroup([sh`true`], [{}], { successExitCodes: [0], only: sh`sleep 600` });
  tested!.catch(() => undefined);
  void say("stderr", Buffer.from(`\x01${nonce} 1 begin\n`));
  jest.advanceTimersByTime(600_000);
  void say("stdout", Buffer.from(`\x01${nonce} 1 0\n`));
  void say("stderr", Buffer.from(`\x01${nonce} 1 end\n`));
  expect(await long).toBe("ran");
  jest.advanceTimersByTime(600_000);
  expect(shell.isOpen).toBe(true);
  shell.abandon(new Error("enough"));
});

test("where commands have run before, it is the connection that stalled", async () => {
  const { shell, say, nonce } = silent();
  const first = told(shell.run(sh`true`, {}));
  void say("stderr", Buffer.from(`\x01${nonce} 1 begin\n\x01${nonce} 1 end\n`));
  void say("stdout", Buffer.from(`\x01${nonce} 1 0\n`));
  expect(await first).toBe("ran");
  const second = told(shell.run(sh`true`, {}));
  jest.advanceTimersByTime(61_000);
  expect(await second).toBe("The connection to web stalled or was cut: the state of the command is unknown");
});

test("a shell that does not begin is given up as well, but for one that a person may have to let in", async () => {
  const { shell } = silent({ hasBegun: false });
  const running = told(shell.run(sh`true`, {}));
  const asking = silent({ hasBegun: false, waits: true });
  void told(asking.shell.run(sh`true`, {}));
  jest.advanceTimersByTime(61_000);
  expect(await running).toMatch(/^The login shell on web drops, or holds back, what goes through it: /);
  expect(asking.shell.isOpen).toBe(true);
});

/** Three commands in a row: `out` and `err` are what arrived of their marks when the session ended with code 0. */
const CUT: readonly (readonly [out: readonly string[], err: readonly string[], told: readonly string[]])[] = [
  [[], ["1 begin"], ["unknown", "not run", "not run"]],
  [["1 0"], ["1 begin", "1 end"], ["0", "not run", "not run"]],
  [["1 0"], ["1 begin", "1 end", "2 begin"], ["0", "unknown", "not run"]],
  // What comes on stderr was lost: the exit code is its own, and the next one may have begun.
  [["1 3"], ["1 begin"], ["3", "unknown", "not run"]],
  [
    ["1 0", "2 0"],
    ["1 begin", "1 end", "2 begin"],
    ["0", "0", "unknown"],
  ],
  [["1 0", "2 0", "3 4"], ["1 begin"], ["0", "0", "4"]],
  // And the other way round.
  [[], ["1 begin", "1 end", "2 begin"], ["unknown", "unknown", "not run"]],
];
test.each(CUT)(
  "of commands whose session ends when %j and %j have come it is told how they ended",
  async (out, err, expected) => {
    const { shell, say, nonce, end } = silent();
    const running = [1, 2, 3].map(() => shell.run(sh`true`, {}));
    const marks = (lines: readonly string[]) => Buffer.from(lines.map(line => `\x01${nonce} ${line}\n`).join(""));
    void say("stdout", marks(out));
    void say("stderr", marks(err));
    end(0);
    const ends = running.map(one =>
      one.then(
        ({ exitCode, trouble }) => (trouble ? "unknown" : `${exitCode}`),
        (error: unknown) => (error instanceof ShellEnded ? "not run" : String(error)),
      ),
    );
    expect(await Promise.all(ends)).toEqual([...expected]);
  },
);
