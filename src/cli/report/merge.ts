/** Joining the runs of several controllers into one result, and finding what is missing from it. Pure. @module */
import type { OperationSummary, ProposedChange } from "../../engine/events.ts";
import { mergeOrder } from "../../engine/stages/order.ts";
import type { Shard } from "../../inventory/shard.ts";
import { EXIT } from "../exit.ts";
import { shardText } from "../shard.ts";
import { plural } from "../views/text.ts";
import { logName, type Results, type RunLog } from "./log.ts";

/** What all logs say together. */
export interface Report {
  readonly runs: readonly RunRow[];
  /** Why the whole is not what was asked for, beside hosts that failed. */
  readonly problems: readonly Problem[];
  /** `ok` is false when a host failed, and when there are problems. */
  readonly results: Results;
  /** Of runs that stopped there. */
  readonly proposed: readonly ProposedChange[];
  /** Answers of facts: by fact, then host. */
  readonly answers: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** One run, as a row. */
export interface RunRow {
  readonly log: string;
  /** `2/3`. */
  readonly shard?: string;
  readonly hosts: number;
  readonly failed: number;
  readonly seconds: number;
  /** Absent when the log does not tell, or ends early. */
  readonly exitCode?: number;
  readonly hasEnded: boolean;
}

/** Something that is wrong with the logs. `code` is stable, the text is for people. */
export interface Problem {
  readonly code:
    | "log-unreadable"
    | "log-cut"
    | "stray-lines"
    | "shard-missing"
    | "shard-twice"
    | "host-twice"
    | "host-lost"
    | "other-split"
    | "other-inventory"
    | "not-run"
    | "run-failed"
    | "run-interrupted";
  readonly message: string;
}

/** Join runs. `unreadable` are the problems of logs that could not be read. */
export function mergeLogs(logs: readonly RunLog[], unreadable: readonly Problem[] = []): Report {
  const runs = [...logs].sort(
    (a, b) => (a.shard?.count ?? 0) - (b.shard?.count ?? 0) || (a.shard?.index ?? 0) - (b.shard?.index ?? 0),
  );
  const operations = mergeOperations(runs);
  const structural = [...unreadable, ...runs.flatMap(logProblems), ...splitProblems(runs), ...hostProblems(runs)];
  // With a log missing nobody knows whether it would have been there.
  const problems = structural.length > 0 ? structural : operations.filter(wasLeftByAll).map(notRun);
  const place = placesOf(runs);
  const hosts = runs.flatMap(({ results: { hosts: own } }) => own).sort((a, b) => place(a.host) - place(b.host));
  const hasEndedWell = runs.every(({ exitCode = EXIT.ok, results }) => exitCode === EXIT.ok && results.ok);
  return {
    runs: runs.map(runRow),
    problems,
    results: {
      type: "results",
      operations,
      hosts,
      seconds: Math.max(0, ...runs.map(({ results }) => results.seconds)),
      ok: problems.length === 0 && hasEndedWell,
    },
    proposed: mergeProposed(runs, place),
    answers: mergeAnswers(runs, place),
  };
}

const runRow = (run: RunLog): RunRow => ({
  log: run.source,
  ...(run.shard ? { shard: shardText(run.shard) } : {}),
  hosts: hostsOf(run).length,
  failed: failedIn(run),
  seconds: run.results.seconds,
  ...(run.exitCode === undefined ? {} : { exitCode: run.exitCode }),
  hasEnded: run.hasEnded,
});

const failedIn = ({ results }: RunLog): number => results.hosts.filter(host => host.error).length;
const hostsOf = ({ split, results }: RunLog): readonly string[] =>
  split?.hosts ?? results.hosts.map(({ host }) => host);

/** What one log shows by itself. */
function logProblems(run: RunLog): readonly Problem[] {
  const name = logName(run);
  const [first] = run.errors;
  const stray =
    run.strayLines.length > 0
      ? [
          problem(
            "stray-lines",
            `${plural(run.strayLines.length, "line")} of ${run.source} ${run.strayLines.length === 1 ? "is no event" : "are no events"}, the first is line ${run.strayLines[0]}`,
          ),
        ]
      : [];
  if (!run.hasEnded) {
    const hosts = hostsOf(run).length;
    return [
      ...stray,
      problem(
        "log-cut",
        `The log of ${name} ends early: its run was killed or is still going on${hosts > 0 ? `, and what became of its ${plural(hosts, "host")} is not known` : ""}`,
      ),
    ];
  }
  if (run.exitCode === EXIT.interrupted) return [...stray, problem("run-interrupted", `${name} was interrupted`)];
  if (first) return [...stray, problem("run-failed", `${name} failed: ${first.message}`)];
  // Hosts that failed speak for themselves.
  const isUnexplained = (run.exitCode ?? EXIT.ok) !== EXIT.ok && failedIn(run) === 0;
  return isUnexplained ? [...stray, problem("run-failed", `${name} failed with exit code ${run.exitCode}`)] : stray;
}

/** Whether the shards are all there, each once, and of one inventory. */
function splitProblems(runs: readonly RunLog[]): readonly Problem[] {
  const shards = runs.filter((run): run is RunLog & { readonly shard: Shard } => run.shard !== undefined);
  const counts = new Map(shards.map(run => [run.shard.count, run]));
  if (counts.size > 1) {
    return [
      problem("other-split", `The logs are of different splits: ${[...counts.values()].map(logName).join(", ")}`),
    ];
  }
  const [count = 0] = counts.keys();
  const byIndex = Map.groupBy(shards, run => run.shard.index);
  const missing = Array.from({ length: count }, (_, index) => index + 1).filter(index => !byIndex.has(index));
  const twice = [...byIndex].filter(([, found]) => found.length > 1);
  const digests = Map.groupBy(
    shards.filter(run => run.split),
    run => run.split?.inventory.digest,
  );
  const total = Math.max(0, ...shards.map(run => run.split?.inventory.hosts ?? 0));
  const known = new Set(shards.flatMap(hostsOf)).size;
  const isWhole = missing.length === 0 && shards.every(run => run.split);
  return [
    ...(missing.length === 0
      ? []
      : [
          missingShards(
            missing.map(index => shardText({ index, count })),
            digests.size === 1 ? { known, total } : undefined,
          ),
        ]),
    ...twice.map(([index, found]) =>
      problem(
        "shard-twice",
        `Shard ${shardText({ index, count })} is there ${found.length} times: ${listed(found.map(({ source }) => source))}`,
      ),
    ),
    ...(digests.size < 2
      ? []
      : [
          problem(
            "other-inventory",
            `The shards are of different inventories: ${[...digests.values()].map(([run]) => (run ? `${logName(run)} of ${plural(run.split?.inventory.hosts ?? 0, "host")}` : "")).join(", ")}`,
          ),
        ]),
    ...(isWhole && digests.size < 2 && known < total
      ? [
          problem(
            "host-lost",
            `${plural(total - known, "host")} of ${total} ${total - known === 1 ? "is" : "are"} in no shard`,
          ),
        ]
      : []),
  ];
}

function missingShards(
  names: readonly string[],
  hosts: { readonly known: number; readonly total: number } | undefined,
): Problem {
  const isOne = names.length === 1;
  const lost =
    hosts && hosts.total > hosts.known
      ? `, and ${plural(hosts.total - hosts.known, "host")} of ${hosts.total} with ${isOne ? "it" : "them"}`
      : "";
  return problem(
    "shard-missing",
    `${isOne ? "Shard" : "Shards"} ${listed(names)} ${isOne ? "is" : "are"} missing${lost}`,
  );
}

/** Hosts that two runs worked on; a shard that is there twice has been told already. */
function hostProblems(runs: readonly RunLog[]): readonly Problem[] {
  const owners = new Map<string, RunLog[]>();
  for (const run of runs)
    for (const host of new Set(hostsOf(run))) owners.set(host, [...(owners.get(host) ?? []), run]);
  return [...owners].flatMap(([host, found]) => {
    const isToldAlready =
      new Set(found.map(({ source, shard }) => (shard ? shardText(shard) : source))).size === 1 && found[0]?.shard;
    return found.length < 2 || isToldAlready
      ? []
      : [problem("host-twice", `Host "${host}" is in ${found.length} runs: ${listed(found.map(logName))}`)];
  });
}

/** Every shard skipped it: it was to run once, where the inventory's first host is, and no host there has it. */
const wasLeftByAll = (row: OperationSummary): boolean => row.skipped > 0 && row.skipped === row.hosts;

const notRun = ({ operation }: OperationSummary): Problem =>
  problem(
    "not-run",
    `"${operation}" is to run once, and ran nowhere: no host of the shard with the inventory's first host has it. Run it on its own, without --shard`,
  );

const problem = (code: Problem["code"], message: string): Problem => ({ code, message });

const MOST = 10;
const listed = (names: readonly string[]): string =>
  [...names.slice(0, MOST), ...(names.length > MOST ? [`${names.length - MOST} more`] : [])].join(", ");

/** Where a host stands in the whole inventory, as far as the logs tell; the others come after those. */
function placesOf(runs: readonly RunLog[]): (host: string) => number {
  const places = new Map(
    runs.flatMap(({ split }) => split?.hosts.map((host, index) => [host, split.places[index] ?? 0] as const) ?? []),
  );
  return host => places.get(host) ?? Number.MAX_SAFE_INTEGER;
}

function mergeAnswers(runs: readonly RunLog[], place: (host: string) => number): Report["answers"] {
  const merged = new Map<string, (readonly [host: string, answer: unknown])[]>();
  for (const { answers } of runs)
    for (const [fact, byHost] of answers) merged.set(fact, [...(merged.get(fact) ?? []), ...Object.entries(byHost)]);
  return Object.fromEntries(
    [...merged].map(([fact, all]) => [fact, Object.fromEntries(all.sort(([a], [b]) => place(a) - place(b)))]),
  );
}

interface Row {
  readonly operation: string;
  readonly key?: string;
}

/** Rows of the same operation together, in an order that keeps that of every run. */
function aligned<R extends Row>(runs: readonly (readonly R[])[]): readonly (readonly [R, ...R[]])[] {
  // A run that was killed tells no keys: there the name has to do.
  const keys = new Map(
    runs
      .flat()
      .flatMap(row => (row.key === undefined ? [] : [[row.operation, row.key] as const]))
      .reverse(),
  );
  const position = new Map<string, number>();
  const sequences = runs.map(rows => {
    const seen = new Map<string, number>();
    return rows.map(row => {
      const key = row.key ?? keys.get(row.operation) ?? row.operation;
      const nth = seen.get(key) ?? 0;
      seen.set(key, nth + 1);
      const id = `${key} ${nth}`;
      if (!position.has(id)) position.set(id, position.size);
      return { id, position: [position.get(id) ?? 0] };
    });
  });
  const next = runs.map(() => 0);
  return mergeOrder(sequences).map(
    ({ hosts }) => hosts.map(index => runs[index]![next[index]!++]!) as unknown as [R, ...R[]],
  );
}

/** Runs may name the same operation differently; more names than a few make no readable line. */
function commonName(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap(({ operation }) => operation))];
  return names.length > NAMES ? `${names.slice(0, NAMES).join(", ")}, …` : names.join(", ");
}
const NAMES = 3;

