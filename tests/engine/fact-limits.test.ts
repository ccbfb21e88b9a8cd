import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { raw, sh, type Shell } from "../../src/core/command.ts";
import type { Connection } from "../../src/core/connector.ts";
import { DEFAULT_CONFIG } from "../../src/core/config.ts";
import { fact } from "../../src/core/fact.ts";
import { operation } from "../../src/core/operation.ts";
import { currentScope } from "../../src/core/scope.ts";
import { resolveArguments } from "../../src/engine/host/arguments.ts";
import type { Facts } from "../../src/engine/host/facts.ts";
import { fakeRun, runAll } from "../support/fake-run.ts";
import { factsOf, localConnection, localSession } from "../support/local-session.ts";
import { until } from "../support/until.ts";

const how = resolveArguments({ context: {}, host: {}, config: DEFAULT_CONFIG, inheritedEnv: {} });
const asking = (name: string, command: Shell) =>
  fact<object, string>({ name, command: () => command, parse: lines => lines.join("\n"), empty: "" });
const ask = (facts: Facts, name: string, line: string, factTimeout: number) =>
  facts.ask(asking(name, sh`${raw(line)}`), {}, how, { factMaxAge: 60, factTimeout });
const reason = (answer: Promise<unknown>) =>
  answer.then(
    value => `answered ${String(value)}`,
    (error: Error & { code?: string; host?: string }) => `${error.code} on ${error.host}: ${error.message}`,
  );

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});
function open(fast: boolean) {
  const session = localSession({ fast });
  const directory = mkdtempSync(`${tmpdir()}/limits-`);
  ends.push(
    () => session.disconnect(),
    () => rmSync(directory, { recursive: true }),
  );
  return { session, directory, facts: factsOf(session, fast) };
}

for (const fast of [true, false])
  describe(fast ? "facts that share a shell" : "facts with channels of their own", () => {
    test("that take too long fail alone, and what they run on the host is ended", async () => {
      const { facts, directory } = open(fast);
      const answers = await Promise.all([
        reason(ask(facts, "Before", "echo a", 1)),
        reason(ask(facts, "Slow", `echo $$ >${directory}/pid; exec sleep 1000`, 1)),
        reason(ask(facts, "Behind", "echo c", 1)),
        reason(ask(facts, "Last", "echo d", 1)),
      ]);
      expect(answers).toEqual([
        "answered a",
        "E_FACT on here: Cannot get fact Slow: no answer within 1 seconds",
        "answered c",
        "answered d",
      ]);
      const pid = (await Bun.file(`${directory}/pid`).text()).trim();
      await until("it has ended", async () => !(await isRunning(pid)));
      expect(await reason(ask(facts, "Next", "echo e", 1))).toBe("answered e");
    });

    test("are each given that long", async () => {
      const { facts } = open(fast);
      const answers = [1, 2, 3, 4].map(index => ask(facts, `F${index}`, `sleep 0.6; echo ${index}`, 2));
      expect(await Promise.all(answers)).toEqual(["1", "2", "3", "4"]);
    });

    test("end when the login itself hangs", async () => {
      let login = 0;
      const connect = async (): Promise<Connection> => {
        const connection = await localConnection();
        const hang = sh`${raw("echo $$ >&2; exec sleep 1000")}`;
        const onOutput = (_: unknown, chunk: Uint8Array) => void (login ||= Number(Buffer.from(chunk).toString()));
        return { ...connection, run: (_, how) => connection.run(hang, { ...how, onOutput }) };
      };
      const session = localSession({ fast, connect });
      const answer = await reason(ask(factsOf(session, fast), "Any", "echo x", 0.5));
      expect(answer).toBe("E_FACT on here: Cannot get fact Any: no answer within 0.5 seconds");
      await until("it has ended", async () => !(await isRunning(`${login}`)));
      await session.close();
    });

    test("may print much, but not without end", async () => {
      const { facts } = open(fast);
      const zeros = (count: number) => `head -c ${count} /dev/zero | tr '\\0' x`;
      const [much, tooMuch, little] = await Promise.all([
        ask(facts, "Much", zeros(20_000_000), 60).then(answer => answer.length),
        reason(ask(facts, "TooMuch", zeros(35_000_000), 60)),
        ask(facts, "Little", "echo x", 60),
      ]);
      expect([much, little]).toEqual([20_000_000, "x"]);
      expect(tooMuch).toBe("E_FACT on here: Cannot get fact TooMuch: the answer is longer than 32 MiB");
    });
  });

