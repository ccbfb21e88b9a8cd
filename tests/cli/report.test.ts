import { describe, expect, test } from "bun:test";
import { type RunLog, readLogs } from "../../src/cli/report/log.ts";
import { mergeLogs, type Report } from "../../src/cli/report/merge.ts";
import { problemLines, reportLines } from "../../src/cli/views/shards.ts";
import { noPaint } from "../../src/cli/views/paint.ts";

type Line = Readonly<Record<string, unknown>> & { readonly type: string };

const INVENTORY = ["web-1", "web-2", "web-3", "db-1"];
const inventory = { hosts: INVENTORY.length, digest: "d1" };
const start = (...hosts: string[]): Line => ({
  type: "shard:start",
  hosts,
  places: hosts.map(host => INVENTORY.indexOf(host)),
  inventory,
});
const end = (exitCode = 0): Line => ({ type: "shard:end", exitCode });
const ended = (operation: string, host: string, outcome = "changed"): Line => ({
  type: "operation:host:end",
  id: operation,
  operation,
  host,
  outcome,
  commands: 1,
  retryAttempts: 0,
  seconds: 0.5,
  nested: false,
});

interface Row {
  readonly operation: string;
  readonly key?: string;
  readonly changed?: number;
  readonly skipped?: number;
  readonly failed?: number;
  readonly seconds?: number;
}
const row = ({ changed = 0, skipped = 0, failed = 0, seconds = 1, ...rest }: Row) => ({
  id: "1",
  ...rest,
  hosts: changed + skipped + failed,
  changed,
  unchanged: 0,
  skipped,
  failed,
  ignored: 0,
  notReached: 0,
  seconds,
});
const summary = (host: string, error?: string) => ({
  host,
  changed: 1,
  unchanged: 0,
  failed: error === undefined ? 0 : 1,
  ignored: 0,
  notReached: 0,
  ...(error === undefined ? {} : { error: { code: "E_COMMAND", message: error } }),
});
const results = (hosts: readonly ReturnType<typeof summary>[], ...rows: Row[]): Line => ({
  type: "results",
  operations: rows.map(row),
  hosts,
  seconds: 2,
  ok: hosts.every(host => !("error" in host)),
});

const text = (shard: string | undefined, ...lines: Line[]): string =>
  lines.map(line => `${JSON.stringify({ ...line, ...(shard === undefined ? {} : { shard }) })}\n`).join("");
const read = (written: string, source = "log"): Promise<readonly RunLog[]> =>
  readLogs(
    source,
    (async function* () {
      yield* written.split("\n");
    })(),
  );
const merge = async (...texts: string[]): Promise<Report> =>
  mergeLogs((await Promise.all(texts.map((written, index) => read(written, `${"abcdef"[index]}.jsonl`)))).flat());
const problems = (report: Report): string[] => report.problems.map(({ code, message }) => `${code}: ${message}`);

const first = text(
  "1/2",
  start("web-1", "web-3"),
  results(
    [summary("web-1"), summary("web-3")],
    { operation: "One", key: "k1", changed: 2 },
    { operation: "Two", key: "k2", changed: 2, seconds: 3 },
  ),
  end(),
);
const second = text(
  "2/2",
  start("web-2", "db-1"),
  results(
    [summary("web-2"), summary("db-1")],
    { operation: "One", key: "k1", changed: 1 },
    { operation: "Dump", key: "k3", changed: 1 },
    { operation: "Two", key: "k2", changed: 1 },
  ),
  end(),
);

