/** What may be sent ahead of its turn, and what waits: each rule by itself. */
import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Condition, GlobalArguments } from "../../src/core/arguments.ts";
import { Secret, sh, upload } from "../../src/core/command.ts";
import type { LocalFiles } from "../../src/core/host.ts";
import { fact } from "../../src/core/fact.ts";
import { operation } from "../../src/core/operation.ts";
import { currentScope } from "../../src/core/scope.ts";
import { shell } from "../../src/operations/server/index.ts";
import { call } from "../../src/operations/ts.ts";
import { ended } from "../support/is-alive.ts";
import { listeningRun } from "../support/listening-run.ts";

setDefaultTimeout(60_000);

let root: string;
let work: string;
beforeAll(async () => void (root = await mkdtemp(join(tmpdir(), "tsinfra-guards-"))));
afterAll(() => rm(root, { recursive: true }));
beforeEach(async () => void (work = await mkdtemp(join(root, "work-"))));

/** Waits, but not for ever. */
const waiting = (): string =>
  `: FIRST; n=0; until [ -e ${work}/go ]; do sleep 0.02; n=$((n + 1)); [ $n -lt 500 ] || exit 9; done`;

const Question = fact<{ readonly word?: string }, readonly string[]>({
  name: "test.Question",
  command: ({ word = "question" }) => sh`echo ${word}`,
  parse: lines => lines,
  empty: [],
});

/** Asks, and leaves a mark. */
const probe = operation<{ readonly word?: string; readonly other?: GlobalArguments; readonly command?: string }>({
  name: "test.probe",
  changes: "what it names",
  async *steps(host, { word = "question", other = {}, command = "true" }) {
    await host.getFact(Question, { word });
    if (Object.keys(other).length > 0) await host.getFact(Question, { word: "other", ...(other as object) });
    yield sh`echo MARK >>${`${work}/log`}`;
    if (command !== "true") yield sh`sh -c ${command}`;
  },
});

interface Case {
  /** What comes right behind the command that waits; default: a probe. */
  readonly next?: () => void;
  readonly how?: GlobalArguments;
  /** How the command runs that waits. */
  readonly first?: GlobalArguments;
  readonly begin?: () => void;
  readonly hosts?: number;
  /** Text of a question that is asked when everything that can be sent ahead was. */
  readonly asked?: string;
}

/** Whether the operation behind one that runs was sent before that has ended. */
async function isEarly({ next, how = {}, first = {}, begin, hosts = 1, asked = "echo question" }: Case = {}) {
  let early: boolean | undefined;
  const { outcomes } = await listeningRun(
    root,
    async () => {
      const { host } = currentScope("This test");
      if (begin) begin();
      else if (host.name === "here-0") shell({ commands: [waiting()], ...first });
      if (next) next();
      else probe({ ...how });
    },
    {
      hosts,
      onInput(input) {
        const sent = input.slice(input.indexOf(": FIRST"));
        if (!sent.startsWith(": FIRST") || early !== undefined || !sent.includes(asked)) return;
        early = sent.includes("MARK");
        writeFileSync(join(work, "go"), "");
      },
    },
  );
  return { early, outcomes };
}

/** An operation that waits, and what is known of it. */
const beginning = (more: { readonly changes?: "what it names" | "anything"; readonly freshLogin?: true }, names = "") =>
  operation<object>({
    name: "test.beginning",
    ...more,
    async *steps() {
      yield sh`sh -c ${`${waiting()}; : ${names}`}`;
    },
  });
const begin = (...args: Parameters<typeof beginning>) => void beginning(...args)({});
const shells = (count: number, text: (index: number) => string): void => {
  for (let index = 0; index < count; index++) shell({ commands: [text(index)] });
};

/** Looks at a file of this machine. */
const reader = operation<{ readonly path: string; readonly how?: keyof typeof LOOKS }>({
  name: "test.reader",
  changes: "what it names",
  async *steps(host, { path, how = "readText" }) {
    await host.getFact(Question, { word: "question" });
    await LOOKS[how](host.local, path);
    yield sh`echo MARK`;
  },
});
const LOOKS = {
  stat: (local, path) => local.stat(path),
  read: (local, path) => local.read(path),
  readText: (local, path) => local.readText(path),
  checksum: (local, path) => local.checksum(path, "sha1"),
  list: (local, path) => local.list(join(path, "..")),
  render: (local, path) => local.render(path, {}),
} satisfies Record<string, (local: LocalFiles, path: string) => Promise<unknown>>;
const touch = operation<{ readonly path: string }>({
  name: "test.touch",
  changes: "what it names",
  async *steps(_, { path }) {
    yield sh`touch ${path}`;
  },
});
const source = (): string => {
  const path = join(work, "dir", "it's here");
  mkdirSync(join(work, "dir"));
  writeFileSync(path, "text");
  return path;
};

