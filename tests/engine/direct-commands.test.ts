/** Commands of `host.run`, which belong to no operation: they are told all the same. */
import { expect, test } from "bun:test";
import { proposedLines, resultLines } from "../../src/cli/views/reports.ts";
import { noPaint } from "../../src/cli/views/paint.ts";
import { sh } from "../../src/core/command.ts";
import { operation } from "../../src/core/operation.ts";
import { currentScope } from "../../src/core/scope.ts";
import { call } from "../../src/operations/ts.ts";
import { deployOf, fakeRun, runAll } from "../support/fake-run.ts";

const same = operation({ name: "test.same", async *steps() {} });
const scope = () => currentScope("This test");
const options = { paint: noPaint, width: () => 100 };

test("while preparing they are counted: nobody says that nothing changed", async () => {
  const fake = fakeRun(["a", "b"]);
  await fake.run.connect();
  await fake.run.prepare([
    deployOf(async () => {
      if (scope().host.name === "a") await scope().host.run(sh`touch made`);
      same();
    }),
  ]);
  fake.run.propose();
  await fake.run.execute();
  const [{ proposed, direct } = { proposed: [], direct: undefined }] = fake.of("changes");
  expect(proposedLines(proposed, options, direct)).toEqual([
    "Proposed changes",
    "  Nothing more would change: 1 operation found everything as it should be",
    "",
    "  Commands of host.run have run already: 1 (a)",
  ]);
  const [results] = fake.of("results");
  expect(results?.hosts.map(({ direct: count }) => count)).toEqual([1, undefined]);
  expect(resultLines(results!, options).at(-1)).toMatch(
    /^Done: no operation changed anything, 1 command of host\.run on 2 hosts, /,
  );
  expect(fake.of("command:end")).toMatchObject([{ host: "a", command: "touch made", for: "direct" }]);
});

test("in a callback they are a part of its operation", async () => {
  const fake = fakeRun(["a"]);
  await runAll(fake, () => void call({ function: async () => void (await scope().host.run(sh`touch made`)) }));
  expect(fake.of("results")[0]?.hosts).toMatchObject([{ changed: 1 }]);
  expect(fake.of("results")[0]?.hosts[0]).not.toHaveProperty("direct");
});

test("one that is interrupted is named, with its state unknown", async () => {
  const stop = new AbortController();
  const fake = fakeRun(["a"], { answer: () => new Promise<never>(() => {}) }, { signal: stop.signal });
  await fake.run.connect();
  const preparing = fake.run.prepare([deployOf(() => scope().host.run(sh`touch made`))]);
  setTimeout(() => stop.abort(new Error("Interrupted")), 5);
  await preparing.catch(() => undefined);
  expect(fake.of("log")).toMatchObject([{ host: "a", message: "host.run was interrupted, state unknown: touch made" }]);
  expect(fake.of("command:end")).toHaveLength(1);
  expect(fake.of("stage:end").map(({ stage }) => stage)).toEqual(["connect", "prepare"]);
});

test("text is no command, and is refused in words", async () => {
  const fake = fakeRun(["a"]);
  const text = "echo hi" as unknown as ReturnType<typeof sh>;
  const error = await runAll(fake, () => scope().host.run(text, { _sudo: true }));
  expect(error).toMatchObject({
    message: "host.run takes a command, found text",
    hint: "Make a command of it: host.run(sh`…`)",
  });
  expect(fake.sent).toEqual([]);
});
