import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Screen } from "../../src/cli/screen.ts";
import { foldHosts, hostList } from "../../src/cli/views/hosts.ts";
import { colorPaint, noPaint, wantsColor } from "../../src/cli/views/paint.ts";
import { Progress } from "../../src/cli/views/progress.ts";
import { table } from "../../src/cli/views/table.ts";
import { bytes, duration, oneLine, widthOf, wrap } from "../../src/cli/views/text.ts";
import { createView, type ViewOptions } from "../../src/cli/views/view.ts";
import type { OutputFormat } from "../../src/config/define.ts";
import type { EngineEvent, OutcomeType } from "../../src/engine/events.ts";

const FIXTURES = join(import.meta.dir, "../../fixtures/cli");
const situations = readdirSync(FIXTURES)
  .filter(name => name.endsWith(".jsonl"))
  .map(name => name.replace(".jsonl", ""))
  .sort();

const eventsOf = (situation: string): EngineEvent[] =>
  readFileSync(join(FIXTURES, `${situation}.jsonl`), "utf8")
    .trim()
    .split("\n")
    .map(line => JSON.parse(line) as EngineEvent);

class Recorder {
  text = "";
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  constructor(isTTY = false, columns?: number) {
    this.isTTY = isTTY;
    this.columns = columns;
  }
  write(text: string): void {
    this.text += text;
  }
}

const clock = { now: () => Date.parse("2026-11-22T12:00:00Z"), monotonic: () => 0, sleep: () => Promise.resolve() };

function show(
  format: OutputFormat,
  events: readonly EngineEvent[],
  options: Partial<ViewOptions> = {},
): { readonly out: string; readonly err: string } {
  const out = new Recorder();
  const err = new Recorder(format === "pretty", 80);
  const hosts = [
    ...new Set(events.flatMap(event => ("host" in event && event.host !== undefined ? [event.host] : []))),
  ];
  const view = createView(format, {
    screen: new Screen(out, err),
    paint: noPaint,
    clock,
    verbosity: 0,
    hosts,
    isQuiet: false,
    outputShown: false,
    ...options,
  });
  for (const event of events) view.emit(event);
  view.close();
  return { out: out.text, err: err.text };
}

describe("the plain view", () => {
  test.each(situations)("shows %s as recorded", situation => {
    for (const verbosity of [0, 3]) {
      const file = join(FIXTURES, `${situation}${verbosity === 0 ? "" : ".verbose"}.txt`);
      const shown = show("plain", eventsOf(situation), { verbosity });
      if (process.env["UPDATE_FIXTURES"]) writeFileSync(file, shown.err);
      expect(shown.err).toBe(readFileSync(file, "utf8"));
      expect(shown.out).toBe("");
    }
  });

  test.each(situations)("prints no control characters: %s", situation => {
    expect(show("plain", eventsOf(situation), { verbosity: 3 }).err).not.toMatch(/[^\n\P{Cc}]/u);
  });

  test("tells only what went wrong when what was asked for is printed elsewhere", () => {
    const { err } = show("plain", eventsOf("three-hosts"), { isQuiet: true, outputShown: true });
    expect(err).toContain("old-1  Not connected");
    expect(err).toContain("web-2  Failed");
    expect(err).not.toMatch(/Connected|Changed|Results|Proposed|Setting up|dpkg/);
    expect(err).toContain("Failed: 2 of 4 hosts: web-2, old-1");
  });
});

test("operations of a callback that did not run are told in one line, also where it went on", () => {
  const end = (host: string, outcome: OutcomeType, notRun: readonly string[]): EngineEvent => ({
    ...{ type: "operation:host:end", id: "1", operation: "Set up", host, outcome, notRun },
    ...{ commands: 1, retryAttempts: 0, seconds: 0, nested: false },
    ...(outcome === "failed" ? { error: { code: "E_DEPLOY", message: "No" } } : {}),
  });
  const many = Array.from({ length: 30 }, (_, index) => `Install ${index} of it`);
  const { err } = show("plain", [end("web-1", "failed", ["One", "Two"]), end("web-2", "changed", many)]);
  expect(err.split("\n").filter(line => line.includes("Not run"))).toEqual([
    "  web-1  Not run: One, Two",
    "  web-2  Not run: Install [0-29] of it",
  ]);
});

