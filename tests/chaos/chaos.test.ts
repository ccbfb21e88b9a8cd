/** A few quick seeds of `npm run test:chaos`, and what its seeds have found. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { executable } from "../support/executable.ts";
import { CLEAN, type Fault } from "./fault-proxy.ts";
import { type ChaosHost, type Fleet, raiseFleet } from "./fleet.ts";
import { KINDS } from "./kinds.ts";
import type { Step } from "./program.ts";
import { chaosRun } from "./run.ts";

setDefaultTimeout(300_000);

let fleet: Fleet;
beforeAll(async () => {
  fleet = await raiseFleet(2);
  await executable();
});
afterAll(() => fleet[Symbol.asyncDispose]());

for (const [name, seed] of [
  ["faults", 1],
  ["faults", 2],
  ["signals", 1],
  // SIGINT twice.
  ["leaving", 3],
  ["leaving", 8],
] as const)
  test(`${name}, seed ${seed}: what is told is what the hosts have written down`, async () => {
    const { problems, summary } = await KINDS[name]!.run(fleet, seed, { isQuick: true });
    expect({ summary, problems }).toEqual({ summary, problems: [] });
  });

const step = (id: string, more: Partial<Step> = {}): Step => ({
  kind: "shell",
  id,
  commands: 1,
  failures: 0,
  pauses: [0, 0],
  size: 10,
  how: {},
  nested: [],
  ...more,
});

/** A host whose answers are lost from the moment when its journal has a line; soon after, its connection is. */
function deafAfter(line: string) {
  let journal: string | undefined;
  const when = (): boolean =>
    journal !== undefined && existsSync(journal) && readFileSync(journal, "utf8").includes(line);
  const fault: Fault = { kind: "half-open", after: 0, when, endsIn: 500 };
  const host: ChaosHost = { name: "h0", server: 0, transport: "embedded", way: { refusedFor: 0, faults: [fault] } };
  return { host, staged: (stage: { of(host: ChaosHost): string }) => void (journal = join(stage.of(host), "journal")) };
}

describe("operations that were sent ahead of their turn, when the connection is lost", () => {
  for (const [situation, how, outcomes] of [
    ["the one before them fails", {}, ["failed", "failed", "failed"]],
    ["that is ignored", { _ignoreErrors: true }, ["ignored", "changed", "changed"]],
    ["they are tried again", { _retries: 1, _retryDelay: 0.1 }, ["changed", "changed", "changed"]],
  ] as const)
    test(`are never told to have not run: ${situation}`, async () => {
      const { host, staged } = deafAfter("o1.0");
      const steps = [
        step("o0", { kind: "append" }),
        ...["o1", "o2", "o3"].map(id => step(id, { how, pauses: [0.3, 0] })),
      ];
      const { problems, told } = await chaosRun(fleet, [host], { steps, options: [] }, { staged });
      expect(problems).toEqual([]);
      const ends = told.performances.get("h0")?.map(({ operation, end }) => [operation, end?.outcome]);
      expect(ends).toEqual([["o0", "changed"], ...outcomes.map((outcome, index) => [`o${index + 1}`, outcome])]);
    });
});

test("the copy of a script is removed over a new connection, when the first is lost behind the script", async () => {
  const { host, staged } = deafAfter("o0.0");
  const steps = [step("o0", { kind: "script", how: { _ignoreErrors: true } }), step("o1")];
  const { problems, told } = await chaosRun(fleet, [host], { steps, options: [] }, { staged });
  expect(problems).toEqual([]);
  expect(told.performances.get("h0")?.at(-1)?.end?.outcome).toBe("changed");
});

test("the copy of a script is removed when the run is interrupted", async () => {
  const host: ChaosHost = { name: "h0", server: 0, transport: "embedded", way: CLEAN };
  const steps = [step("o0", { kind: "script", pauses: [20, 0] })];
  const { problems, exitCode } = await chaosRun(
    fleet,
    [host],
    { steps, options: [] },
    {
      // Told when the script is sent.
      interruption: { signals: ["SIGINT"], afterEvents: 1, delay: 0, once: /"command":"[^"]* o0\.0 / },
    },
  );
  expect({ problems, exitCode }).toEqual({ problems: [], exitCode: 130 });
});
