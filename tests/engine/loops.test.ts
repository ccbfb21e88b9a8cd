/** Loops: which rounds of several hosts are the same operation. */
import { expect, test } from "bun:test";
import { raw, sh } from "../../src/core/command.ts";
import { operation } from "../../src/core/operation.ts";
import { currentScope } from "../../src/core/scope.ts";
import { fakeRun, runAll } from "../support/fake-run.ts";

const shell = operation<{ readonly command: string }>({
  name: "test.shell",
  async *steps(_, { command }) {
    yield sh`${raw(command)}`;
  },
});
const scope = () => currentScope("This test");

async function run(body: () => unknown) {
  const fakes = fakeRun(["w1", "w2"]);
  expect(await runAll(fakes, body)).toBeUndefined();
  const warnings = fakes.of("log").map(({ message }) => message);
  return { sent: fakes.sent, warnings, planned: fakes.of("operation:start").map(({ operation: name }) => name) };
}

/** The loops of a deploy where one host leaves the first round out. */
const nested = (loop: (items: number[]) => Iterable<number>) => () => {
  for (const item of loop([1, 2])) {
    shell({ name: `Order ${item}`, command: `order ${item}`, _runOnce: true });
    if (scope().host.name === "w2" || item === 2)
      for (const inner of loop([1, 2]))
        shell({ name: `Nested ${item}/${inner}`, command: `nested ${item}/${inner}`, _runOnce: true });
  }
};

test("the rounds of host.loop are told apart: each runs once, on the first host that has it", async () => {
  const { sent, warnings, planned } = await run(nested(items => scope().host.loop(items)));
  expect(sent).toEqual([
    "w1: order 1",
    "w2: nested 1/1",
    "w2: nested 1/2",
    "w1: order 2",
    "w1: nested 2/1",
    "w1: nested 2/2",
  ]);
  expect(planned).toEqual(["Order 1", "Nested 1/1", "Nested 1/2", "Order 2", "Nested 2/1", "Nested 2/2"]);
  expect(warnings).toEqual([]);
});

test("in an ordinary loop it is said where hosts ask for different things and one gets its own", async () => {
  const { warnings } = await run(nested(items => items));
  expect(warnings).toEqual([
    '"Nested 2/1, Nested 1/1" runs on one host alone (_runOnce), but the hosts name it differently or give it different arguments: it runs as that host has it',
    '"Nested 2/2, Nested 1/2" runs on one host alone (_runOnce), but the hosts name it differently or give it different arguments: it runs as that host has it',
  ]);
});

test("a loop that is left early, thrown out of or walked twice leaves nothing behind", async () => {
  const { sent } = await run(() => {
    const rounds = scope().host.loop(["a", "b", "c"]);
    for (const item of rounds) {
      shell({ command: `first ${item}` });
      if (item === "b") break;
    }
    try {
      for (const _ of rounds) throw new Error("Enough");
    } catch {
      // It was to be thrown.
    }
    for (const item of rounds)
      scope().host.when(
        () => true,
        () => shell({ command: `second ${item}` }),
      );
    shell({ command: "after" });
  });
  expect(sent.filter(line => line.startsWith("w1")).map(line => line.slice(4))).toEqual([
    "first a",
    "first b",
    "second a",
    "second b",
    "second c",
    "after",
  ]);
});