describe("the logs of all shards", () => {
  test("make one result: sums per operation in an order that all keep, hosts in inventory order, the longest time", async () => {
    for (const given of [
      [first, second],
      [second, first],
      [second + first],
      [
        first
          .split("\n")
          .flatMap((line, index) => [line, second.split("\n")[index] ?? ""])
          .join("\n"),
      ],
    ]) {
      const report = await merge(...given);
      expect(problems(report)).toEqual([]);
      expect(report.results).toMatchObject({ ok: true, seconds: 2 });
      expect(
        report.results.operations.map(({ operation, hosts, changed, seconds }) => [operation, hosts, changed, seconds]),
      ).toEqual([
        ["One", 3, 3, 1],
        ["Dump", 1, 1, 1],
        ["Two", 3, 3, 3],
      ]);
      expect(report.results.hosts.map(({ host }) => host)).toEqual(INVENTORY);
      expect(report.runs.map(({ shard, exitCode }) => `${shard} ${exitCode}`)).toEqual(["1/2 0", "2/2 0"]);
    }
  });

  test("are shown as tables", async () => {
    expect(reportLines(await merge(first, second), { paint: noPaint, width: () => 80 })).toEqual([
      "Shards",
      "  Shard  Hosts  Failed  Time  Exit  Log",
      "  1/2        2       -   2 s     0  a.jsonl",
      "  2/2        2       -   2 s     0  b.jsonl",
      "",
      "Results",
      "  Operation  Hosts  Changed  Same  Time",
      "  One            3        3     -   1 s",
      "  Dump           1        1     -   1 s",
      "  Two            3        3     -   3 s",
      "",
      "Done: 7 changes on 4 hosts, 2 s",
    ]);
  });

  test("with a host that failed are a failure, told by the host and not as a problem", async () => {
    const report = await merge(
      first,
      text(
        "2/2",
        start("web-2", "db-1"),
        results([summary("web-2", "It broke"), summary("db-1")], {
          operation: "One",
          key: "k1",
          failed: 1,
          changed: 1,
        }),
        end(1),
      ),
    );
    expect([report.results.ok, problems(report)]).toEqual([false, []]);
    expect(reportLines(report, { paint: noPaint, width: () => 80 }).join("\n")).toContain("web-2  Failed: It broke");
  });

  test("may name one operation differently, and different operations alike", async () => {
    const report = await merge(
      text(
        "1/2",
        start("web-1", "web-3"),
        results(
          [summary("web-1"), summary("web-3")],
          { operation: "Set up web-1", key: "k", changed: 2 },
          { operation: "Reload", key: "x", changed: 2 },
        ),
        end(),
      ),
      text(
        "2/2",
        start("web-2", "db-1"),
        results(
          [summary("web-2"), summary("db-1")],
          { operation: "Set up web-2", key: "k", changed: 2 },
          { operation: "Reload", key: "y", changed: 2 },
        ),
        end(),
      ),
    );
    expect(report.results.operations.map(({ operation, hosts }) => `${operation}: ${hosts}`)).toEqual([
      "Set up web-1, Set up web-2: 4",
      "Reload: 2",
      "Reload: 2",
    ]);
  });

  test("of dry runs give the proposals, of fact runs the answers", async () => {
    const proposed = (change: string[]): Line => ({
      type: "changes",
      proposed: [{ operation: "One", id: "1", key: "k", change, conditional: [], unchanged: [] }],
    });
    const dry = await merge(
      text("1/2", start("web-1", "web-3"), proposed(["web-1", "web-3"]), end()),
      text("2/2", start("web-2", "db-1"), proposed(["web-2"]), end()),
    );
    expect(dry.proposed).toMatchObject([{ operation: "One", change: ["web-1", "web-2", "web-3"] }]);
    expect(reportLines(dry, { paint: noPaint, width: () => 80 })).toContain("  One        3 (web-[1-3])  -");

    const answer = (host: string): Line => ({
      type: "fact:answer",
      fact: "server.Kernel",
      host,
      answer: `kernel of ${host}`,
    });
    const facts = await merge(
      text("1/2", start("web-1", "web-3"), answer("web-1"), answer("web-3"), end()),
      text(
        "2/2",
        start("web-2", "db-1"),
        answer("web-2"),
        { type: "fact:answer", fact: "server.Kernel", host: "db-1", error: { code: "E_FACT", message: "No answer" } },
        end(1),
      ),
    );
    expect(Object.keys(facts.answers["server.Kernel"]!)).toEqual(["web-1", "web-2", "web-3"]);
    expect(problems(facts)).toEqual(["run-failed: 2/2 (b.jsonl) failed: server.Kernel on db-1: No answer"]);
  });
});

