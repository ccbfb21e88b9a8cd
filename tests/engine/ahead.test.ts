/** Operations sent ahead of their turn: as if each had waited for the one before. */
import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sh } from "../../src/core/command.ts";
import { fact } from "../../src/core/fact.ts";
import { operation } from "../../src/core/operation.ts";
import { directory, file, line, put } from "../../src/operations/files/index.ts";
import { shell } from "../../src/operations/server/index.ts";
import { listeningRun, type ListeningOptions } from "../support/listening-run.ts";

setDefaultTimeout(60_000);

let root: string;
let work: string;
beforeAll(async () => void (root = await mkdtemp(join(tmpdir(), "tsinfra-ahead-"))));
afterAll(() => rm(root, { recursive: true }));
beforeEach(async () => {
  work = await mkdtemp(join(root, "work-"));
});

const deploy = (body: () => void, options?: ListeningOptions) => listeningRun(root, body, options);
const run = (command: string, globals = {}): unknown => shell({ commands: [command], ...globals });
/** Ends the shell that started its own, which is the one that all share. */
const END_SHARED_SHELL = `read -r _ _ _ parent _ </proc/$$/stat; read -r name </proc/$parent/comm; [ "$name" = sh ] && kill -9 $parent`;
const content = (path: string): Promise<string> => Bun.file(join(work, path)).text();
/** All that is there: names, modes, contents. */
const state = async (path: string): Promise<string> =>
  await Bun.spawn(
    [
      "sh",
      "-c",
      `cd "$1" && find . | sort | while read -r f; do stat -c '%n %A' "$f"; [ -d "$f" ] || cat "$f"; done`,
      "sh",
      path,
    ],
    { stderr: "inherit" },
  ).stdout.text();

/** An operation that may be sent ahead, and the fact that it may ask. */
function questioner() {
  const Answer = fact<Record<never, never>, string>({
    name: "test.Answer",
    command: () => sh`echo answer`,
    parse: ([answer = ""]) => answer,
    empty: "",
  });
  const changes = operation<{ readonly asks: boolean }>({
    name: "test.changes",
    changes: "what it names",
    async *steps(host, { asks }) {
      if (asks) await host.getFact(Answer);
      yield sh`true`;
    },
  });
  return { Answer, changes };
}