const EARLY: Readonly<Record<string, () => Case>> = {
  "what asks facts and says what it changes": () => ({}),
  "what runs once, where there is one host": () => ({ how: { _runOnce: true } }),
  "what is tried again": () => ({ how: { _retries: 1 } }),
  "what has exit codes of its own": () => ({ how: { _successExitCodes: [0, 3] } }),
  "what comes behind 29 others": () => ({ next: () => (shells(29, index => `: ${index}`), probe({})) }),
  "what comes behind 200 KiB": () => ({ next: () => (shells(2, () => `: ${"x".repeat(100_000)}`), probe({})) }),
  "what asks about else than those before": () => ({
    next: () => (probe({ word: "others" }), probe({})),
    asked: "echo question",
  }),
  "what asks what one asked that does nothing": () => ({
    next: () => (idle({}), later({ words: ["question", "others"] })),
    asked: "echo others",
  }),
  "what reads a file that nothing names": () => ({
    begin: () => begin({ changes: "what it names" }, `${work}/dir-2 ${work}/dir/other`),
    next: () => reader({ path: source() }),
  }),
};

const WAITS: Readonly<Record<string, () => Case>> = {
  "what goes on where a command fails": () => ({ how: { _continueOnError: true } }),
  "what has a terminal": () => ({ how: { _getPty: true } }),
  "what has an input": () => ({ how: { _stdin: "x" } }),
  "what has a time limit": () => ({ how: { _timeout: 20 } }),
  "what is tried until": () => ({ how: { _retries: 1, _retryDelay: 0, _retryUntil: () => true } }),
  "what has a condition": () => ({ how: { _if: () => true } }),
  "what comes behind what may be tried again though it did well": () => ({
    first: { _retries: 1, _retryDelay: 0, _retryUntil: () => true },
  }),
  "what comes behind what may lose the connection": () => ({ first: { _successExitCodes: [0, -1] } }),
  "what comes behind a new login": () => ({ begin: () => begin({ changes: "anything", freshLogin: true }) }),
  "what comes behind 30 others": () => ({ next: () => (shells(30, index => `: ${index}`), probe({})) }),
  "what comes behind 300 KiB": () => ({ next: () => (shells(3, () => `: ${"x".repeat(100_000)}`), probe({})) }),
  "what asks what one between asked": () => ({
    next: () => (asker({}), later({ words: ["others", "question"] })),
  }),
  "what asks what the one before it asked": () => ({
    begin: () => asker({ command: waiting() }),
    next: () => later({ words: ["others", "question"] }),
  }),
  "what does not say that it may be": () => ({
    next: () => void operation<object>({ name: "test.silent", steps: (host, args) => probe.steps(host, args) })({}),
  }),
  "what takes a condition": () => ({
    next: () =>
      void operation<{ readonly when: boolean | Condition }>({
        name: "test.conditional",
        changes: "anything",
        conditions: { when: true },
        steps: host => probe.steps(host, {}),
      })({ when: () => true }),
  }),
  "what asks on a terminal": () => ({ next: () => probe({ other: { _getPty: true } }) }),
  "what asks with an input": () => ({ next: () => probe({ other: { _stdin: "x" } }) }),
  "what asks in another shell": () => ({ next: () => probe({ other: { _shellExecutable: "bash" } }) }),
  "what asks behind its commands": () => ({ next: () => asksLater({}) }),
  "what has a temporary file": () => ({ next: () => withTempFile({}) }),
  "what leaves something running": () => ({ next: () => probe({ command: "true &" }) }),
  "what has a secret and asks for its process": () => ({ next: () => withSecret({}) }),
  "what calls a function": () => ({ next: () => withFunction({}) }),
  "what uploads more than rides along": () => ({ next: () => uploads({ size: 100_000 }) }),
  "what reads a file behind what may change anything": () => ({
    begin: () => begin({ changes: "anything" }),
    next: () => reader({ path: source() }),
  }),
  "what reads a file that the one before names": () => ({
    begin: () => begin({ changes: "what it names" }, `"${work}/dir/it's here"`),
    next: () => reader({ path: source() }),
  }),
  ...Object.fromEntries(
    (Object.keys(LOOKS) as (keyof typeof LOOKS)[]).map(how => [
      `what looks at a file that the one before names (${how})`,
      () => ({
        begin: () => begin({ changes: "what it names" }, `"${work}/dir/it's here" ${work}/dir`),
        next: () => reader({ path: source(), how }),
      }),
    ]),
  ),
  "what reads a file whose directory the one before names": () => ({
    begin: () => begin({ changes: "what it names" }, `${work}/dir/`),
    next: () => reader({ path: source() }),
  }),
  "what reads a file that one between names": () => ({
    begin: () => begin({ changes: "what it names" }),
    next: () => (touch({ path: `${work}/dir/it's here` }), reader({ path: source() })),
  }),
  "what reads a file that one between may change": () => ({
    begin: () => begin({ changes: "what it names" }),
    next: () => (shell({ commands: ["true"] }), reader({ path: source() })),
  }),
  "what uploads a file that one between names": () => ({
    begin: () => begin({ changes: "what it names" }),
    next: () => (touch({ path: `${work}/dir/it's here` }), uploads({ path: source() })),
  }),
};

