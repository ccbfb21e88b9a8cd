/** A run as lines of text: what the pretty and the plain view have in common. @module */
import type { EngineEvent, ErrorReport, OutcomeType, Stage } from "../../engine/events.ts";
import { Diffs } from "./diffs.ts";
import { errorLines, messageFor } from "./errors.ts";
import { foldHosts, hostList } from "./hosts.ts";
import type { Paint, Tone } from "./paint.ts";
import { proposedLines, resultLines } from "./reports.ts";
import { duration, NAME_WIDTH, oneLine, padEnd, plural, widthOf } from "./text.ts";

export interface NarratorOptions {
  readonly paint: Paint;
  /** Columns of the terminal, asked anew for every line. */
  readonly columns: () => number;
  /** Columns that a row of a table may have. */
  readonly width: () => number;
  /** 1 adds facts and reasons, 2 commands, 3 their output. */
  readonly verbosity: number;
  /** Tell only what went wrong: what was asked for is printed elsewhere. */
  readonly isQuiet?: boolean;
  /** Output of operations is printed elsewhere. */
  readonly outputShown?: boolean;
  readonly hosts: readonly string[];
}

/** With more hosts than this, those that succeed are told together. */
const FOLD_ABOVE = 10;

const STAGES: Readonly<Record<Stage, (hosts: number) => string>> = {
  connect: hosts => `Connecting to ${plural(hosts, "host")}`,
  prepare: () => "Preparing",
  execute: () => "",
  disconnect: () => "",
};

const OUTCOMES: Readonly<Record<OutcomeType, { readonly label: string; readonly tone: Tone }>> = {
  changed: { label: "Changed", tone: "change" },
  unchanged: { label: "No change", tone: "ok" },
  skipped: { label: "Skipped", tone: "dim" },
  failed: { label: "Failed", tone: "fail" },
  ignored: { label: "Failed, ignored", tone: "warn" },
  interrupted: { label: "Interrupted", tone: "warn" },
};

/** Turns events into lines, in their order. */
export class Narrator {
  readonly #options: NarratorOptions;
  readonly #diffs = new Diffs();
  readonly #nameWidth: number;
  readonly #isFolding: boolean;
  /** Hosts waiting to be told together, by heading and label. */
  readonly #folded = new Map<string, { readonly label: string; readonly tone: Tone; readonly hosts: string[] }>();
  /** Stage or operation id that the lines are under. */
  #heading = "";
  #hasSpoken = false;
  /** Hints that were given. */
  readonly #hinted = new Set<string>();

  constructor(options: NarratorOptions) {
    this.#options = options;
    this.#nameWidth = Math.min(NAME_WIDTH, Math.max(0, ...options.hosts.map(host => widthOf(oneLine(host)))));
    this.#isFolding = options.hosts.length > FOLD_ABOVE;
  }