describe("what is sent ahead", () => {
  test("does not wait for the answer of what runs", async () => {
    // The first command ends when the last one has been sent.
    const { outcomes } = await deploy(
      () => {
        run(`until [ -e ${work}/go ]; do sleep 0.01; done`);
        for (const number of [2, 3, 4]) run(`echo number ${number} >>${work}/log`);
        directory({ path: `${work}/directory`, mode: "700" });
        put({ content: "text\n", dest: `${work}/file`, mode: "600" });
      },
      { onInput: input => void (input.includes(".tsinfra-") && Bun.write(`${work}/go`, "")) },
    );
    expect(outcomes).toEqual(Array(6).fill("changed"));
    expect(await content("log")).toBe("number 2\nnumber 3\nnumber 4\n");
    expect(await state(work)).toContain("./directory drwx------");
  });

  test("leaves what was asked behind it known", async () => {
    const { Answer, changes } = questioner();
    const { events, outcomes } = await deploy(() => {
      changes({ asks: true });
      changes({ asks: false });
      changes({ asks: true });
    });
    expect(outcomes).toEqual(Array(3).fill("changed"));
    // Once for the forecast, once behind the second.
    expect(events.filter(event => event.type === "fact:start" && event.fact === Answer.name).length).toBe(2);
  });

  test("prints what it prints in its own operation, also while it runs", async () => {
    const { events, ends } = await deploy(() => {
      run("echo one; echo error one >&2");
      run("echo two; echo error two >&2");
      run("echo three");
    });
    expect(ends.length).toBe(3);
    const told = events.flatMap(event =>
      event.type === "output" && event.for === "operation"
        ? [`${event.stream} ${event.line}`]
        : event.type === "operation:start"
          ? ["start"]
          : event.type === "command" && event.for === "operation"
            ? [event.command]
            : [],
    );
    expect(told.filter(text => !text.startsWith("stderr"))).toEqual([
      "start",
      "echo one; echo error one >&2",
      "stdout one",
      "start",
      "echo two; echo error two >&2",
      "stdout two",
      "start",
      "echo three",
      "stdout three",
    ]);
    const at = (text: string): number => told.indexOf(text);
    expect(at("stderr error one")).toBeLessThan(at("echo two; echo error two >&2"));
    expect(at("stderr error two")).toBeGreaterThan(at("echo two; echo error two >&2"));
  });

  test("does not run behind what failed", async () => {
    const { outcomes } = await deploy(() => {
      run(`touch ${work}/first`);
      run("exit 3");
      run(`touch ${work}/never`);
    });
    expect(outcomes).toEqual(["changed", "failed"]);
    expect(await state(work)).not.toContain("never");
  });

  test("runs once behind a failure that is ignored", async () => {
    const { outcomes } = await deploy(() => {
      run("exit 3", { _ignoreErrors: true });
      run(`echo once >>${work}/log`);
      run(`echo twice >>${work}/log`);
    });
    expect(outcomes).toEqual(["ignored", "changed", "changed"]);
    expect(await content("log")).toBe("once\ntwice\n");
  });

  test("runs once behind a retry", async () => {
    const { outcomes } = await deploy(() => {
      run(`echo try >>${work}/tries; [ $(wc -l <${work}/tries) = 3 ]`, { _retries: 3, _retryDelay: 0 });
      run(`echo once >>${work}/log`);
    });
    expect(outcomes).toEqual(["changed", "changed"]);
    expect((await content("tries")) + (await content("log"))).toBe("try\ntry\ntry\nonce\n");
  });

  test("a retried operation is retried though its first try was ahead", async () => {
    const { outcomes } = await deploy(() => {
      run(`echo begin >>${work}/log`);
      run(`echo try >>${work}/log; [ $(wc -l <${work}/log) = 4 ]`, { _retries: 3, _retryDelay: 0 });
      run(`echo end >>${work}/log`);
    });
    expect(outcomes).toEqual(["changed", "changed", "changed"]);
    expect(await content("log")).toBe("begin\ntry\ntry\ntry\nend\n");
  });

  test("is evaluated again where a fact does not hold any more", async () => {
    await Bun.write(`${work}/file`, "as it should be");
    await Bun.$`chmod 644 ${work}/file`;
    const { outcomes } = await deploy(() => {
      run(`chmod 600 ${work}/file`);
      file({ path: `${work}/file`, mode: "644" });
      run(`echo done >>${work}/log`);
    });
    expect(outcomes).toEqual(["changed", "changed", "changed"]);
    expect(await state(work)).toContain("./file -rw-r--r--");
    expect(await content("log")).toBe("done\n");
  });

  test("changes nothing where a fact has come true meanwhile", async () => {
    const { outcomes } = await deploy(() => {
      run(`mkdir -m 755 ${work}/made`);
      directory({ path: `${work}/made`, mode: "755" });
      run(`echo done >>${work}/log`);
    });
    expect(outcomes).toEqual(["changed", "unchanged", "changed"]);
  });

  test("reads local files after what may have written them", async () => {
    await Bun.write(`${work}/source`, "old");
    const { outcomes } = await deploy(() => {
      run(`printf new >${work}/source`);
      put({ src: `${work}/source`, dest: `${work}/copy` });
      put({ src: `${work}/copy`, dest: `${work}/copy of copy`, assumeExists: true });
    });
    expect(outcomes).toEqual(["changed", "changed", "changed"]);
    expect(await content("copy of copy")).toBe("new");
  });

  test("leaves conditions until their turn", async () => {
    const { outcomes } = await deploy(() => {
      const first = shell({ commands: ["true"] });
      const second = directory({ path: work });
      run(`echo yes >>${work}/log`, { _if: () => first.didChange() });
      run(`echo no >>${work}/log`, { _if: () => second.didChange() });
      run(`echo end >>${work}/log`);
    });
    expect(outcomes).toEqual(["changed", "unchanged", "changed", "unchanged", "changed"]);
    expect(await content("log")).toBe("yes\nend\n");
  });

  test("goes on in another shell when a command ends the one it is in", async () => {
    const { outcomes } = await deploy(() => {
      run(`echo one >>${work}/log`);
      run(END_SHARED_SHELL, { _ignoreErrors: true });
      run(`echo two >>${work}/log`);
      run(`echo three >>${work}/log`);
    });
    expect(outcomes).toEqual(["changed", "ignored", "changed", "changed"]);
    expect(await content("log")).toBe("one\ntwo\nthree\n");
  });

  test.each([0, 1, 2, 3])(
    "is no success where its session ends with code 0 in the middle of it, behind %d others",
    async others => {
      const { outcomes, ends } = await deploy(
        () => {
          for (let number = 0; number < others; number++) run(`echo ${number} >>${work}/log`);
          run(`echo begins >>${work}/log; ${END_SHARED_SHELL}; sleep 0.2`);
          run(`echo never >>${work}/log`);
        },
        { endingWith: 0 },
      );
      expect(outcomes).toEqual([...Array.from({ length: others }, () => "changed" as const), "failed"]);
      expect(ends.at(-1)?.error?.message).toEndWith("its state is unknown");
      expect(await content("log")).toBe(
        `${Array.from({ length: others }, (_, number) => `${number}\n`).join("")}begins\n`,
      );
    },
  );

  test("has each of its commands run once, though their shell ends between them", async () => {
    const { outcomes } = await deploy(() => {
      run("sleep 0.2");
      shell({
        commands: [`echo one >>${work}/log`, `echo two >>${work}/log; ${END_SHARED_SHELL}`, `echo three >>${work}/log`],
        _successExitCodes: [0, 137],
      });
      run(`echo four >>${work}/log`);
    });
    expect(await content("log")).toBe("one\ntwo\n");
    expect(outcomes).toEqual(["changed", "failed"]);
  });

  test("is only what said that it can be", async () => {
    const wasFirstDone: boolean[] = [];
    const own = operation<{ readonly path: string }>({
      name: "own.touch",
      async *steps(_, { path }) {
        wasFirstDone.push(await Bun.file(`${work}/first`).exists());
        yield sh`touch ${path}`;
      },
    });
    await deploy(() => {
      run(`sleep 0.1; touch ${work}/first`);
      own({ path: `${work}/second` });
    });
    // It may be looked at for what it will ask; what is run is what comes of it at its turn.
    expect(wasFirstDone.at(-1)).toBeTrue();
  });

  test("ends with the run", async () => {
    const controller = new AbortController();
    const { error, ends } = await deploy(
      () => {
        run(`touch ${work}/begun; sleep 30; touch ${work}/never`);
        run(`touch ${work}/never`);
      },
      {
        signal: controller.signal,
        onInput: async input =>
          input.includes("begun") && (await until(`${work}/begun`), controller.abort(new Error("enough"))),
      },
    );
    expect(error).toMatchObject({ code: "E_CANCELLED" });
    // The second one has been sent, and has not begun.
    expect(ends).toMatchObject([{ outcome: "interrupted", unfinished: true, commands: 0 }]);
    expect(await state(work)).not.toContain("never");
  });
});

