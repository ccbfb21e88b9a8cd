/** What a run leaves behind for somebody who could not see how it ended. @module */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { NEVER_COMES } from "../core/awaited.ts";
import type { EngineEvent } from "../engine/events.ts";
import { hostList } from "./views/hosts.ts";
import { noPaint } from "./views/paint.ts";
import { resultLines } from "./views/reports.ts";
import { cut, oneLine } from "./views/text.ts";

/** A deploy file that is being evaluated for a host. */
interface Evaluating {
  readonly host: string;
  readonly file: string;
}

/** `deploy.ts had not ended on web, db`: one for each file. */
export const unendedFiles = (evaluating: readonly Evaluating[], columns: number): readonly string[] =>
  [...Map.groupBy(evaluating, ({ file }) => file)].map(
    ([file, on]) =>
      `${oneLine(file)} had not ended on ${hostList(
        on.map(({ host }) => host),
        columns,
      )}`,
  );

/** An operation on one host. */
interface OnHost {
  readonly host: string;
  readonly operation: string;
}

interface Running extends OnHost {
  /** It has sent a command, which may go on without us. */
  hasCommand?: true;
}

const COLUMNS = 120;

/** The end of a run as far as it has come: what is running, what was interrupted, the results. */
export class RunRecord {
  readonly #hosts: readonly string[];
  readonly #running = new Map<string, Running>();
  readonly #interrupted: (OnHost & { readonly isUnknown: boolean; readonly mayStillRun: boolean })[] = [];
  #results: (EngineEvent & { readonly type: "results" }) | undefined;
  #isExecuting = false;
  /** Hosts that did not come to answer. */
  readonly #connecting = new Set<string>();
  /** Facts that are asked, with how often. */
  readonly #asked = new Map<string, number>();
  /** What hosts were sent before its turn. */
  sentAhead: () => readonly OnHost[] = () => [];
  /** Deploy files that have not ended. */
  evaluating: () => readonly Evaluating[] = () => [];

  constructor(hosts: readonly string[]) {
    this.#hosts = hosts;
  }