const later = operation<{ readonly words: readonly string[] }>({
  name: "test.later",
  changes: "what it names",
  async *steps(host, { words }) {
    await Promise.all(words.map(word => host.getFact(Question, { word })));
    yield sh`echo MARK`;
  },
});
const asker = operation<{ readonly command?: string; readonly after?: string }>({
  name: "test.asker",
  changes: "what it names",
  async *steps(host, { command = "true", after }) {
    await host.getFact(Question, { word: "others" });
    yield sh`sh -c ${command}`;
    if (after !== undefined) yield sh`sh -c ${after}`;
  },
});
const asksLater = operation<object>({
  name: "test.asksLater",
  changes: "anything",
  async *steps(host) {
    await host.getFact(Question, { word: "question" });
    yield sh`echo MARK`;
    await host.getFact(Question, { word: "question" });
    yield sh`echo more`;
  },
});
const withTempFile = operation<object>({
  name: "test.withTempFile",
  changes: "anything",
  async *steps(host) {
    await host.getFact(Question, { word: "question" });
    yield sh`echo MARK >${await host.tempFile()}`;
  },
});
const withSecret = operation<object>({
  name: "test.withSecret",
  changes: "anything",
  async *steps(host) {
    await host.getFact(Question, { word: "question" });
    yield sh`echo MARK ${new Secret("secret")} $$`;
  },
});
const withFunction = operation<object>({
  name: "test.withFunction",
  changes: "anything",
  async *steps(host) {
    await host.getFact(Question, { word: "question" });
    yield sh`echo MARK`;
    yield { kind: "function", name: "nothing", run: async () => {} } as never;
  },
});
const uploads = operation<{ readonly size?: number; readonly path?: string }>({
  name: "test.uploads",
  changes: "what it names",
  async *steps(host, { size = 0, path }) {
    await host.getFact(Question, { word: "question" });
    yield sh`echo MARK`;
    yield upload(path === undefined ? { content: "x".repeat(size) } : { path }, join(work, "uploaded"), {});
  },
});

describe("while the one before it runs", () => {
  for (const [what, make] of Object.entries(EARLY))
    test(`${what} is sent`, async () => {
      const { early, outcomes } = await isEarly(make());
      expect({ early, last: outcomes.at(-1) }).toEqual({ early: true, last: "changed" });
    });
  for (const [what, make] of Object.entries(WAITS))
    test(`${what} is not sent, and what it asks is asked`, async () => {
      const { early, outcomes } = await isEarly(make());
      expect({ early, outcomes: new Set(outcomes) }).toEqual({ early: false, outcomes: new Set(["changed"]) });
    });
});