function mergeOperations(runs: readonly RunLog[]): readonly OperationSummary[] {
  return aligned(runs.map(({ results }) => results.operations)).map((rows, index) => {
    const sum = (count: (row: OperationSummary) => number): number =>
      rows.reduce((total, row) => total + count(row), 0);
    return {
      operation: commonName(rows),
      id: String(index + 1),
      hosts: sum(row => row.hosts),
      changed: sum(row => row.changed),
      unchanged: sum(row => row.unchanged),
      skipped: sum(row => row.skipped),
      failed: sum(row => row.failed),
      ignored: sum(row => row.ignored),
      // Logs of earlier versions have neither.
      interrupted: sum(row => row.interrupted ?? 0),
      unfinished: sum(row => row.unfinished ?? 0),
      notReached: sum(row => row.notReached),
      seconds: Math.max(...rows.map(row => row.seconds)),
    };
  });
}

function mergeProposed(runs: readonly RunLog[], place: (host: string) => number): readonly ProposedChange[] {
  const inOrder = (hosts: readonly string[]): readonly string[] => hosts.toSorted((a, b) => place(a) - place(b));
  return aligned(runs.map(({ proposed }) => proposed)).map((rows, index) => ({
    operation: commonName(rows),
    id: String(index + 1),
    ...(rows[0].at ? { at: rows[0].at } : {}),
    change: inOrder(rows.flatMap(row => row.change)),
    conditional: inOrder(rows.flatMap(row => row.conditional)),
    unchanged: inOrder(rows.flatMap(row => row.unchanged)),
  }));
}
