import { describe, expect, test } from "bun:test";
import type { GlobalArguments } from "../../src/core/arguments.ts";
import { DEFAULT_CONFIG } from "../../src/core/config.ts";
import { goesAlone } from "../../src/engine/engine.ts";
import { currentScope } from "../../src/core/scope.ts";
import { fact, operation, raw, sh } from "../../src/public/index.ts";
import { fakeRun, type FakeRun, runAll } from "../support/fake-run.ts";

const shell = operation<{ line: string }>({
  name: "test.shell",
  async *steps(_, { line }) {
    yield sh`${raw(line)}`;
  },
});
const Answer = fact({ name: "test.Answer", command: () => sh`answer`, parse: lines => lines[0] ?? "", empty: "" });
const named = (name: string, args: GlobalArguments = {}): unknown => shell({ name, line: name, ...args });
const outcomes = (fake: FakeRun): string[] =>
  fake.of("operation:host:end").map(event => `${event.operation}@${event.host} ${event.outcome}`);

/** Hosts of this controller are named as they are, those of others with a question mark, those that the run was not limited to with a dash. */
const shard = (...names: string[]) =>
  names.map(name => ({
    name: name.replace(/[?-]$/, ""),
    groups: ["web"],
    data: [{ port: 80 }],
    isElsewhere: name.endsWith("?"),
    isOutside: name.endsWith("-"),
  }));

describe("hosts of other controllers", () => {
  test("are in the inventory with their groups and data, and no operation runs there", async () => {
    const fake = fakeRun(shard("a?", "b", "c?"));
    const seen: unknown[] = [];
    await runAll(fake, () => {
      const { inventory } = currentScope("This test");
      seen.push(
        inventory.hosts.map(host => host.name),
        inventory.getGroup("web").length,
        inventory.getHost("c").data["port"],
        inventory.length,
      );
      named("One");
    });
    expect(seen).toEqual([["a", "b", "c"], 3, 80, 3]);
    expect(fake.sent).toEqual(["b: One"]);
    expect(fake.of("results")[0]!.hosts.map(host => host.host)).toEqual(["b"]);
    expect(fake.of("stage:start").find(event => event.stage === "connect")!.hosts).toBe(1);
  });

  test("answer facts: they are connected when first asked, and disconnected with the others", async () => {
    const fake = fakeRun(shard("a?", "b"), { answer: host => ({ stdout: `I am ${host}\n` }) });
    let answer = "";
    await runAll(fake, async () => {
      answer = await currentScope("This test").inventory.getHost("a").getFact(Answer);
    });
    await fake.run.disconnect();
    expect(answer).toBe("I am a");
    expect(fake.of("host:disconnected").map(event => event.host)).toEqual(["a", "b"]);
  });

  test("that cannot be reached fail the host that asks", async () => {
    const fake = fakeRun(shard("a?", "b"), { unreachable: ["a"] });
    await runAll(fake, async () => void (await currentScope("This test").inventory.getHost("a").getFact(Answer)));
    expect(fake.run.failedHosts).toEqual(["b"]);
    expect(fake.of("host:failed")[0]).toMatchObject({ host: "b", stage: "prepare" });
  });
});

