/** What is known of a host: facts that throw, and answers that are never older than they claim. */
import { describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLocalConnector } from "../../src/connectors/local.ts";
import { raw, sh } from "../../src/core/command.ts";
import { FactError, OperationValueError } from "../../src/core/errors.ts";
import { derivedFact, fact, type Fact, type NoArguments } from "../../src/core/fact.ts";
import { operation } from "../../src/core/operation.ts";
import { currentScope } from "../../src/core/scope.ts";
import { leavesSomethingRunning } from "../../src/engine/host/background.ts";
import { shell } from "../../src/operations/server/index.ts";
import { fakeRun, runAll } from "../support/fake-run.ts";

const command = fact<NoArguments, string>({
  name: "test.Good",
  command: () => sh`echo fine`,
  parse: ([line = ""]) => line,
  empty: "",
});
const ask = <T>(asked: Fact<NoArguments, T>): Promise<T> => currentScope("This test").host.getFact(asked);

const localRun = (fast: boolean) =>
  fakeRun(
    [{ name: "a", connector: "local", address: "" }],
    {},
    { fast, connectors: new Map([["local", createLocalConnector()]]) },
  );

describe("a fact whose own code throws", () => {
  const broken = (part: Partial<Parameters<typeof fact<NoArguments, string>>[0]>): Fact<NoArguments, string> =>
    fact<NoArguments, string>({
      name: "test.Broken",
      command: () => sh`echo broken`,
      parse: ([line = ""]) => line,
      empty: "",
      ...part,
    });
  const boom = (): never => {
    throw new TypeError("boom");
  };
  const CASES: readonly (readonly [name: string, fact: Fact<NoArguments, string>])[] = [
    ["its command", broken({ command: boom })],
    ["what it requires", broken({ requires: boom })],
    ["its parsing", broken({ parse: boom })],
    ["its choice of a variant", broken({ variant: { by: command, choose: boom } })],
    ["whether its variant matters", broken({ variant: { by: command, when: boom, choose: () => undefined } })],
    ["whether it can be asked together", broken({ together: { accepts: boom, command: boom, split: boom } })],
    [
      "what it derives from another",
      derivedFact<NoArguments, string, string>({ name: "test.Broken", from: command, derive: boom }),
    ],
  ];
  for (const fast of [true, false])
    for (const [name, bad] of CASES)
      test(`${name} rejects who asked, and nobody else${fast ? "" : ", without fast paths"}`, async () => {
        const fakes = localRun(fast);
        let results: readonly PromiseSettledResult<string>[] = [];
        const error = await runAll(fakes, async () => {
          results = await Promise.allSettled([ask(bad), ask(command)]);
        });
        expect(error).toBeUndefined();
        const [one, other] = results;
        expect(other).toEqual({ status: "fulfilled", value: "fine" });
        // Without fast paths nothing is asked together, and nobody wants to know.
        if (!fast && name === "whether it can be asked together") return;
        const reason: unknown = one?.status === "rejected" ? one.reason : undefined;
        expect(reason).toBeInstanceOf(FactError);
        expect(String(reason)).toContain("test.Broken");
        expect(String(reason)).toContain("boom");
      });

  test("with an error of ours keeps it, and fails the run like any other mistake", async () => {
    const mistaken = broken({
      command: () => {
        throw new OperationValueError("A size is a number and a unit, not 12zz");
      },
    });
    const error = await runAll(fakeRun(["a"]), () => ask(mistaken));
    expect(String(error)).toBe("OperationValueError: A size is a number and a unit, not 12zz");
  });

  test("of many that are asked together rejects its own question alone", async () => {
    const together = fact<{ readonly path: string }, string>({
      name: "test.Together",
      command: ({ path }) => (path === "bad" ? boom() : sh`one ${path}`),
      parse: ([line = ""]) => line,
      empty: "",
      together: {
        accepts: () => true,
        command: all => (all.some(({ path }) => path === "bad") ? boom() : sh`many ${all.map(({ path }) => path)}`),
        split: (lines, all) => all.map((_, index) => [lines[index] ?? ""]),
      },
    });
    const directory = await mkdtemp(join(tmpdir(), "tsinfra-facts-"));
    try {
      const fakes = localRun(true);
      const found: unknown[] = [];
      await runAll(fakes, async () => {
        const { host } = currentScope("This test");
        const asked = ["x", "bad", "y"].map(path => host.getFact(together, { path, _env: { PATH: directory } }));
        for (const one of await Promise.allSettled(asked))
          found.push(one.status === "rejected" ? String(one.reason).split(":").at(-1) : one.value);
      });
      expect(found[1]).toBe(" boom");
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

for (const fast of [true, false])
  test(`a question has its own input${fast ? "" : ", without fast paths"}`, async () => {
    const Read = fact<NoArguments, string>({
      name: "test.Read",
      command: () => sh`cat; echo end`,
      parse: lines => lines.join("/"),
      empty: "",
    });
    const answers: string[] = [];
    const error = await runAll(localRun(fast), async () => {
      const { host } = currentScope("This test");
      answers.push(await host.getFact(Read, { _stdin: "x&y\n" }), await host.getFact(Read, { _stdin: ["a", "b"] }));
      answers.push(await host.getFact(Read));
    });
    expect(error).toBeUndefined();
    expect(answers).toEqual(["x&y/end", "a/b/end", "end"]);
  });

for (const fast of [true, false])
  test(`as a user who is not there nothing is found while preparing, and it fails later${fast ? "" : ", without fast paths"}`, async () => {
    const directory = await mkdtemp(join(tmpdir(), "tsinfra-facts-"));
    const path = process.env["PATH"];
    await writeFile(join(directory, "sudo"), "#!/bin/sh\necho 'sudo: unknown user nosuch' >&2\nexit 1\n", {
      mode: 0o755,
    });
    process.env["PATH"] = `${directory}:${path}`;
    try {
      const seen: unknown[] = [];
      const look = operation<Record<never, never>>({
        name: "test.look",
        async *steps(host) {
          seen.push(await host.getFact(command).catch(String));
        },
      });
      const fakes = localRun(fast);
      await runAll(fakes, () => void look({ _sudo: true, _sudoUser: "nosuch" }));
      expect(seen).toEqual(["", "FactError: Cannot get fact test.Good: sudo: unknown user nosuch"]);
    } finally {
      process.env["PATH"] = path;
      await rm(directory, { recursive: true });
    }
  });

for (const fast of [true, false])
  test(`a password that sudo does not take any more ends what waits for it${fast ? "" : ", without fast paths"}`, async () => {
    const directory = await mkdtemp(join(tmpdir(), "tsinfra-facts-"));
    const path = process.env["PATH"];
    const sudo = `#!/bin/sh
while IFS= read -r word; do
  if [ "$word" = "$(cat ${directory}/password)" ]; then
    while :; do case $1 in -p | -u) shift 2 ;; -*) shift ;; *) break ;; esac; done
    exec "$@"
  fi
  echo "Sorry, try again." >&2
done
echo "sudo: 1 incorrect password attempt" >&2
exit 1
`;
    await writeFile(join(directory, "sudo"), sudo, { mode: 0o755 });
    await writeFile(join(directory, "password"), "old");
    process.env["PATH"] = `${directory}:${path}`;
    try {
      const fakes = localRun(fast);
      const how = { _sudo: true, _sudoPassword: "old" };
      await runAll(fakes, () => {
        shell({ commands: [`echo new >${directory}/password`], ...how });
        shell({ commands: ["echo never"], _stdin: "x", ...how });
      });
      const ends = fakes.of("operation:host:end").map(({ outcome, error }) => `${outcome} ${error?.message ?? ""}`);
      expect(ends).toEqual([
        "changed ",
        "failed The password for sudo was refused: sudo: 1 incorrect password attempt",
      ]);
    } finally {
      process.env["PATH"] = path;
      await rm(directory, { recursive: true });
    }
  });

test("a fact whose command is text says so", async () => {
  const bad = fact<NoArguments, string>({ name: "my.F", command: () => "echo" as never, parse: () => "", empty: "" });
  for (const fast of [true, false]) {
    const fakes = localRun(fast);
    await runAll(fakes, () => ask(bad));
    expect(fakes.of("host:failed").map(({ error }) => error.message)).toEqual([
      "The command of fact my.F must be made with sh`…`, found text",
    ]);
  }
});

describe("answers", () => {
  const Content = fact<{ readonly path: string }, string>({
    name: "test.Content",
    command: ({ path }) => sh`cat ${path} 2>/dev/null || true`,
    parse: lines => lines.join("\n"),
    empty: "",
  });
  const HOWS = [
    {},
    { _timeout: 20 },
    { _stdin: "x" },
    { _shellExecutable: "bash" },
    { _env: { WORD: "a & b" } },
    { _chdir: "/" },
  ];

  for (const how of HOWS)
    test(`asked ahead with ${JSON.stringify(how)} are not older than the command before`, async () => {
      const directory = await mkdtemp(join(tmpdir(), "tsinfra-facts-"));
      const path = join(directory, "R&D");
      const told: string[] = [];
      const tell = operation<Record<never, never>>({
        name: "test.tell",
        changes: "anything",
        async *steps(host) {
          told.push(await host.getFact(Content, { path, ...how }));
        },
      });
      try {
        const fakes = localRun(true);
        const error = await runAll(fakes, () => {
          for (const number of [1, 2, 3]) {
            shell({ commands: [`sleep 0.05; echo ${number} >'${path}'`] });
            tell({});
          }
        });
        expect(error).toBeUndefined();
        // Each is evaluated once for its forecast, and may be looked at ahead; what counts is the last look of each.
        expect(told.slice(0, 3)).toEqual(["", "", ""]);
        expect(told.filter(answer => answer === "3")).not.toEqual([]);
        expect(told.at(-1)).toBe("3");
      } finally {
        await rm(directory, { recursive: true });
      }
    });
});

test("what leaves something running is told from an & that is data", () => {
  const runsOn = (text: string): boolean => leavesSomethingRunning(sh`${raw(text)}`);
  const RUNNING = [
    "sleep 9 &",
    "sleep 9 & wait",
    "a && b & c",
    "(a; b) &",
    "sh -c 'sleep 9 &'",
    'eval "sleep 9 &"',
    'echo "$(sleep 9 &)"',
    'echo "$(echo "a"; sleep 9 & )"',
    "cat <<EOF &\nx\nEOF",
    "nohup x >/dev/null 2>&1 &",
    "echo it\\'s & # done",
    "ssh host 'x &'",
    "bash -ec 'x & y'",
  ];
  const ENDING = [
    "mkdir -p '/x/R&D'",
    'mkdir "R&D"',
    "a && b",
    "a >&2",
    "a 2>&1",
    "a &>/dev/null",
    "a >&- <&3",
    "echo R\\&D",
    "a # b & c",
    "curl 'http://x/?a=1&b=2'",
    "printf %s 'a & b'",
  ];
  expect(RUNNING.filter(text => !runsOn(text))).toEqual([]);
  expect(ENDING.filter(runsOn)).toEqual([]);
  expect(leavesSomethingRunning(sh`mkdir ${"/x/R&D"}`)).toBeFalse();
});