describe("what is wrong is named", () => {
  test("a shard that is missing", async () => {
    const report = await merge(second);
    expect(problems(report)).toEqual(["shard-missing: Shard 1/2 is missing, and 2 hosts of 4 with it"]);
    expect(report.results.ok).toBe(false);
  });

  test("a shard that died: no end, or cut in the middle of a line; what it did is counted", async () => {
    const events = text("2/2", start("web-2", "db-1"), ended("One", "web-2"), ended("One", "db-1", "failed"), {
      type: "host:failed",
      host: "db-1",
      stage: "execute",
      error: { code: "E", message: "Broke" },
    });
    for (const log of [events, `${events}{"type":"operation:st`, events.trimEnd()]) {
      const report = await merge(first, log);
      expect(problems(report)).toEqual([
        "log-cut: The log of 2/2 (b.jsonl) ends early: its run was killed or is still going on, and what became of its 2 hosts is not known",
      ]);
      expect(report.results.operations[0]).toMatchObject({ operation: "One", hosts: 4, changed: 3, failed: 1 });
      expect(report.results.hosts.at(-1)).toMatchObject({ host: "db-1", failed: 1, error: { message: "Broke" } });
      expect(report.results.ok).toBe(false);
    }
    expect(problems(await merge(`${first}{"type":"cut`, second))).toEqual([
      "stray-lines: 1 line of a.jsonl is no event, the first is line 4",
    ]);
  });

  test("an empty log", async () => {
    expect(problems(await merge(first, second, ""))).toEqual([
      "log-cut: The log of c.jsonl ends early: its run was killed or is still going on",
    ]);
  });

  test("a shard that is there twice, and a host in two shards", async () => {
    expect(problems(await merge(first, second, second))).toEqual([
      "shard-twice: Shard 2/2 is there 2 times: b.jsonl, c.jsonl",
    ]);
    const overlapping = text(
      "2/2",
      start("web-2", "db-1", "web-1"),
      results([summary("web-2"), summary("db-1"), summary("web-1")], { operation: "One", changed: 3 }),
      end(),
    );
    expect(problems(await merge(first, overlapping))).toEqual([
      'host-twice: Host "web-1" is in 2 runs: 1/2 (a.jsonl), 2/2 (b.jsonl)',
    ]);
  });

  test("logs of different splits, and of different inventories", async () => {
    expect(problems(await merge(first, second.replaceAll('"2/2"', '"2/3"')))).toEqual([
      "other-split: The logs are of different splits: 1/2 (a.jsonl), 2/3 (b.jsonl)",
    ]);
    const other = second.replace('"hosts":4,"digest":"d1"', '"hosts":5,"digest":"d2"');
    expect(problems(await merge(first, other))).toEqual([
      "other-inventory: The shards are of different inventories: 1/2 (a.jsonl) of 4 hosts, 2/2 (b.jsonl) of 5 hosts",
    ]);
  });

  test("hosts that no shard has", async () => {
    const fewer = text("2/2", start("web-2"), results([summary("web-2")], { operation: "One", changed: 1 }), end());
    expect(problems(await merge(first, fewer))).toEqual(["host-lost: 1 host of 4 is in no shard"]);
  });

  test("a run that failed for a reason of its own, or was interrupted", async () => {
    const usage = text(
      "2/2",
      start("web-2", "db-1"),
      { type: "error", error: { code: "E_DEPLOY", message: "There is no file" } },
      end(1),
    );
    expect(problems(await merge(first, usage))).toEqual(["run-failed: 2/2 (b.jsonl) failed: There is no file"]);
    expect(problems(await merge(first, text("2/2", start("web-2", "db-1"), end(1))))).toEqual([
      "run-failed: 2/2 (b.jsonl) failed with exit code 1",
    ]);
    expect(problems(await merge(first, text("2/2", start("web-2", "db-1"), end(130))))).toEqual([
      "run-interrupted: 2/2 (b.jsonl) was interrupted",
    ]);
  });

  test("lines that are no events", async () => {
    expect(problems(await merge(first, `Starting\n${second}`))).toEqual([
      "stray-lines: 1 line of b.jsonl is no event, the first is line 1",
    ]);
  });

  test("what was to run once and ran nowhere; not when another shard ran it", async () => {
    const once = (shard: string, hosts: [string, string], did: Row): string =>
      text(
        shard,
        start(...hosts),
        results(
          hosts.map(host => summary(host)),
          did,
        ),
        end(),
      );
    const skipped = once("2/2", ["web-2", "db-1"], { operation: "Migrate", key: "m", skipped: 2 });
    const nowhere = await merge(
      text("1/2", start("web-1", "web-3"), results([summary("web-1"), summary("web-3")]), end()),
      skipped,
    );
    expect(problems(nowhere)).toEqual([
      'not-run: "Migrate" is to run once, and ran nowhere: no host of the shard with the inventory\'s first host has it. Run it on its own, without --shard',
    ]);
    expect(nowhere.results.ok).toBe(false);
    expect(
      problems(
        await merge(
          once("1/2", ["web-1", "web-3"], { operation: "Migrate", key: "m", changed: 1, skipped: 1 }),
          skipped,
        ),
      ),
    ).toEqual([]);
  });
});

test("logs of runs without shards are joined too: they end with their results", async () => {
  const log = (host: string): string => text(undefined, results([summary(host)], { operation: "One", changed: 1 }));
  expect((await merge(log("a"), log("b"))).results).toMatchObject({
    ok: true,
    operations: [{ operation: "One", hosts: 2, changed: 2 }],
  });
  expect(problems(await merge(log("a"), log("a")))).toEqual(['host-twice: Host "a" is in 2 runs: a.jsonl, b.jsonl']);
  expect(problems(await merge(log("a"), text(undefined, ended("One", "b"))))).toEqual([
    "log-cut: The log of b.jsonl ends early: its run was killed or is still going on, and what became of its 1 host is not known",
  ]);
});

test("control characters of a log do not reach the terminal", async () => {
  const report = await merge(
    first,
    text("2/2", start("web-2", "db-1"), { type: "error", error: { code: "E", message: "\x1b[2Jgone\nmore" } }, end(1)),
  );
  expect(problemLines(report, noPaint)).toEqual(["Problem: 2/2 (b.jsonl) failed: gone ⏎ more"]);
});
