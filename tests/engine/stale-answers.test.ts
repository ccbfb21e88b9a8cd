/** What was known of a host is not taken for so when something may have changed it from elsewhere. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLocalConnector } from "../../src/connectors/local.ts";
import { sh } from "../../src/core/command.ts";
import { OperationError } from "../../src/core/errors.ts";
import { fact, type NoArguments } from "../../src/core/fact.ts";
import type { HostControl } from "../../src/core/host.ts";
import { currentScope } from "../../src/core/scope.ts";
import { localTransfers } from "../../src/deploy/local-transfers.ts";
import { operation } from "../../src/public/index.ts";
import { deployOf, fakeRun, runAll } from "../support/fake-run.ts";

const Shared = fact<NoArguments, number>({
  name: "test.Shared",
  command: () => sh`count`,
  parse: ([line = ""]) => Number(line),
  empty: 0,
});
/** Makes one of what all hosts share, unless there is one. */
const make = operation<object>({
  name: "test.make",
  async *steps(host) {
    if ((await host.getFact(Shared)) > 0) host.noop("there is one");
    else yield sh`make`;
  },
});
const call = operation<{ readonly run: (control: HostControl) => unknown }>({
  name: "test.call",
  async *steps(_, { run: body }) {
    yield { kind: "function", name: "run", run: body };
  },
});
const scope = () => currentScope("This test");

/** Hosts that share something. */
function sharing(hosts: readonly string[], settings: Parameters<typeof fakeRun>[2] = {}) {
  const shared = { made: 0 };
  const fake = fakeRun(
    hosts,
    {
      answer: (_, sent) => {
        if (sent === "make") shared.made++;
        if (sent === "fails") return { exitCode: 6 };
        return sent.includes("count") ? { stdout: `${shared.made}\n` } : undefined;
      },
    },
    settings,
  );
  const told = (): readonly string[] => fake.of("operation:host:end").map(({ host, outcome }) => `${host} ${outcome}`);
  return { fake, shared, told };
}

describe("where hosts wait for each other, one sees what the others have done", () => {
  for (const [what, settings, args] of [
    ["with _serial", {}, { _serial: true }],
    ["with _parallel", {}, { _parallel: 1 }],
    ["with parallel: 1", { config: { parallel: 1 } }, {}],
    ["with --serial", { serial: true }, {}],
  ] as const)
    test(what, async () => {
      const { fake, shared, told } = sharing(["a", "b", "c"], settings);
      expect(await runAll(fake, () => make(args))).toBeUndefined();
      expect(shared.made).toBe(1);
      expect(told()).toEqual(["a changed", "b unchanged", "c unchanged"]);
    });

  test("and so does who takes no part in an operation", async () => {
    const { fake, shared, told } = sharing(["a", "b"]);
    await runAll(fake, () => {
      if (scope().host.name === "a") make({ name: "First" });
      else make({ name: "Second" });
    });
    expect(shared.made).toBe(1);
    expect(told()).toEqual(["a changed", "b unchanged"]);
  });

  test("and who had nothing to do in it", async () => {
    const { fake, shared, told } = sharing(["a", "b"]);
    await runAll(fake, () => {
      const isFirst = scope().host.name === "a";
      make({ name: "First", _if: () => isFirst });
      make({ name: "All" });
    });
    expect(shared.made).toBe(1);
    expect(told().toSorted()).toEqual(["a changed", "a unchanged", "b unchanged", "b unchanged"]);
  });

  test("and who began when another had ended", async () => {
    const { fake, shared, told } = sharing(["a", "b", "c"], { config: { parallel: 2 } });
    await runAll(fake, () => make({}));
    expect(shared.made).toBe(2);
    expect(told().at(-1)).toBe("c unchanged");
  });

  for (const fast of [true, false])
    test(`and who was through before the others, ${fast ? "fast" : "plain"}`, async () => {
      const directory = mkdtempSync(join(tmpdir(), "tsinfra-shared-"));
      const [shared, seen] = [join(directory, "shared"), join(directory, "seen")];
      const fake = fakeRun(
        ["a", "b"].map(name => ({ name, connector: "local" })),
        {},
        { fast, connectors: new Map([["local", createLocalConnector()]]) },
      );
      const Lines = fact<NoArguments, string>({
        name: "test.Lines",
        command: () => sh`cat ${shared} 2>/dev/null || true`,
        parse: lines => lines.join(","),
        empty: "",
      });
      const add = operation<{ readonly line: string }>({
        name: "test.add",
        async *steps(_, { line }) {
          yield sh`sleep ${line === "a" ? 0 : 0.5}; echo ${line} >>${shared}`;
        },
      });
      const look = operation<object>({
        name: "test.look",
        async *steps(host) {
          yield sh`echo ${host.name} ${await host.getFact(Lines)} >>${seen}`;
        },
      });
      await runAll(fake, async () => {
        await scope().host.getFact(Lines);
        add({ line: scope().host.name });
        look({});
      });
      expect(readFileSync(seen, "utf8").trim().split("\n").toSorted()).toEqual(["a a,b", "b a,b"]);
      rmSync(directory, { recursive: true });
    });

  test("while nothing has run, nothing is asked again", async () => {
    const { fake, shared } = sharing(["a", "b"]);
    shared.made = 1;
    await runAll(fake, () => make({ _serial: true }));
    expect(fake.sent.filter(sent => sent.includes("count"))).toHaveLength(2);
  });
});

