/** What a run says of its strategy and of its time. */
import { expect, test } from "bun:test";
import type { GlobalArguments } from "../../src/core/arguments.ts";
import type { RunSettings } from "../../src/engine/settings.ts";
import { operation, raw, sh } from "../../src/public/index.ts";
import { type FakeRun, fakeRun, runAll } from "../support/fake-run.ts";

const shell = operation<{ line: string }>({
  name: "test.shell",
  async *steps(_, { line }) {
    yield sh`${raw(line)}`;
  },
});
const named = (name: string, args: GlobalArguments = {}): unknown => shell({ name, line: name, ...args });
const limited = (): void =>
  void [
    named("Restart", { _serial: true }),
    named("Reload", { _parallel: 2 }),
    named("Once", { _runOnce: true, _serial: true }),
    named("Other"),
  ];

async function told(settings: Partial<Omit<RunSettings, "config">>, hosts = ["a", "b"]): Promise<FakeRun> {
  const fake = fakeRun(hosts, {}, settings);
  await runAll(fake, limited);
  return fake;
}
const modes = (fake: FakeRun): Record<string, string> =>
  Object.fromEntries(fake.of("operation:start").map(({ operation: name, mode }) => [name, mode]));

test("hosts that wait for nobody are not said to go one after the other, and a warning names what does not count", async () => {
  const fake = await told({ noWait: true });
  expect(modes(fake)).toEqual({ Restart: "parallel", Reload: "parallel", Once: "run once", Other: "parallel" });
  expect(fake.of("log").map(({ level, message }) => [level, message])).toEqual([
    [
      "warn",
      '_serial and _parallel do not count with --no-wait: hosts do not wait for each other ("Restart", "Reload")',
    ],
  ]);
});

test("where hosts wait, or there is one alone, there is nothing to warn of", async () => {
  for (const settings of [{}, { serial: true }]) {
    const fake = await told(settings);
    expect([modes(fake)["Restart"], fake.of("log")]).toEqual(["serial", []]);
  }
  expect((await told({ noWait: true }, ["a"])).of("log")).toEqual([]);
});

test("the results have the time of all stages, connecting and evaluating included", async () => {
  let elapsed = 0;
  const fake = fakeRun(
    ["a"],
    {},
    {
      clock: { now: () => 0, monotonic: () => elapsed, sleep: async () => {} },
      connectors: new Map([
        [
          "fake",
          {
            name: "fake",
            summary: "Connects within two seconds.",
            can: { pty: false, rsync: false },
            dataKeys: {},
            connect: async () => {
              elapsed += 2000;
              return {
                run: async () => {
                  elapsed += 500;
                  return { exitCode: 0, stdout: new Uint8Array(), stderr: new Uint8Array() };
                },
                close: async () => {},
              };
            },
          },
        ],
      ]),
    },
  );
  await runAll(fake, () => {
    elapsed += 1000;
    named("One");
  });
  expect(fake.of("results")[0]!.seconds).toBe(3.5);
  expect(fake.of("stage:end").map(({ stage, seconds }) => [stage, seconds])).toEqual([
    ["connect", 2],
    ["prepare", 1],
    ["execute", 0.5],
    ["disconnect", 0],
  ]);
});
