import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { fact, operation, sh } from "../../src/public/index.ts";
import { currentScope } from "../../src/core/scope.ts";
import { type Declared, mergeOrder } from "../../src/engine/stages/order.ts";
import { deployOf, fakeRun } from "../support/fake-run.ts";

const sequence = (...ids: string[]): Declared[] => ids.map(id => ({ id, position: [id.charCodeAt(0)] }));
const merged = (...sequences: Declared[][]): string[] =>
  mergeOrder(sequences).map(({ id, hosts }) => `${id}:${hosts.join("")}`);

describe("the common order", () => {
  test("keeps one host's order", () => {
    expect(merged(sequence("c", "a", "b"))).toEqual(["c:0", "a:0", "b:0"]);
  });
  test("places what all hosts share once, where all of them come to it", () => {
    expect(merged(sequence("a", "x", "c"), sequence("a", "y", "c"), sequence("c"))).toEqual([
      "a:01",
      "x:0",
      "y:1",
      "c:012",
    ]);
  });
  test("splits an operation where two hosts contradict each other", () => {
    expect(merged(sequence("a", "b"), sequence("b", "a"))).toEqual(["a:0", "b:01", "a:1"]);
  });
  test("orders what no host's order decides by its place in the file", () => {
    expect(merged(sequence("z"), sequence("b"), sequence("m"))).toEqual(["b:1", "m:2", "z:0"]);
  });
  test("is empty without hosts, and without operations", () => {
    expect(mergeOrder([])).toEqual([]);
    expect(mergeOrder([[], []])).toEqual([]);
  });

  test("keeps every host's own order, whatever the hosts declare", () => {
    const ids = fc.uniqueArray(fc.constantFrom(..."abcdefghij"), { maxLength: 10 });
    fc.assert(
      fc.property(fc.array(ids, { maxLength: 8 }), hosts => {
        const sequences = hosts.map(host => sequence(...host));
        const order = mergeOrder(sequences);
        hosts.forEach((host, index) => {
          expect(order.filter(placed => placed.hosts.includes(index)).map(placed => placed.id)).toEqual(host);
        });
        expect(order.reduce((sum, placed) => sum + placed.hosts.length, 0)).toBe(
          hosts.reduce((sum, host) => sum + host.length, 0),
        );
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a whole run", () => {
  const Kind = fact<{ question: number }, string>({
    name: "test.Kind",
    command: ({ question }) => sh`ask ${question}`,
    parse: ([line = ""]) => line,
    empty: "",
  });
  // Two files that look alike must stay apart: operations on equal lines of different files are different.
  const change = operation<{ what: string }>({
    name: "test.change",
    async *steps(_, { what }) {
      yield sh`change ${what}`;
    },
  });

  /** A random deploy: which operations a host declares, in which order, with facts asked between them. */
  type Program = readonly { readonly op: number; readonly ask: boolean }[];
  const program = fc.array(fc.record({ op: fc.nat(5), ask: fc.boolean() }), { maxLength: 8 });

  const declareAt: readonly ((what: string) => void)[] = [
    what => {
      change({ what });
    },
    what => {
      change({ what });
    },
    what => {
      change({ what });
    },
    what => {
      change({ what });
    },
    what => {
      change({ what });
    },
    what => {
      change({ what });
    },
  ];

  async function orderOf(
    programs: readonly Program[],
    delays: readonly number[],
  ): Promise<{ proposed: string[]; byHost: Map<string, string[]> }> {
    const names = programs.map((_, index) => `host-${index}`);
    let asked = 0;
    const fake = fakeRun(names, {
      answer: async () => {
        for (let turn = delays[asked++ % delays.length] ?? 0; turn > 0; turn--)
          await new Promise(resolve => setImmediate(resolve));
        return { stdout: "yes\n" };
      },
    });
    const deploy = (file: string) =>
      deployOf(async () => {
        const { host } = currentScope("This test");
        for (const [index, { op, ask }] of (programs[names.indexOf(host.name)] ?? []).entries()) {
          if (ask) await host.getFact(Kind, { question: index });
          declareAt[op]!(`${file} ${op}`);
        }
      }, file);
    await fake.run.connect();
    await fake.run.prepare([deploy("a.ts"), deploy("b.ts")]);
    const proposed = fake.run.propose();
    const byHost = new Map(
      names.map(name => [name, proposed.filter(row => row.change.includes(name)).map(row => row.operation)]),
    );
    for (const row of proposed) expect(row.operation).not.toContain(", ");
    return { proposed: proposed.map(row => `${row.operation} ${row.change}`), byHost };
  }

  test("has the same order whatever the delays, and never mixes two files", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(program, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(4), { minLength: 1, maxLength: 7 }),
        async (programs, delays) => {
          const slow = await orderOf(programs, delays);
          const fast = await orderOf(programs, [0]);
          expect(slow.proposed).toEqual(fast.proposed);
          programs.forEach((calls, index) => {
            const expected = ["a.ts", "b.ts"].flatMap(file =>
              calls.map(({ op }) => `test.change (what=${file} ${op})`),
            );
            expect(slow.byHost.get(`host-${index}`)).toEqual(expected);
          });
        },
      ),
      { numRuns: 1000 },
    );
  }, 120_000);
});
