/** How long an answer holds: the rules of what is known of a host, one by one. */
import { expect, test } from "bun:test";
import { sh } from "../../src/core/command.ts";
import { DEFAULT_CONFIG } from "../../src/core/config.ts";
import { fact, type NoArguments } from "../../src/core/fact.ts";
import { type ResolvedArguments, resolveArguments, overrideArguments } from "../../src/engine/host/arguments.ts";
import { Facts } from "../../src/engine/host/facts.ts";
import type { FramedShell } from "../../src/engine/host/framed-shell.ts";
import type { CommandOptions, Ran, Sent, Slot } from "../../src/engine/host/sending.ts";
import type { Session } from "../../src/engine/host/session.ts";

const Count = fact<NoArguments, number>({
  name: "test.Count",
  command: () => sh`count`,
  parse: ([line = ""]) => Number(line),
  empty: 0,
});
const how: ResolvedArguments = resolveArguments({ context: {}, host: {}, config: DEFAULT_CONFIG, inheritedEnv: {} });
const [one, other] = ["one", "other"].map(name => ({ name })) as unknown as readonly [FramedShell, FramedShell];
const ran = (slot: Slot | undefined): Ran => ({
  exitCode: 0,
  stdout: new Uint8Array(),
  stderr: new Uint8Array(),
  started: true,
  slot,
});

/** A host that counts how often it was asked. */
function counting({
  slot,
  ranIn = slot,
  exitCode = 0,
}: { readonly slot?: Slot | undefined; readonly ranIn?: Slot | undefined; readonly exitCode?: number } = {}) {
  const asked = { times: 0 };
  const session = {
    isConnected: true,
    async send(_: unknown, options: CommandOptions): Promise<Sent> {
      const answer = Buffer.from(`${++asked.times}\n`);
      await options.onOutput?.("stdout", answer, 0);
      return { slot, results: Promise.resolve([{ ...ran(ranIn), exitCode, stdout: answer }]) };
    },
  };
  let now = 0;
  const facts = new Facts({
    host: "a",
    session: session as unknown as Session,
    fast: false,
    remembers: true,
    emit: () => {},
    now: () => now,
    signal: new AbortController().signal,
  });
  const ask = (more = how, factMaxAge = 60): Promise<number> =>
    facts.ask(Count, {}, more, { factMaxAge, factTimeout: 0 });
  return { facts, ask, pass: (seconds: number) => void (now += seconds * 1000) };
}

test("an answer is given again while nothing has run", async () => {
  const { ask } = counting();
  expect([await ask(), await ask()]).toEqual([1, 1]);
});

test("what begins to run ends it at once", async () => {
  const { ask, facts } = counting();
  await ask();
  facts.beginChange();
  expect(await ask()).toBe(2);
});

const DURING: readonly (readonly [what: string, asked: Slot | undefined, ran: Slot | undefined, isKept: boolean])[] = [
  ["behind it in its shell", { shell: one, index: 6 }, { shell: one, index: 5 }, true],
  ["at its very place", { shell: one, index: 5 }, { shell: one, index: 5 }, false],
  ["before it in its shell", { shell: one, index: 4 }, { shell: one, index: 5 }, false],
  ["in another shell", { shell: other, index: 6 }, { shell: one, index: 5 }, false],
  ["in a channel of its own", undefined, { shell: one, index: 5 }, false],
  ["in a shell, while that ran in a channel of its own", { shell: one, index: 6 }, undefined, false],
];
for (const [what, slot, where, isKept] of DURING)
  test(`an answer that was asked while something ran, ${what}, is ${isKept ? "kept" : "asked again"}`, async () => {
    const { ask, facts } = counting({ slot });
    const ended = facts.beginChange();
    expect(await ask()).toBe(1);
    ended([ran(where)]);
    expect(await ask()).toBe(isKept ? 1 : 2);
  });

test("what was sent behind it and ran elsewhere, as its shell had ended, is asked again", async () => {
  const { ask, facts } = counting({ slot: { shell: one, index: 6 }, ranIn: { shell: other, index: 1 } });
  const ended = facts.beginChange();
  expect(await ask()).toBe(1);
  ended([ran({ shell: one, index: 5 })]);
  expect(await ask()).toBe(2);
});

test("a question that has not been sent yet is not concerned, when something begins and when it ends", async () => {
  const { ask, facts } = counting();
  const first = ask();
  const ended = facts.beginChange();
  const second = ask();
  ended();
  expect(await Promise.all([first, second, ask()])).toEqual([1, 1, 1]);
});

test("of several commands it must be behind all", async () => {
  const { ask, facts } = counting({ slot: { shell: one, index: 6 } });
  const ended = facts.beginChange();
  await ask();
  ended([ran({ shell: one, index: 5 }), ran({ shell: one, index: 7 })]);
  expect(await ask()).toBe(2);
});

test("where nobody knows what has run, nothing is known", async () => {
  const { ask, facts } = counting({ slot: { shell: one, index: 6 } });
  const ended = facts.beginChange();
  await ask();
  ended();
  expect(await ask()).toBe(2);
});

test("it holds as long as `factMaxAge` says", async () => {
  const { ask, pass } = counting();
  await ask();
  pass(5);
  expect([await ask(how, 5), await ask(how, 4)]).toEqual([1, 2]);
});

test("as somebody else, somewhere else, with another input or on a terminal it is another question", async () => {
  const { ask } = counting();
  const hows = [{}, { _sudo: true }, { _sudo: true, _sudoUser: "x" }, { _chdir: "/" }, { _env: { A: "b" } }];
  const alone = [{ _stdin: "x" }, { _stdin: "y" }, { _getPty: true }, { _successExitCodes: [0, 1] }];
  const answers: number[] = [];
  for (const given of [...hows, ...alone]) answers.push(await ask(overrideArguments(how, given)));
  expect(answers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("a command that failed is nothing to remember", async () => {
  const lenient = overrideArguments(how, { _successExitCodes: [0, 1] });
  for (const [exitCode, isRemembered] of [
    [0, true],
    [1, false],
  ] as const) {
    const { ask, facts } = counting({ exitCode });
    await ask(lenient);
    expect((await facts.recall(Count, {}, lenient, () => {})) !== undefined).toBe(isRemembered);
  }
});

test("what is remembered is tested where it was asked, and for its exit code too", async () => {
  const { ask, facts } = counting();
  const there = overrideArguments(how, { _chdir: "/srv", _env: { A: "b" } });
  await ask(there);
  let guard = "";
  await facts.recall(Count, {}, there, question => (guard = question.still().wire()));
  expect(guard).toContain("cd -- /srv");
  expect(guard).toContain("export A=b");
  expect(guard).toContain("echo $?");
});
