/** Compares what a run told with what the hosts have written down. @module */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ChaosHost, Stage } from "./fleet.ts";
import { isDeclared, linesOfStep, type Program, type Step } from "./program.ts";
import type { Performance, Told } from "./told.ts";

/** How a run ended. */
export interface Ending {
  readonly exitCode: number | null;
  /** The signal that it was sent, if it was. */
  readonly sent: readonly NodeJS.Signals[];
}

/** How often something may be in the journal. */
interface Bounds {
  readonly least: number;
  readonly most: number;
}
const NOT: Bounds = { least: 0, most: 0 };
const ONCE: Bounds = { least: 1, most: 1 };
const MAYBE: Bounds = { least: 0, most: 1 };
const sum = (all: readonly Bounds[]): Bounds => ({
  least: all.reduce((to, { least }) => to + least, 0),
  most: all.reduce((to, { most }) => to + most, 0),
});

/** All that is not as it was told; nothing where the run told the truth. */
export function untruths(stage: Stage, program: Program, told: Told, ending: Ending): readonly string[] {
  // The end of what was told may be missing where the program had no time to write it.
  const isCut = ending.sent.includes("SIGKILL") || ending.sent.length > 1;
  const found: string[] = [...told.odd];
  if (!isCut) found.push(...told.stray.map(line => `a line that is no event: ${line.slice(0, 200)}`));
  if (!isCut) found.push(...exitUntruths(told, ending));
  for (const [index, host] of stage.hosts.entries()) {
    const about = (text: string): void => void found.push(`${host.name}: ${text}`);
    hostUntruths(stage, host, index, program, told, isCut, about);
    if (told.results && !isCut) summaryUntruths(host, index, program, told, about);
  }
  return found;
}

function exitUntruths({ errors, failed, results }: Told, { exitCode, sent }: Ending): readonly string[] {
  const codes = errors.map(({ code }) => code);
  const isInterrupted = codes.includes("E_CANCELLED");
  const found: string[] = [];
  if (codes.includes("E_UNEXPECTED")) found.push(`a mistake of ours was told: ${JSON.stringify(errors)}`);
  if (isInterrupted && sent.length === 0) found.push("it says that it was interrupted, and nobody did");
  if (!results && errors.length === 0) found.push("it ended without results and without an error");
  const isOk = results ? results.ok && errors.length === 0 : false;
  const expected = isInterrupted ? 130 : isOk ? 0 : 1;
  if (exitCode !== expected)
    found.push(
      `exit code ${exitCode}, and what was told means ${expected}: ok ${results?.ok}, errors ${JSON.stringify(codes)}, failed hosts ${[...failed.keys()]}`,
    );
  return found;
}

/** How often each line, line of a file, or file may be there; and the order of those that are certain. */
function hostUntruths(
  stage: Stage,
  host: ChaosHost,
  index: number,
  program: Program,
  told: Told,
  isCut: boolean,
  about: (text: string) => void,
): void {
  const directory = stage.of(host);
  const journal = linesIn(join(directory, "journal"));
  const counts = Map.groupBy(journal, line => line);
  const lines = Map.groupBy(linesIn(join(directory, "lines")), line => line);
  const performances = told.performances.get(host.name) ?? [];
  const certain = new Map<string, number>();
  const expected = new Set<string>();
  const inBounds = (what: string, count: number, { least, most }: Bounds, own: readonly Performance[]): void => {
    if (count < least || count > most)
      about(
        `${what} is there ${count} times, and told was ${least === most ? least : `${least} to ${most}`}: ${tell(own)}`,
      );
  };
  const look = (step: Step, place: number): void => {
    const own = performances.filter(({ operation }) => operation === step.id);
    if (own.length > 0 && !isDeclared(step, index)) about(`${step.id} was told of, and is not declared there`);
    const attempts = (number: number): Bounds => {
      if (own.length === 0) return isCut ? MAYBE : NOT;
      return sum(own.flatMap(performance => boundsOf(step, performance, number)));
    };
    for (let number = 0; number < linesOfStep(step); number++) {
      const name = `${step.id}.${number}`;
      expected.add(name);
      const bounds = isDeclared(step, index) ? attempts(number) : NOT;
      inBounds(name, counts.get(name)?.length ?? 0, bounds, own);
      if (bounds.least === bounds.most) certain.set(name, place);
    }
    if (step.kind === "line" || step.kind === "put") {
      const { least, most } = isDeclared(step, index) ? attempts(0) : NOT;
      const bounds = { least: Math.min(least, 1), most: Math.min(most, 1) };
      if (step.kind === "line") inBounds(`the line ${step.id}`, lines.get(step.id)?.length ?? 0, bounds, own);
      else {
        const path = join(directory, `put-${step.id}`);
        inBounds(`the file of ${step.id}`, existsSync(path) ? 1 : 0, bounds, own);
        if (existsSync(path) && statSync(path).size !== step.size)
          about(`the file of ${step.id} has ${statSync(path).size} bytes, not ${step.size}`);
      }
    }
    for (const nested of step.nested) look(nested, place);
  };
  for (const [place, step] of program.steps.entries()) if (step.kind !== "fact") look(step, place);
  for (const line of counts.keys())
    if (!expected.has(line)) about(`the journal has a line that nobody should write: ${line}`);
  const order = journal.flatMap(line => certain.get(line) ?? []);
  for (const [at, place] of order.entries())
    if (place < (order[at - 1] ?? 0))
      about(`the journal is out of order at its certain line ${at + 1}: ${journal.join(" ")}`);
}