describe("hosts that a run is not limited to", () => {
  test("are in the inventory with their groups, data and facts, and no operation runs there", async () => {
    const fake = fakeRun(shard("a-", "b", "c-"), { answer: host => ({ stdout: `I am ${host}\n` }) });
    const seen: unknown[] = [];
    await runAll(fake, async () => {
      const { inventory } = currentScope("This test");
      seen.push(
        inventory.getGroup("web").map(host => host.name),
        inventory.getHost("c").data["port"],
        await inventory.getHost("a").getFact(Answer),
      );
      named("One");
    });
    expect(seen).toEqual([["a", "b", "c"], 80, "I am a"]);
    expect(fake.sent).toEqual(["a: answer", "b: One"]);
    expect(fake.of("results")[0]!.hosts.map(host => host.host)).toEqual(["b"]);
    expect(fake.of("stage:start").find(event => event.stage === "connect")!.hosts).toBe(1);
  });

  test("leave what is to run once to the first that takes part", async () => {
    const fake = fakeRun(shard("a-", "b", "c"));
    await runAll(fake, () => void named("Once", { _runOnce: true }));
    expect(fake.sent).toEqual(["b: Once"]);
  });

  test("belong to no shard: what is to run once goes by the first host of those that are split", async () => {
    const first = fakeRun(shard("a-", "b", "c?"));
    await runAll(first, () => void named("Once", { _runOnce: true }));
    const second = fakeRun(shard("a-", "b?", "c"));
    await runAll(second, () => void named("Once", { _runOnce: true }));
    expect([first.sent, second.sent]).toEqual([["b: Once"], []]);
  });

  test("make no shard of it: no key, no warning", async () => {
    const fake = fakeRun(shard("a-", "b"));
    await runAll(fake, () => void named("Restart", { _serial: true }));
    expect(fake.of("results")[0]!.operations[0]!.key).toBeUndefined();
    expect(fake.of("log")).toEqual([]);
  });

  test("do not keep a single host from going alone", () => {
    const alone = (...names: string[]): boolean =>
      goesAlone({
        config: DEFAULT_CONFIG,
        fast: true,
        noWait: false,
        serial: false,
        hosts: shard(...names).map(host => ({ ...host, connector: "fake", address: host.name })),
      });
    expect([alone("a-", "b", "c-"), alone("a", "b", "c-")]).toEqual([true, false]);
  });
});

describe("what is to run once", () => {
  const deploy = (): void => void [named("Before"), named("Once", { _runOnce: true }), named("After")];

  test("runs in the shard that has the inventory's first host, on the first host there that has it", async () => {
    const fake = fakeRun(shard("a", "b?", "c"));
    await runAll(fake, deploy);
    expect(fake.sent).toEqual(["a: Before", "c: Before", "a: Once", "a: After", "c: After"]);
  });

  test.each([[{}], [{ noWait: true }], [{ serial: true }]])(
    "is skipped in all other shards, with %p too",
    async settings => {
      const fake = fakeRun(shard("a?", "b", "c"), {}, settings);
      await runAll(fake, deploy);
      expect(
        outcomes(fake)
          .filter(line => line.startsWith("Once"))
          .sort(),
      ).toEqual(["Once@b skipped", "Once@c skipped"]);
      expect(fake.sent).toHaveLength(4);
      expect(fake.of("results")[0]).toMatchObject({
        ok: true,
        operations: [
          { operation: "Before", changed: 2 },
          { operation: "Once", skipped: 2, notReached: 0 },
          { operation: "After", changed: 2 },
        ],
      });
    },
  );
});

describe("operations of shards", () => {
  test("have a key that does not depend on the shard or the directory, in proposals and results", async () => {
    const keys = async (hosts: string[], cwd: string): Promise<unknown> => {
      const fake = fakeRun(
        shard(...hosts),
        {},
        { cwd, callSites: () => [{ file: `${cwd}/deploy.ts`, line: 1, column: 1 }] },
      );
      await runAll(fake, () => void [named("One"), named("Two")]);
      fake.run.propose();
      expect(fake.of("changes")[0]!.proposed.map(row => row.key)).toEqual(
        fake.of("results")[0]!.operations.map(row => row.key),
      );
      return fake.of("results")[0]!.operations.map(row => row.key);
    };
    const known = await keys(["a", "b?"], "/home/ada");
    expect(new Set(known as string[]).size).toBe(2);
    expect(await keys(["a?", "b"], "/somewhere")).toEqual(known as string[]);
    expect(await keys(["a", "b"], "/home/ada")).toEqual([undefined, undefined]);
  });

  test("that are limited in how many hosts do them at once warn that other shards do not count", async () => {
    const deploy = (): void =>
      void [
        named("Restart", { _serial: true }),
        named("Reload", { _parallel: 2 }),
        named("Once", { _runOnce: true, _serial: true }),
      ];
    const warnings = async (...hosts: string[]): Promise<string[]> => {
      const fake = fakeRun(shard(...hosts));
      await runAll(fake, deploy);
      return fake
        .of("log")
        .filter(event => event.level === "warn")
        .map(event => event.message);
    };
    expect(await warnings("a", "b?")).toEqual([
      '_serial and _parallel hold within this shard: other shards do the same at the same time ("Restart", "Reload")',
    ]);
    expect(await warnings("a", "b")).toEqual([]);
  });
});