describe("the pretty view", () => {
  test.each(situations)("prints the lines of the plain view: %s", situation => {
    const events = eventsOf(situation);
    const pretty = show("pretty", events, { paint: colorPaint }).err;
    // What the line in progress wrote was erased before the next line was printed.
    const printed = pretty.replace(/(?:\x1b\[\?25[hl])?[^\n]*\r\x1b\[2K(?:\x1b\[\?25[hl])?/g, "");
    const plain = new Recorder(true, 80);
    show("plain", events, { screen: new Screen(plain, plain) });
    expect(Bun.stripANSI(printed)).toBe(plain.text);
  });

  test("leaves no line in progress and the cursor where it was", () => {
    const { err } = show("pretty", eventsOf("three-hosts").slice(0, 6));
    expect(err).toContain("\x1b[?25l");
    expect(err.endsWith("\r\x1b[2K\x1b[?25h")).toBe(true);
  });
});

describe("the JSON view", () => {
  test.each(situations)("prints every event as one line on stdout, and nothing else: %s", situation => {
    const events = eventsOf(situation);
    const { out, err } = show("json", events);
    expect(err).toBe("");
    const parsed = out
      .trimEnd()
      .split("\n")
      .map(line => JSON.parse(line) as Record<string, unknown>);
    expect(parsed.every(({ time }) => time === "2026-11-22T12:00:00.000Z")).toBe(true);
    expect(parsed.map(({ time: _, ...event }) => event)).toEqual(events as never);
  });
});

describe("the line in progress", () => {
  function after(events: readonly EngineEvent[], seconds = 0, width = 80): string | undefined {
    const progress = new Progress();
    for (const event of events) progress.take(event, 0);
    return progress.line(seconds * 1000, width, noPaint)?.slice(2);
  }
  const connecting: EngineEvent[] = [
    { type: "stage:start", stage: "connect", hosts: 3 },
    { type: "host:connecting", host: "a-1" },
    { type: "host:connecting", host: "a-2" },
    { type: "host:connecting", host: "a-3" },
  ];
  const operating: EngineEvent[] = [
    { type: "operation:start", id: "1", operation: "Install", hosts: ["a", "b"], mode: "parallel" },
    { type: "operation:host:start", id: "1", operation: "Install", host: "a" },
    { type: "operation:host:start", id: "1", operation: "Install", host: "b" },
  ];
  const done: EngineEvent = {
    type: "operation:host:end",
    id: "1",
    operation: "Install",
    host: "a",
    outcome: "changed",
    commands: 1,
    retryAttempts: 0,
    seconds: 1,
    nested: false,
  };

  test("counts hosts that are connected and names those that are waited for", () => {
    expect(after(connecting)).toBe("Connecting  0/3 hosts  a-[1-3]");
    const failed: EngineEvent = {
      type: "host:failed",
      host: "a-2",
      stage: "connect",
      error: { code: "E", message: "" },
    };
    expect(after([...connecting, { type: "host:connected", host: "a-1", seconds: 1 }, failed], 5)).toBe(
      "Connecting  2/3 hosts  a-3  5 s",
    );
    expect(after([...connecting, { type: "stage:end", stage: "connect", seconds: 1 }])).toBeUndefined();
  });

  test("names facts", () => {
    const prepare: EngineEvent[] = [
      { type: "stage:start", stage: "prepare", hosts: 2 },
      { type: "fact:start", host: "a", fact: "server.Users", args: {} },
    ];
    expect(after(prepare)).toBe("Preparing  0/2 hosts  fact server.Users of a");
    expect(after([...prepare, { type: "fact:end", host: "a", fact: "server.Users", args: {}, seconds: 1 }])).toBe(
      "Preparing  0/2 hosts",
    );
  });

  test("counts an operation's hosts", () => {
    expect(after(operating)).toBe("Install  0/2 hosts  a, b");
    expect(after([...operating, done], 3)).toBe("Install  1/2 hosts  b  3 s");
    expect(after([...operating, { type: "operation:end", id: "1", operation: "Install", seconds: 1 }])).toBeUndefined();
  });

  test("counts the bytes of long transfers", () => {
    const transfer = (host: string, count: number): EngineEvent => ({
      type: "transfer",
      host,
      direction: "upload",
      path: "/srv/app.tar",
      bytes: count,
      total: 100_000_000,
    });
    expect(after([...operating, transfer("a", 25_000_000)])).toBe(
      "Install  0/2 hosts  uploading /srv/app.tar 25.0 MB of 100 MB (25 %)  a, b",
    );
    expect(after([...operating, transfer("a", 25_000_000), transfer("b", 50_000_000)])).toContain(
      "uploading 2 files 75.0 MB of 200 MB (37 %)",
    );
    expect(after([...operating, transfer("a", 25_000_000), transfer("a", 100_000_000)])).not.toContain("uploading");
  });

  test("never fills a whole row", () => {
    for (const width of [20, 40, 80])
      expect(widthOf(after([...operating, ...connecting], 100, width) ?? "")).toBeLessThanOrEqual(width - 3);
  });
});

describe("host names", () => {
  test("that differ in their last number are folded", () => {
    expect(foldHosts(["web-1", "web-2", "web-3", "db", "web-5"])).toEqual(["web-[1-3]", "db", "web-5"]);
    expect(foldHosts(["n09.eu", "n10.eu", "n11.eu"])).toEqual(["n09.eu", "n[10-11].eu"]);
    expect(foldHosts(["n01", "n02", "n3"])).toEqual(["n[01-02]", "n3"]);
    expect(foldHosts(["@docker/a:1", "@docker/a:2"])).toEqual(["@docker/a:1", "@docker/a:2"]);
    expect(foldHosts(["9", "10", "11"])).toEqual(["[9-11]"]);
  });

  test("that do not fit are counted", () => {
    expect(hostList(["alpha", "beta", "gamma", "delta"], 80)).toBe("alpha, beta, gamma, delta");
    expect(hostList(["alpha", "beta", "gamma", "delta"], 22)).toBe("alpha, beta, … 2 more");
    // As hosts, not as what is written.
    expect(hostList(["web-1", "web-2", "web-3", "db-1", "db-3", "db-4"], 20)).toBe("web-[1-3], … 3 more");
    expect(hostList(["web-1.example.com", "web-2.example.com", "web-4.example.com"], 28)).toBe(
      "web-[1-2].example.com, …",
    );
    expect(hostList(["a-very-long-name-of-a-host.example.com"], 10)).toBe("a-very-lo…");
  });
});

describe("text", () => {
  test("of others cannot steer the terminal", () => {
    expect(oneLine("a\x1b[2Jb\x07c\rd\ne\tf\u009b1mg")).toBe("abc ⏎ d ⏎ e    fg");
  });

  test("durations and sizes are for people", () => {
    expect([0.123, 2, 4.25, 42.4, 185].map(duration)).toEqual(["0.12 s", "2 s", "4.3 s", "42 s", "3 min 5 s"]);
    expect([512, 3400, 120_000_000, 2.5e9].map(bytes)).toEqual(["512 B", "3.4 kB", "120 MB", "2.5 GB"]);
  });

  test("wraps at spaces", () => {
    expect(wrap("one two three four", 9)).toEqual(["one two", "three", "four"]);
  });

  test("in tables is aligned, and cut to the width, wide characters counted as such", () => {
    const columns = [
      { title: "Name", shrinkTo: 6 },
      { title: "N", align: "right" },
    ] as const;
    expect(
      table(
        columns,
        [
          ["日本語の名前", "1"],
          ["b", "20"],
        ],
        80,
        noPaint,
      ),
    ).toEqual(["  Name           N", "  日本語の名前   1", "  b             20"]);
    for (const line of table(
      columns,
      [
        ["x".repeat(100), "1"],
        ["日本語の名前".repeat(9), "20"],
      ],
      30,
      noPaint,
    ))
      expect(widthOf(line)).toBeLessThanOrEqual(30);
  });
});

describe("rows of operations with long names", () => {
  const names = Array.from(
    { length: 4 },
    (_, index) => `Deploy prometheus | Install the exporter for node number ${index}`,
  );
  const changes: EngineEvent = {
    type: "changes",
    proposed: names.map((operation, index) => ({
      operation,
      id: String(index),
      change: ["a"],
      conditional: [],
      unchanged: [],
    })),
  };
  const results: EngineEvent = {
    type: "results",
    operations: names.map((operation, index) => ({
      operation,
      id: String(index),
      hosts: 1,
      changed: 1,
      unchanged: 0,
      skipped: 0,
      ignored: 0,
      failed: 0,
      interrupted: 0,
      unfinished: 0,
      notReached: 0,
      seconds: 1,
    })),
    hosts: [],
    seconds: 1,
    ok: true,
  };

  test("are whole where no terminal would break them", () => {
    const { err } = show("plain", [changes, results]);
    for (const name of names) expect(err.split(`  ${name}  `)).toHaveLength(3);
  });

  test.each([50, 60, 80])("go on in the next line of a terminal of %d columns", columns => {
    const err = new Recorder(true, columns);
    show("plain", [changes, results], { screen: new Screen(new Recorder(true, columns), err) });
    expect(err.text).not.toContain("…");
    const words = err.text
      .split("\n")
      .map(line => line.trim().split(/ {2,}/)[0])
      .join(" ");
    for (const name of names) expect(words.split(name)).toHaveLength(3);
    for (const line of err.text.split("\n")) expect(widthOf(line)).toBeLessThanOrEqual(columns);
  });

  test("break a word that is longer than a line", () => {
    expect(table([{ title: "N", shrinkTo: 8, wraps: true }], [["a 日本語の名前 abcdefghijkl"]], 10, noPaint)).toEqual([
      "  N",
      "  a",
      "    日本語",
      "    の名前",
      "    abcdef",
      "    ghijkl",
    ]);
  });
});

test("color: --no-color, then NO_COLOR, then FORCE_COLOR, then the terminal", () => {
  expect(wantsColor(false, {}, true)).toBe(true);
  expect(wantsColor(false, {}, false)).toBe(false);
  expect(wantsColor(false, { TERM: "dumb" }, true)).toBe(false);
  expect(wantsColor(false, { FORCE_COLOR: "1" }, false)).toBe(true);
  expect(wantsColor(false, { FORCE_COLOR: "0" }, true)).toBe(false);
  expect(wantsColor(false, { NO_COLOR: "1", FORCE_COLOR: "1" }, true)).toBe(false);
  expect(wantsColor(false, { NO_COLOR: "" }, true)).toBe(true);
  expect(wantsColor(true, { FORCE_COLOR: "1" }, true)).toBe(false);
});