/** One after the other: what each attempt means for the line of the command of that number. */
function boundsOf(step: Step, { retries, end }: Performance, number: number): readonly Bounds[] {
  // An interruption may come while the next one is waited for.
  const before = retries
    .slice(0, end?.retryAttempts)
    .map(({ error }): Bounds =>
      error === undefined ? ONCE : step.kind === "shell" && error.code === "E_COMMAND" ? ONCE : MAYBE,
    );
  if (!end) return [...before, MAYBE];
  if (end.outcome === "changed") return [...before, ONCE];
  if (end.outcome === "unchanged" || end.outcome === "skipped") return [...before, NOT];
  if (number < end.commands && step.kind !== "put" && step.kind !== "line" && step.kind !== "script")
    return [...before, ONCE];
  if (end.error?.code === "E_COMMAND" && step.kind === "shell")
    return [...before, number === end.commands ? ONCE : NOT];
  return [...before, MAYBE];
}

/** The run's own sums are those of what it told on its way, and nobody is missing. */
function summaryUntruths(
  host: ChaosHost,
  index: number,
  program: Program,
  told: Told,
  about: (text: string) => void,
): void {
  const { results, failed } = told;
  const summary = results?.hosts.find(one => one.host === host.name);
  if (!summary) return about("it is missing from the results");
  const names = new Set(
    program.steps.filter(step => step.kind !== "fact" && isDeclared(step, index)).map(({ id }) => id),
  );
  const own = (told.performances.get(host.name) ?? []).filter(({ operation }) => names.has(operation));
  const ends = own.flatMap(({ end }) => end ?? []);
  for (const outcome of ["changed", "unchanged", "failed", "ignored"] as const) {
    const count = ends.filter(end => end.outcome === outcome).length;
    if (summary[outcome] !== count) about(`the results say ${summary[outcome]} ${outcome}, and ${count} were told`);
  }
  const hasFailed = summary.error !== undefined;
  if (ends.some(({ outcome }) => outcome === "failed") && !hasFailed)
    about("an operation failed there, and the results say that it did not");
  if (failed.has(host.name) && !hasFailed) about("it was told to have failed, and the results say that it did not");
  // Without a failure and an interruption everything was reached.
  const isStopped = told.errors.length > 0 || results!.hosts.every(({ error }) => error !== undefined);
  if (!hasFailed && !isStopped && ends.length !== names.size)
    about(
      `${names.size - ends.length} operations were never told of: ${[...names].filter(name => !ends.some(end => end.operation === name))}`,
    );
  if (told.hasExecuted && !failed.has(host.name) && summary.notReached + ends.length !== names.size)
    about(
      `${names.size} operations, ${ends.length} ended, and the results say that ${summary.notReached} were not reached`,
    );
}

const tell = (all: readonly Performance[]): string =>
  all.length === 0
    ? "never begun"
    : all
        .map(({ retries, end }) =>
          [
            ...retries.map(({ error }) => `retry after ${error?.code ?? "success"}`),
            end
              ? `${end.outcome}, ${end.commands} commands${end.error ? `, ${end.error.code}: ${end.error.message}` : ""}`
              : "no end",
          ].join(", "),
        )
        .join("; ");

const linesIn = (path: string): readonly string[] =>
  existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];