test("a fact that waits behind a command of the same shell is not at its turn yet", async () => {
  const { session, facts, directory } = open(true);
  const signal = new AbortController().signal;
  const options = { surroundings: how.surroundings, signal };
  await session.run(sh`mkfifo ${directory}/gate`, options);
  const running = await session.send([sh`cat <${directory}/gate`], options, [0]);
  const answer = reason(ask(facts, "Behind", "echo x", 0.1));
  await Bun.sleep(500);
  writeFileSync(`${directory}/gate`, "");
  expect(await answer).toBe("answered x");
  expect((await running.results).map(({ exitCode }) => exitCode)).toEqual([0]);
});

test("the `_timeout` of an operation covers the facts that it asks", async () => {
  const Stuck = asking("test.Stuck", sh`stuck`);
  const careful = operation<object>({
    name: "test.careful",
    async *steps(host) {
      yield sh`use ${await host.getFact(Stuck)}`;
    },
  });
  const fake = fakeRun(["a"], { answer: (_, line) => (line === "stuck" ? new Promise(() => {}) : undefined) });
  await runAll(fake, () => void careful({ _timeout: 0.05 }));
  expect(fake.run.failedHosts).toEqual(["a"]);
  expect(fake.of("host:failed")[0]?.error).toMatchObject({
    code: "E_FACT",
    message: "Cannot get fact test.Stuck: no answer within 0.05 seconds",
  });
});

test("without a limit of its own a question has that of `config.factTimeout`", async () => {
  const Stuck = asking("test.Stuck", sh`stuck`);
  const careful = operation<object>({
    name: "test.careful",
    async *steps(host) {
      yield sh`use ${await host.getFact(Stuck)}`;
    },
  });
  const answer = (_: string, line: string) => (line === "stuck" ? new Promise<never>(() => {}) : undefined);
  const fake = fakeRun(["a"], { answer }, { config: { factTimeout: 0.05 } });
  await runAll(fake, () => void careful({}));
  expect(fake.of("host:failed")[0]?.error.message).toBe("Cannot get fact test.Stuck: no answer within 0.05 seconds");
});

test("what a deploy file has set holds for what it asks of another host", async () => {
  const Stuck = asking("test.Stuck", sh`stuck`);
  const answer = (_: string, line: string) => (line === "stuck" ? new Promise<never>(() => {}) : undefined);
  const fake = fakeRun(["a", "b"], { answer });
  await runAll(fake, async () => {
    const { config, host, inventory } = currentScope("This test");
    config.factTimeout = 0.05;
    if (host.name === "a") await inventory.getHost("b").getFact(Stuck);
  });
  expect(fake.of("host:failed")[0]?.error.message).toBe("Cannot ask test.Stuck of b: no answer within 0.05 seconds");
});

async function isRunning(pid: string): Promise<boolean> {
  const status = await Bun.file(`/proc/${pid}/status`)
    .text()
    .catch(() => "State: Z");
  return !/^State:\s+Z/m.test(status);
}

for (const fast of [true, false])
  test(`an answer that is too long gives its place to no other, though a slow one is asked with it, ${fast ? "fast" : "plain"}`, async () => {
    const { facts } = open(fast);
    const answers = await Promise.all(
      ["echo a", "head -c 40000000 /dev/zero | tr '\\0' x", "echo c", "sleep 1000"].map((line, index) =>
        reason(ask(facts, `my.${index}`, line, 4)),
      ),
    );
    expect(answers).toEqual([
      "answered a",
      "E_FACT on here: Cannot get fact my.1: the answer is longer than 32 MiB",
      "answered c",
      "E_FACT on here: Cannot get fact my.3: no answer within 4 seconds",
    ]);
  });