  tell(event: EngineEvent): readonly string[] {
    switch (event.type) {
      case "stage:start":
        return this.#options.isQuiet || event.hosts === 0
          ? []
          : this.#headingLines(STAGES[event.stage](event.hosts), event.stage);
      case "stage:end":
        return event.stage === "prepare"
          ? [...this.#unfold(), ...this.#told(this.#diffs.lines(this.#options.paint, this.#options.columns()))]
          : this.#unfold();
      case "host:connected":
        return this.#hostLines(event.host, "Connected", "ok", this.#timing(event.seconds), true);
      case "host:retry":
        return this.#hostLines(
          event.host,
          "Trying again",
          "warn",
          `(attempt ${event.attempt + 1}): ${messageFor(event.host, event.error)}`,
        );
      case "host:failed":
        return this.#hostFailed(event.host, event.stage, event.error);
      case "fact:end":
        return this.#atLevel(1, () =>
          this.#hostLines(
            event.host,
            "Fact",
            "dim",
            `${factName(event.fact, event.args)}${this.#timing(event.seconds)}`,
          ),
        );
      case "noop":
        return this.#atLevel(1, () =>
          this.#hostLines(event.host, "Nothing to do", "dim", `: ${oneLine(event.reason)}`),
        );
      case "command":
        return this.#atLevel(2, () => this.#hostLines(event.host, ">>>", "dim", oneLine(event.command)));
      case "output":
        if (this.#options.outputShown && event.for !== "fact") return [];
        return this.#atLevel(3, () =>
          this.#hostLines(event.host, event.stream === "stderr" ? "err" : "out", "dim", oneLine(event.line)),
        );
      case "changes":
        return this.#options.isQuiet
          ? []
          : this.#told([...this.#break(), ...proposedLines(event.proposed, this.#options, event.direct)]);
      case "operation:start":
        return this.#options.isQuiet ? [] : [...this.#unfold(), ...this.#operationHeading(event)];
      case "operation:retry":
        return this.#hostLines(
          event.host,
          "Trying again",
          "warn",
          `in ${duration(event.delay)} (${event.attempt} of ${event.retries})${event.error ? `: ${messageFor(event.host, event.error)}` : ""}`,
        );
      case "operation:host:end":
        return this.#outcome(event);
      case "operation:end":
        return this.#unfold();
      case "diff":
        return event.stage === "prepare"
          ? this.#diffs.keep(event)
          : this.#told(this.#diffs.show(event, this.#options.paint, this.#options.columns()));
      case "log":
        return this.#log(event);
      case "results":
        return this.#options.isQuiet
          ? this.#quietResults(event)
          : this.#told([...this.#unfold(), ...this.#break(), ...resultLines(event, this.#options)]);
      default:
        return [];
    }
  }

  #log({ level, message, host }: EngineEvent & { readonly type: "log" }): readonly string[] {
    const label = { debug: "Debug", info: "", warn: "Warning", error: "Error" }[level];
    const tone: Tone = level === "error" ? "fail" : level === "warn" ? "warn" : "dim";
    if (host !== undefined) return this.#hostLines(host, label, tone, oneLine(message));
    return this.#told([`${label === "" ? "" : `${this.#options.paint(tone, `${label}:`)} `}${message}`]);
  }

  #outcome(event: EngineEvent & { readonly type: "operation:host:end" }): readonly string[] {
    const { label, tone } = OUTCOMES[event.outcome];
    const isTrouble = ["failed", "ignored", "interrupted"].includes(event.outcome);
    const notRun = this.#notRun(event);
    if (!isTrouble && this.#options.isQuiet) return notRun;
    const retries =
      event.retryAttempts > 0 ? [`${event.retryAttempts} ${event.retryAttempts === 1 ? "retry" : "retries"}`] : [];
    const executed = isTrouble && event.commands > 0 ? [`${plural(event.commands, "command")} succeeded`] : [];
    const circumstances = retries.length + executed.length === 0 ? "" : ` (${[...executed, ...retries].join(", ")})`;
    const heading = this.#options.isQuiet ? [] : event.nested ? [] : this.#continueHeading(event.id, event.operation);
    const what = event.nested ? `${oneLine(event.operation)}: ${label.toLowerCase()}` : label;
    const noop =
      event.outcome === "unchanged" && event.noop !== undefined && this.#options.verbosity > 0
        ? `  ${this.#options.paint("dim", oneLine(event.noop))}`
        : "";
    if (!isTrouble)
      return [
        ...heading,
        ...this.#hostLines(
          event.host,
          what,
          tone,
          `${circumstances}${this.#timing(event.seconds)}${noop}`,
          !event.nested && retries.length === 0,
        ),
        ...notRun,
      ];
    const message = event.error
      ? messageFor(event.host, event.error)
      : event.unfinished
        ? `state unknown${event.mayStillRun ? "; its command may still be running there" : ""}`
        : "before it sent a command";
    const lines = this.#hostLines(event.host, what, tone, `${circumstances}: ${message}`);
    return [...heading, ...lines, ...this.#told(this.#evidence(event.error)), ...notRun];
  }

  /** What its callbacks declared behind a failure. */
  #notRun({ host, notRun }: EngineEvent & { readonly type: "operation:host:end" }): readonly string[] {
    if (!notRun) return [];
    const room = Math.max(20, this.#options.columns() - this.#nameWidth - 20);
    return this.#hostLines(host, "Not run", "warn", `: ${hostList(notRun, room)}`);
  }

  #hostFailed(host: string, stage: Stage, error: ErrorReport): readonly string[] {
    // While operations run, the operation's own line has said it.
    if (stage === "execute") return [];
    const what = stage === "connect" ? "Not connected" : "Failed";
    return [
      ...this.#hostLines(host, what, "fail", `: ${messageFor(host, error)}`),
      ...this.#told(this.#evidence(error)),
    ];
  }

  #evidence(error: ErrorReport | undefined): readonly string[] {
    if (!error) return [];
    const isShown = this.#options.outputShown || this.#options.verbosity >= 3;
    // The same advice for every host would hide what differs.
    const { hint, ...rest } = error;
    const isNew = hint !== undefined && !this.#hinted.has(hint);
    if (isNew) this.#hinted.add(hint);
    return errorLines(
      { ...rest, ...(isNew ? { hint } : {}), output: isShown ? [] : (error.output ?? []) },
      this.#options.paint,
      this.#nameWidth + 4,
    );
  }

  /** One line about a host; successes of many hosts are kept for one line together. */
  #hostLines(host: string, label: string, tone: Tone, detail: string, mayFold = false): readonly string[] {
    const { paint, isQuiet } = this.#options;
    if (mayFold && isQuiet) return [];
    if (mayFold && this.#isFolding) {
      const key = `${this.#heading}\0${label}`;
      const kept = this.#folded.get(key) ?? { label, tone, hosts: [] };
      kept.hosts.push(host);
      this.#folded.set(key, kept);
      return [];
    }
    const space = detail === "" || /^[:\s]/.test(detail) || label === "" ? "" : " ";
    return this.#told([
      `  ${paint("name", padEnd(oneLine(host), this.#nameWidth))}  ${paint(tone, label)}${space}${detail}`,
    ]);
  }

  #unfold(): readonly string[] {
    const { paint, columns, hosts } = this.#options;
    const lines = [...this.#folded.values()].map(({ label, tone, hosts: names }) => {
      const start = `  ${paint(tone, label)}  ${names.length === hosts.length ? "all " : ""}${plural(names.length, "host")}: `;
      const told = new Set(names);
      const inOrder = hosts.filter(host => told.has(host));
      return `${start}${paint("name", hostList(inOrder, Math.max(20, columns() - widthOf(start))))}`;
    });
    this.#folded.clear();
    return this.#told(lines);
  }

  #operationHeading({
    id,
    operation,
    mode,
    hosts,
    nestedIn,
  }: EngineEvent & { readonly type: "operation:start" }): readonly string[] {
    // When hosts go their own ways, the same operation starts many times.
    if (nestedIn !== undefined || this.#heading === id) return [];
    return this.#headingLines(
      operation,
      id,
      mode === "parallel"
        ? ""
        : mode === "serial"
          ? "one host after the other"
          : hosts.length === 0
            ? "left to another shard"
            : "on one host",
    );
  }

  /** Say again which operation the next line is about, if another one came between. */
  #continueHeading(id: string, operation: string): readonly string[] {
    return id === this.#heading ? [] : [...this.#unfold(), ...this.#headingLines(operation, id)];
  }

  #headingLines(text: string, key: string, note = ""): readonly string[] {
    if (text === "") return [];
    const { paint } = this.#options;
    this.#heading = key;
    return this.#told([
      ...this.#break(),
      `${paint("heading", oneLine(text))}${note === "" ? "" : paint("dim", `  ${note}`)}`,
    ]);
  }

  #quietResults({ hosts }: EngineEvent & { readonly type: "results" }): readonly string[] {
    const failed = hosts.filter(host => host.error).map(host => host.host);
    if (failed.length === 0 || hosts.length === 1) return [];
    return this.#told([
      `${this.#options.paint("fail", "Failed:")} ${failed.length} of ${plural(hosts.length, "host")}: ${foldHosts(failed).join(", ")}`,
    ]);
  }

  #timing = (seconds: number): string => (seconds >= 1 ? `  ${this.#options.paint("dim", duration(seconds))}` : "");
  #atLevel = (level: number, lines: () => readonly string[]): readonly string[] =>
    this.#options.verbosity >= level ? lines() : [];
  #break = (): readonly string[] => (this.#hasSpoken ? [""] : []);

  #told(lines: readonly string[]): readonly string[] {
    if (lines.length > 0) this.#hasSpoken = true;
    return lines;
  }
}

function factName(fact: string, args: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(args).map(
    ([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return oneLine(given.length === 0 ? fact : `${fact} (${given.join(", ")})`);
}