  take(event: EngineEvent): void {
    if (event.type === "host:connecting") this.#connecting.add(event.host);
    else if (event.type === "host:connected" || event.type === "host:failed") this.#connecting.delete(event.host);
    else if (event.type === "fact:start") this.#asks(event, 1);
    else if (event.type === "fact:end") this.#asks(event, -1);
    if (event.type === "command" && event.for !== "fact") this.#sends(event.host);
    if (event.type === "stage:start") this.#isExecuting = event.stage === "execute";
    else if (event.type === "operation:host:start") this.#running.set(`${event.id}\0${event.host}`, { ...event });
    else if (event.type === "command" && event.for === "direct")
      this.#running.set(`${event.command}\0${event.host}`, {
        host: event.host,
        operation: `host.run: ${cut(oneLine(event.command), COLUMNS)}`,
        hasCommand: true,
      });
    else if (event.type === "command:end") this.#running.delete(`${event.command}\0${event.host}`);
    else if (event.type === "operation:host:end") {
      this.#running.delete(`${event.id}\0${event.host}`);
      if (event.outcome === "interrupted")
        this.#interrupted.push({
          ...event,
          isUnknown: event.unfinished === true,
          mayStillRun: event.mayStillRun === true,
        });
    } else if (event.type === "results") this.#results = event;
  }

  #asks({ fact, host }: { readonly fact: string; readonly host: string }, more: 1 | -1): void {
    const name = `${fact} of ${host}`;
    const count = (this.#asked.get(name) ?? 0) + more;
    if (count > 0) this.#asked.set(name, count);
    else this.#asked.delete(name);
  }

  /** Hosts that were connected to, and had not answered. */
  get connecting(): readonly string[] {
    return [...this.#connecting];
  }

  /** Some host that did not fail has not done everything. */
  get hasUnreached(): boolean {
    return this.#results?.hosts.some(({ error, notReached }) => !error && notReached > 0) ?? true;
  }

  /** Operations are running. */
  get isExecuting(): boolean {
    return this.#isExecuting;
  }

  /** An operation inside of another's callback runs while that one does. */
  #sends(host: string): void {
    for (const one of this.#running.values()) if (one.host === host) one.hasCommand = true;
  }

  /** What is waited for, as a sentence, where nothing goes on any more. */
  waitsInVain(): string | undefined {
    const subject = this.waitedFor();
    return subject && `${subject} ${NEVER_COMES}`;
  }

  /** The subject of such a sentence, whatever else goes on. */
  waitedFor(): string | undefined {
    const running = [...this.#running.values()].map(({ host, operation }) => `"${oneLine(operation)}" on ${host}`);
    const evaluating = this.evaluating().map(({ host, file }) => `${oneLine(file)} on ${host}`);
    const subjects = [running, [...this.#asked.keys()], evaluating].find(({ length }) => length > 0);
    const named = subjects && hostList(subjects, COLUMNS);
    return this.#connecting.size > 0 ? `Connecting to ${hostList(this.connecting, COLUMNS)}` : named;
  }

  /** What runs now, or may soon, and is left to itself: a line each. */
  leftLines(): readonly string[] {
    const running = [...this.#running.values()];
    // Results tell of what was sent ahead as well.
    const ahead = Map.groupBy(this.#results ? [] : this.sentAhead(), ({ host }) => host);
    return [
      ...running.map(one => line(one, one.hasCommand ? STILL_RUNNING : UNKNOWN)),
      ...[...ahead].flatMap(([host, sent]) => {
        const names = sent
          .map(({ operation }) => operation)
          .filter(name => !running.some(one => one.host === host && one.operation === name));
        if (names.length === 0) return [];
        return [
          line(
            { host, operation: hostList(names, COLUMNS) },
            "sent before its turn, state unknown; may still be carried out there",
          ),
        ];
      }),
    ];
  }

  /** The same, and the deploy files that are left. */
  leaveLines(): readonly string[] {
    return [...this.#left(), ...this.#connectingLines().map(text => `  ${text}`)];
  }

  #left(): readonly string[] {
    return [...unendedFiles(this.evaluating(), COLUMNS).map(text => `  ${text}`), ...this.leftLines()];
  }

  #connectingLines(): readonly string[] {
    const connecting = hostList(this.connecting, COLUMNS);
    return connecting === "" ? [] : [`Being connected to: ${connecting}`];
  }

  /** All of it. `why` says what ended it. */
  lines({ why, when, cwd }: { readonly why: string; readonly when: Date; readonly cwd: string }): readonly string[] {
    return [
      `tsinfra was interrupted: ${why}`,
      `At ${when.toISOString()}, in ${cwd}`,
      `Hosts: ${hostList(this.#hosts, COLUMNS)}`,
      "",
      ...this.endLines(Number.POSITIVE_INFINITY),
    ];
  }

  /** How it ended: what was interrupted, what is left to itself, the results. */
  endLines(columns: number): readonly string[] {
    const ended = this.#interrupted.map(one =>
      line(one, one.mayStillRun ? STILL_RUNNING : one.isUnknown ? UNKNOWN : "interrupted before it sent a command"),
    );
    const left = this.#left();
    const results = this.#results
      ? resultLines(this.#results, { paint: noPaint, width: () => columns })
      : ["There are no results: the run had not come to its end"];
    return [...(ended.length + left.length === 0 ? this.#waitedFor() : [...ended, ...left]), "", ...results];
  }

  /** What there was where no operation was running. */
  #waitedFor(): readonly string[] {
    const asked = hostList([...this.#asked.keys()], COLUMNS);
    return ["No operation was running", ...this.#connectingLines(), ...(asked === "" ? [] : [`Being asked: ${asked}`])];
  }
}

const UNKNOWN = "interrupted, state unknown";
const STILL_RUNNING = `${UNKNOWN}; its command may still be running there`;

const line = ({ host, operation }: OnHost, what: string): string =>
  `  ${oneLine(host)}  ${oneLine(operation)}: ${what}`;

/** Where a record goes: the user's directory for state, or where that cannot be written the one for temporary files. */
export class RecordFile {
  readonly #directories: readonly string[];
  readonly #name: string;
  #path: string | undefined;

  constructor(environment: Readonly<Record<string, string | undefined>>, when: Date) {
    const state = environment["XDG_STATE_HOME"] || join(environment["HOME"] || homedir(), ".local/state");
    this.#directories = [join(state, "tsinfra"), tmpdir()];
    this.#name = `interrupted-${when.toISOString().replace(/[:.]/g, "-")}-${process.pid}.txt`;
  }

  /** Write it, in place of what was written before. Nobody else may read it. Nothing is said where it cannot be written: there is nobody to tell. */
  write(lines: readonly string[]): void {
    const text = `${lines.join("\n")}\n`;
    const [state] = this.#directories;
    for (const directory of this.#directories) {
      const path = this.#path ?? join(directory, this.#name);
      try {
        if (directory === state) mkdirSync(directory, { recursive: true, mode: 0o700 });
        writeFileSync(path, text, { mode: 0o600, flag: this.#path === undefined ? "wx" : "w" });
        this.#path = path;
        return;
      } catch (error) {
        // The next one may do. What could not be written whole is taken away, but nobody else's.
        if ((error as NodeJS.ErrnoException).code === "ENOSPC") rmSync(path, { force: true });
        this.#path = undefined;
      }
    }
  }
}