const until = async (path: string): Promise<void> => {
  while (!(await Bun.file(path).exists())) await Bun.sleep(5);
};

describe("any sequence of operations", () => {
  /** A generator of numbers that is the same every time. */
  function random(seed: number) {
    let last = seed;
    return (below: number): number => {
      last = (last * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((last / 2_147_483_648) * below);
    };
  }

  const PROGRAMS = 40;
  test(`has the same outcomes and leaves the same files as without (${PROGRAMS} programs)`, async () => {
    for (let seed = 1; seed <= PROGRAMS; seed++) {
      const [ahead, plain] = [join(work, "ahead"), join(work, "plain")];
      const told: unknown[] = [];
      for (const [base, fast] of [
        [ahead, true],
        [plain, false],
      ] as const) {
        await rm(base, { recursive: true, force: true });
        await mkdir(base);
        const { outcomes, ends } = await deploy(() => program(random(seed), base), { fast });
        told.push({ outcomes, commands: ends.map(({ commands }) => commands), files: await state(base) });
      }
      expect({ seed, ...(told[0] as object) }).toEqual({ seed, ...(told[1] as object) });
    }
  });

  function program(next: (below: number) => number, base: string): void {
    const path = (): string => `${base}/${["a", "b", "c/d", "c"][next(4)]}`;
    const mode = (): string => ["600", "644", "755"][next(3)]!;
    for (let count = 4 + next(8); count > 0; count--) {
      const how = { _ignoreErrors: true, ...(next(6) === 0 ? { _retries: 1, _retryDelay: 0 } : {}) };
      [
        () => directory({ path: path(), mode: mode(), ...how }),
        () => file({ path: path(), mode: mode(), present: next(4) > 0, ...how }),
        () => put({ content: `text ${next(3)}\n`, dest: path(), mode: mode(), ...how }),
        () => line({ path: path(), line: `line ${next(3)}`, present: next(3) > 0, ...how }),
        () => run(`echo shell ${next(3)} >>${path()}`, how),
        () => run(`rm -rf ${path()}`, how),
        () => run(`exit ${next(2)}`, how),
      ][next(7)]!();
    }
  }
});