test("a callback that waits for something asks each time, and together once", async () => {
  const { fake, shared } = sharing(["a"]);
  const seen: number[] = [];
  await runAll(fake, () => {
    call({
      run: async control => {
        for (let round = 0; round < 3; round++) {
          seen.push(...(await Promise.all([control.getFact(Shared), control.getFact(Shared)])));
          shared.made++;
        }
      },
    });
  });
  expect(seen).toEqual([0, 0, 1, 1, 2, 2]);
});

test("what the control machine runs may have changed the host", async () => {
  const seen: number[] = [];
  const shared = { made: 0 };
  const ran = { exitCode: 0, stdout: "", stderr: "", stdoutLines: [], stderrLines: [], isCut: false };
  const fake = fakeRun(
    ["a"],
    { answer: (_, sent) => (sent.includes("count") ? { stdout: `${shared.made}\n` } : undefined) },
    { localShell: async () => (shared.made++, ran) },
  );
  await runAll(fake, async () => {
    const { host, local } = scope();
    seen.push(await host.getFact(Shared));
    await local.shell("push");
    seen.push(await host.getFact(Shared), await host.getFact(Shared));
  });
  expect(seen).toEqual([0, 1, 1]);
  expect(fake.sent).toHaveLength(2);
});

test("a try that waits for what the host does by itself asks again", async () => {
  const needs = operation<object>({
    name: "test.needs",
    async *steps(host) {
      if ((await host.getFact(Shared)) < 3) throw new OperationError("It is not ready");
      yield sh`use`;
    },
  });
  let asked = 3;
  const fake = fakeRun(["a"], {
    answer: (_, sent) => (sent.includes("count") ? { stdout: `${asked++}\n` } : undefined),
  });
  await fake.run.connect();
  await fake.run.prepare([deployOf(() => void needs({ _retries: 9, _retryDelay: 1 }))]);
  asked = 0;
  fake.run.forgetAnswers();
  await fake.run.execute();
  await fake.run.disconnect();
  expect(fake.of("operation:host:end")).toMatchObject([{ outcome: "changed", retryAttempts: 3 }]);
});

test("what an earlier try has done is changed, though the last one finds nothing to do", async () => {
  const { fake, shared, told } = sharing(["a"]);
  const half = operation<object>({
    name: "test.half",
    async *steps(host) {
      if ((await host.getFact(Shared)) > 0) return host.noop("there is one");
      yield sh`make`;
      yield sh`fails`;
    },
  });
  let after: unknown;
  await runAll(fake, () => {
    const made = half({ _retries: 1, _retryDelay: 0 });
    make({ name: "After", _if: () => Boolean((after = made.didChange())) });
  });
  expect(shared.made).toBe(1);
  expect(after).toBe(true);
  expect(told()).toEqual(["a changed", "a unchanged"]);
});

test("a download may have changed the control machine, whichever host that is", async () => {
  const directory = mkdtempSync(join(tmpdir(), "tsinfra-down-"));
  const [source, dest] = [join(directory, "source"), join(directory, "dest")];
  writeFileSync(source, "new\n");
  writeFileSync(dest, "old\n");
  for (const fast of [true, false]) {
    const seen: string[] = [];
    const Lines = fact<NoArguments, string>({
      name: "test.Lines",
      command: () => sh`cat ${dest}`,
      parse: ([line = ""]) => line,
      empty: "",
    });
    const get = operation<object>({
      name: "test.get",
      async *steps() {
        yield { kind: "download", src: source, dest };
      },
    });
    const look = operation<object>({
      name: "test.look",
      async *steps(host) {
        seen.push(await host.getFact(Lines));
      },
    });
    writeFileSync(dest, "old\n");
    const fake = fakeRun(
      [{ name: "a", connector: "local" }],
      {},
      { fast, transfers: localTransfers, connectors: new Map([["local", createLocalConnector()]]) },
    );
    await runAll(fake, () => {
      get({});
      look({});
    });
    expect(seen.at(-1)).toBe("new");
  }
  rmSync(directory, { recursive: true });
});

test("after a person was asked, hosts are asked again", async () => {
  const { fake, shared, told } = sharing(["a"]);
  await fake.run.connect();
  await fake.run.prepare([deployOf(() => void make({}))]);
  shared.made = 1;
  fake.run.forgetAnswers();
  await fake.run.execute();
  await fake.run.disconnect();
  expect(told()).toEqual(["a unchanged"]);
});

describe("a fact that cannot be asked", () => {
  const refusing = () =>
    fakeRun(["a"], { answer: (_, sent) => (sent.includes("count") ? { exitCode: 1, stderr: "no\n" } : undefined) });
  const message = "Cannot get fact test.Shared: no";

  test("fails its operation, though that may be ignored", async () => {
    const fake = refusing();
    expect(await runAll(fake, () => make({ _ignoreErrors: true }))).toBeUndefined();
    expect(fake.of("operation:host:end")).toMatchObject([{ outcome: "ignored", error: { message } }]);
    expect(fake.sent).not.toContain("a: make");
  });
  test("is taken for absent where the question itself says so, and that is told", async () => {
    const fake = refusing();
    let answer: number | undefined;
    await runAll(fake, async () => void (answer = await scope().host.getFact(Shared, { _ignoreErrors: true })));
    expect(answer).toBe(0);
    expect(fake.of("log").map(event => event.message)).toEqual([`${message} (ignored: taken as absent)`]);
  });
});
