/** Reading the event logs that runs with `--json` wrote. @module */
import type { EngineEvent, ErrorReport, HostSummary, OperationSummary, ProposedChange } from "../../engine/events.ts";
import { Tally, total } from "../../engine/tally.ts";
import type { Shard } from "../../inventory/shard.ts";
import { readShard, shardText } from "../shard.ts";

export type Results = EngineEvent & { readonly type: "results" };

/** What one log tells of the run that wrote it. */
export interface RunLog {
  /** File, or `standard input`. */
  readonly source: string;
  readonly shard: Shard | undefined;
  /** The run's own hosts, and how many hosts there are in all; absent when the log does not tell. */
  readonly split: Split | undefined;
  /** What the run says of itself at its end; for one that has none, what its events add up to. */
  readonly results: Results;
  readonly proposed: readonly ProposedChange[];
  /** Answers of facts: by fact, then host. */
  readonly answers: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** Errors that are not an operation's. */
  readonly errors: readonly ErrorReport[];
  /** Absent in logs that are not a shard's, and in those that end early. */
  readonly exitCode: number | undefined;
  /** False when the run was killed, or has not ended yet. */
  readonly hasEnded: boolean;
  /** Numbers of lines that are no events. */
  readonly strayLines: readonly number[];
}

/** A log's first line: how the inventory was split. */
export interface Split {
  readonly hosts: readonly string[];
  /** Where each of the hosts stands in the whole inventory. */
  readonly places: readonly number[];
  readonly inventory: { readonly hosts: number; readonly digest: string };
}

/** The runs whose events are in `lines`: usually one, several when logs were put one after the other or run together. */
export async function readLogs(source: string, lines: AsyncIterable<string>): Promise<readonly RunLog[]> {
  const runs: Draft[] = [];
  const current = new Map<string, Draft>();
  const strayLines: number[] = [];
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line.trim() === "") continue;
    const event = eventOf(line);
    if (!event) {
      strayLines.push(number);
      continue;
    }
    const shard = typeof event.shard === "string" ? event.shard : "";
    const known = current.get(shard);
    const run = known && !(known.hasBegun && event.type === "shard:start") ? known : new Draft(shard);
    if (run !== known) runs.push(run);
    current.set(shard, run);
    run.take(event);
  }
  if (runs.length === 0) runs.push(new Draft(""));
  // The line in which a killed run was cut off is no mistake of its own.
  if (strayLines.at(-1) === number && !runs.at(-1)!.hasEnded) strayLines.pop();
  return runs.map((run, index) => run.log(source, index === 0 ? strayLines : []));
}

type LogEvent = { readonly type: string; readonly shard?: unknown } & Readonly<Record<string, unknown>>;

function eventOf(line: string): LogEvent | undefined {
  try {
    const value = JSON.parse(line) as unknown;
    return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string"
      ? (value as LogEvent)
      : undefined;
  } catch {
    return undefined;
  }
}

/** One run while its events are read. */
class Draft {
  readonly #shard: Shard | undefined;
  #split: Split | undefined;
  #results: Results | undefined;
  #proposed: readonly ProposedChange[] = [];
  #exitCode: number | undefined;
  readonly #answers = new Map<string, Record<string, unknown>>();
  readonly #errors: ErrorReport[] = [];
  /** Names of the operations, by id. */
  readonly #operations = new Map<string, string>();
  readonly #tally = new Tally<string, string>();
  readonly #failed = new Map<string, ErrorReport>();

  constructor(shard: string) {
    this.#shard = readShard(shard);
  }

  get hasBegun(): boolean {
    return this.#split !== undefined;
  }

  /** What is of no use here, or has not the fields it should have, is passed over: logs of other versions have more. */
  take(event: LogEvent): void {
    const { type } = event;
    if (type === "shard:start") this.#split = isSplit(event) ? event : undefined;
    else if (type === "shard:end") this.#exitCode = Number(event["exitCode"]);
    else if (type === "changes" && Array.isArray(event["proposed"]))
      this.#proposed = event["proposed"] as ProposedChange[];
    else if (type === "results" && Array.isArray(event["operations"]) && Array.isArray(event["hosts"]))
      this.#results = event as unknown as Results;
    else if (type === "error") this.#errors.push(event["error"] as ErrorReport);
    else if (type === "host:failed") this.#failed.set(String(event["host"]), event["error"] as ErrorReport);
    else if (type === "operation:host:end" && event["nested"] !== true)
      this.#count(event as EngineEvent & { readonly type: "operation:host:end" });
    else if (type === "fact:answer") this.#answer(event);
  }

  log(source: string, strayLines: readonly number[]): RunLog {
    return {
      source,
      shard: this.#shard,
      split: this.#split,
      results: this.#results ?? this.#counted(),
      proposed: this.#proposed,
      answers: this.#answers,
      errors: this.#errors,
      exitCode: this.#exitCode,
      hasEnded: this.hasEnded,
      strayLines,
    };
  }

  get hasEnded(): boolean {
    return this.#shard
      ? this.#exitCode !== undefined
      : this.#results !== undefined || this.#errors.length > 0 || this.#answers.size > 0;
  }

  #count(event: EngineEvent & { readonly type: "operation:host:end" }): void {
    if (!this.#operations.has(event.id)) this.#operations.set(event.id, event.operation);
    this.#tally.add(event.id, event.host, event);
  }

  #answer(event: LogEvent): void {
    const [fact, host] = [String(event["fact"]), String(event["host"])];
    if ("error" in event) {
      const { code, message } = event["error"] as ErrorReport;
      this.#errors.push({ code, message: `${fact} on ${host}: ${message}` });
    } else this.#answers.set(fact, { ...this.#answers.get(fact), [host]: event["answer"] });
  }

  /** Results of a run that wrote none. */
  #counted(): Results {
    const operations = [...this.#operations].map(([id, operation]): OperationSummary => {
      const counts = this.#tally.ofOperation(id);
      return { operation, id, ...counts, hosts: total(counts), notReached: 0 };
    });
    const names = new Set([...(this.#split?.hosts ?? []), ...this.#tally.hosts, ...this.#failed.keys()]);
    const hosts = [...names].map((host): HostSummary => {
      const { skipped: _, ...counts } = this.#tally.ofHost(host);
      const error = this.#failed.get(host);
      return { host, ...counts, notReached: 0, ...(error ? { error } : {}) };
    });
    return { type: "results", operations, hosts, seconds: 0, ok: this.#failed.size === 0 };
  }
}

const isSplit = (event: object): event is Split & LogEvent => {
  const { hosts, places, inventory } = event as Partial<Split>;
  return Array.isArray(hosts) && Array.isArray(places) && typeof inventory === "object" && inventory !== null;
};

/** What a log is called in the report. */
export const logName = ({ source, shard }: Pick<RunLog, "source" | "shard">): string =>
  shard ? `${shardText(shard)} (${source})` : source;