describe("behind one that runs", () => {
  const log = (): Promise<string> => Bun.file(join(work, "log")).text();
  const run = (command: string, how: GlobalArguments = {}) => shell({ commands: [command], ...how });

  test("what runs in another shell runs there", async () => {
    const { outcomes } = await listeningRun(root, () => {
      run("sleep 0.1");
      run(`[[ a == a ]] && echo bash >>${work}/log`, { _shellExecutable: "bash" });
      run(`pwd >>${work}/log`, { _chdir: "/" });
    });
    expect([outcomes, await log()]).toEqual([["changed", "changed", "changed"], "bash\n/\n"]);
  });

  test("what comes behind a callback waits for all of it", async () => {
    await listeningRun(root, () => {
      call({
        name: "A callback",
        async function(control) {
          run(`sleep 0.1; echo nested >>${work}/log`);
          await control.run(sh`echo direct >>${`${work}/log`}`);
        },
      });
      for (const number of [1, 2, 3]) run(`echo ${number} >>${work}/log`);
    });
    expect(await log()).toBe("nested\ndirect\n1\n2\n3\n");
  });

  test("what runs once does so on one host", async () => {
    await listeningRun(
      root,
      () => {
        run("sleep 0.1");
        run(`echo once >>${work}/log`, { _runOnce: true });
        run("true");
      },
      { hosts: 3 },
    );
    expect(await log()).toBe("once\n");
  });

  test("what has exit codes of its own ends with them, and what follows runs", async () => {
    const { outcomes } = await listeningRun(root, () => {
      run("sleep 0.1");
      run("exit 3", { _successExitCodes: [3] });
      run(`echo behind >>${work}/log`);
    });
    expect([outcomes, await log()]).toEqual([["changed", "changed", "changed"], "behind\n"]);
  });

  test("does not run where exit code 0 is none of the codes of what ran", async () => {
    const { outcomes } = await listeningRun(root, () => {
      run("sleep 0.1");
      run("true", { _successExitCodes: [3] });
      run(`echo behind >>${work}/log`);
    });
    expect([outcomes, await log().catch(() => "")]).toEqual([["changed", "failed"], ""]);
  });

  test("what does nothing says why, as often as where nothing is sent ahead", async () => {
    const told = [];
    for (const fast of [true, false]) {
      const { events } = await listeningRun(
        root,
        () => {
          run("sleep 0.1");
          idle({});
          run("true");
        },
        { fast },
      );
      told.push(
        events.flatMap(event =>
          event.type === "noop"
            ? [event.reason]
            : event.type === "log"
              ? [event.message]
              : event.type === "operation:host:end"
                ? [event.outcome, event.noop]
                : [],
        ),
      );
    }
    expect(told[0]).toContain("nothing to do");
    expect(told[0]).toEqual(told[1]!);
  });

  test("what it stands on is tested once, and nothing else", async () => {
    let input = "";
    const twice = operation<object>({
      name: "test.twice",
      changes: "anything",
      async *steps(host) {
        host.anticipate(Question, { word: "anticipated" });
        await host.getFact(Question, { word: "question" });
        await host.getFact(Question, { word: "question" });
        yield sh`echo MARK`;
      },
    });
    await listeningRun(
      root,
      () => {
        run(": FIRST; sleep 0.1");
        twice({});
      },
      { onInput: sent => (input = sent) },
    );
    const guard = input.slice(input.indexOf(": FIRST"), input.indexOf("echo MARK"));
    expect(guard.split("echo question").length - 1).toBe(1);
    expect(guard).not.toContain("echo anticipated");
  });

  test("what is asked in a channel of its own is asked behind all that was sent", async () => {
    const Made = fact<object, string>({
      name: "test.Made",
      command: () => sh`cat; if [ -e ${work}/made ]; then echo yes; else echo no; fi`,
      parse: lines => lines.join(""),
      empty: "",
    });
    const asks = operation<object>({
      name: "test.asks",
      changes: "anything",
      async *steps(host) {
        yield sh`echo ${await host.getFact(Made, { _stdin: "x" })} >>${work}/log`;
      },
    });
    await listeningRun(root, () => {
      run("true");
      run(`sleep 0.3; touch ${work}/made`);
      asks({});
    });
    expect(await log()).toBe("xyes\n");
  });

  test("what may have changed and is asked further on is asked at once", async () => {
    const { outcomes } = await isEarly({
      begin: () => asker({ command: waiting() }),
      next: () => {
        run(": sent");
        probe({ word: "nobody", _timeout: 20 });
        probe({ word: "others" });
      },
      asked: "echo others",
    });
    // The first would have failed if nobody had asked while it ran.
    expect(outcomes).toEqual(["changed", "changed", "changed", "changed"]);
  });

  test("what may have run when the connection was lost is told so, once; what would have done nothing is not told", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { ends } = await listeningRun(
      root,
      () => {
        run("sleep 0.1");
        run(": done");
        run("sleep 600");
        run(": second");
        idle({});
        run(": last", { _ignoreErrors: true });
      },
      {
        lost: promise,
        onEvent: event => (event.type === "command" && event.command === "sleep 600" ? resolve() : undefined),
      },
    );
    const told = ends.map(({ outcome, error }) => [outcome, error?.message.includes("may have run") ?? false]);
    expect(told).toEqual([
      ["changed", false],
      ["changed", false],
      ["failed", false],
      ["failed", true],
      ["ignored", true],
    ]);
  });

  test("what was sent to a shell that was given up is ended, and what may have run by then is told so", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { ends } = await listeningRun(
      root,
      () => {
        run(`echo $$ >${work}/pid; sleep 600`);
        run(`echo behind >>${work}/log`);
      },
      {
        disturbed: promise,
        onEvent: async event => {
          if (event.type !== "command" || !event.command.includes("sleep 600")) return;
          while (!existsSync(`${work}/pid`)) await Bun.sleep(5);
          resolve();
        },
      },
    );
    const [first, behind] = ends;
    expect(first?.error?.message).toEndWith("changes what commands print: the state of the command is unknown");
    expect(behind?.error?.message).toEndWith("this was sent ahead of its turn, and may have run");
    await ended(Number(await readFile(`${work}/pid`, "utf8")));
    expect(existsSync(`${work}/log`)).toBe(false);
  });

  const forgiven: Readonly<Record<string, GlobalArguments>> = {
    "is ignored": { _ignoreErrors: true },
    "is tried again": { _retries: 1, _retryDelay: 0 },
    "is no failure": { _successExitCodes: [0, -1] },
  };
  for (const [what, how] of Object.entries(forgiven))
    for (const fast of [true, false])
      test(`a lost connection that ${what} keeps nothing from running, ${fast ? "fast" : "plain"}`, async () => {
        const { promise, resolve } = Promise.withResolvers<void>();
        const { events, outcomes } = await listeningRun(
          root,
          () => {
            for (const name of ["a", "b"]) run(`echo ${name} >>${work}/log`);
            const twice = `echo try >>${work}/log; [ "$(grep -c try ${work}/log)" -gt 1 ] || sleep 600`;
            asker({ command: twice, after: `echo after >>${work}/log`, ...how });
            idle({});
            for (const name of ["c", "d"]) run(`echo ${name} >>${work}/log`);
          },
          {
            fast,
            lost: promise,
            onEvent: async event => {
              if (event.type !== "command" || event.for !== "operation" || !event.command.includes("echo try")) return;
              while (!(await log().catch(() => "")).includes("try")) await Bun.sleep(5);
              resolve();
            },
          },
        );
        const own = { "is ignored": "try\n", "is tried again": "try\ntry\nafter\n", "is no failure": "try\nafter\n" }[
          what
        ];
        expect(await log()).toBe(`a\nb\n${own}c\nd\n`);
        const outcome = what === "is ignored" ? "ignored" : "changed";
        expect(outcomes).toEqual(["changed", "changed", outcome, "unchanged", "changed", "changed"]);
        const said = events.filter(event => event.type === "log").map(({ message }) => message);
        expect(said.some(message => /^The connection was lost with a command.*echo try/.test(message))).toBe(
          what === "is no failure",
        );
      });

  test("what has ended when the run is interrupted is told once", async () => {
    const controller = new AbortController();
    const { ends } = await listeningRun(
      root,
      () => {
        for (const text of ["sleep 0.1", ": second", ": third", "sleep 600", ": last"]) run(text, { _env: { A: "b" } });
      },
      {
        signal: controller.signal,
        onEvent: event =>
          event.type === "command" && event.command.includes("sleep 600") && controller.abort(new Error("enough")),
      },
    );
    expect(ends.map(({ outcome }) => outcome)).toEqual(["changed", "changed", "changed", "interrupted"]);
  });

  test("what asks in another shell asks at its turn, once", async () => {
    let input = "";
    await listeningRun(
      root,
      () => {
        run(": FIRST; sleep 0.1");
        probe({ _shellExecutable: "bash" });
      },
      { onInput: sent => (input = sent) },
    );
    expect(input.slice(input.indexOf(": FIRST")).split("echo question").length - 1).toBe(1);
  });

  test("what asks what the one before it asked is sent once, at its turn", async () => {
    let input = "";
    await listeningRun(
      root,
      () => {
        run(": FIRST; sleep 0.1");
        for (let count = 0; count < 3; count++) later({ words: ["others"] });
      },
      { onInput: sent => (input = sent) },
    );
    expect(input.slice(input.indexOf(": FIRST")).split("echo MARK").length - 1).toBe(3);
  });
});

const idle = operation<object>({
  name: "test.idle",
  changes: "anything",
  async *steps(host) {
    await host.getFact(Question, { word: "question" });
    host.warn("Beware");
    return host.noop("nothing to do");
  },
});
