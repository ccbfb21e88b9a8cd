/** The two tables of a run: what would change, and what did. @module */
import type { EngineEvent, OperationSummary, ProposedChange } from "../../engine/events.ts";
import { messageFor } from "./errors.ts";
import { hostList } from "./hosts.ts";
import type { Paint, Tone } from "./paint.ts";
import { type Column, table } from "./table.ts";
import { cut, duration, NAME_WIDTH, oneLine, padEnd, plural, widthOf } from "./text.ts";

export interface ReportOptions {
  readonly paint: Paint;
  /** Columns that a line may have. */
  readonly width: () => number;
}

const CELL = 32;

/** Operations that would change something, and a word about the others. `direct`: hosts on which `host.run` has run commands already. */
export function proposedLines(
  proposed: readonly ProposedChange[],
  { paint, width }: ReportOptions,
  direct: readonly string[] = [],
): readonly string[] {
  const already =
    direct.length === 0
      ? []
      : ["", `  Commands of host.run have run already: ${direct.length} (${hostList(direct, CELL)})`];
  const rows = proposed.filter(({ change, conditional }) => change.length + conditional.length > 0);
  const same = proposed.filter(({ unchanged }) => unchanged.length > 0).filter(one => !rows.includes(one)).length;
  const without = proposed.length - rows.length - same;
  if (rows.length === 0) {
    const looked = proposed.filter(({ unchanged }) => unchanged.length > 0).length;
    const why =
      proposed.length === 0
        ? "there are no operations"
        : looked === 0
          ? "no host is left"
          : `${plural(looked, "operation")} found everything as it should be`;
    const nothing = `  Nothing ${direct.length === 0 ? "" : "more "}would change: ${why}`;
    return [paint("heading", "Proposed changes"), nothing, ...already];
  }
  const hosts = (names: readonly string[]): string =>
    names.length === 0 ? "-" : `${names.length} (${hostList(names, CELL)})`;
  const hasConditions = rows.some(({ conditional }) => conditional.length > 0);
  const titles: readonly Column[] = [
    { title: "Operation", shrinkTo: 20, wraps: true },
    { title: "Change", shrinkTo: 14 },
    { title: "Conditional", shrinkTo: 11 },
  ];
  const cells = rows.map(row => [oneLine(row.operation), hosts(row.change), hosts(row.conditional)]);
  return [
    paint("heading", "Proposed changes"),
    ...table(titles, cells, width(), paint),
    ...(same + without > 0 ? [""] : []),
    ...(same > 0 ? [`  ${paint("dim", `${plural(same, "operation")} would change nothing`)}`] : []),
    ...(without > 0 ? [`  ${paint("dim", `${plural(without, "operation")}: no host is left`)}`] : []),
    ...(hasConditions
      ? [
          `${same + without > 0 ? "" : "\n"}  ${paint("dim", "Conditional: only if its condition holds when its turn comes")}`,
        ]
      : []),
    ...already,
  ].flatMap(line => line.split("\n"));
}

type Results = EngineEvent & { readonly type: "results" };

/** Counts per operation, hosts that failed, and one line about everything. */
export function resultLines(
  { operations, hosts, seconds, ok }: Results,
  { paint, width }: ReportOptions,
): readonly string[] {
  const count = (value: number, tone?: Tone): string =>
    value === 0 ? "-" : tone === undefined ? String(value) : paint(tone, String(value));
  const counted: readonly {
    readonly column: Column;
    readonly cell: (row: OperationSummary) => string;
    readonly isOptional?: true;
  }[] = [
    { column: { title: "Operation", shrinkTo: 14, wraps: true }, cell: row => oneLine(row.operation) },
    { column: number("Hosts"), cell: row => String(row.hosts) },
    { column: number("Changed"), cell: row => count(row.changed, "change") },
    { column: number("Same"), cell: row => count(row.unchanged) },
    { column: number("Skipped"), cell: row => count(row.skipped), isOptional: true },
    { column: number("Ignored"), cell: row => count(row.ignored, "warn"), isOptional: true },
    { column: number("Failed"), cell: row => count(row.failed, "fail"), isOptional: true },
    { column: number("Interrupted"), cell: row => count(row.interrupted, "warn"), isOptional: true },
    { column: number("Missed"), cell: row => count(row.notReached), isOptional: true },
    { column: number("Time"), cell: row => (row.seconds > 0 ? duration(row.seconds) : "-") },
  ];
  const shown = counted.filter(
    ({ cell, isOptional }) => !isOptional || operations.some(row => Bun.stripANSI(cell(row)) !== "-"),
  );
  const rows = operations.map(row => shown.map(({ cell }) => cell(row)));
  const failed = hosts.filter(host => host.error);
  const names = Math.min(NAME_WIDTH, Math.max(0, ...failed.map(host => widthOf(oneLine(host.host)))));
  return [
    paint("heading", "Results"),
    ...(rows.length === 0
      ? ["  No operations"]
      : table(
          shown.map(({ column }) => column),
          rows,
          width(),
          paint,
        )),
    ...(failed.length === 0
      ? []
      : [
          "",
          ...failed.map(host =>
            cut(
              `  ${paint("name", padEnd(oneLine(host.host), names))}  ${paint("fail", "Failed")}: ${host.error ? messageFor(host.host, host.error) : ""}`,
              width(),
            ),
          ),
        ]),
    "",
    summary(operations, hosts, seconds, ok, paint),
  ];
}

function summary(
  operations: readonly OperationSummary[],
  hosts: Results["hosts"],
  seconds: number,
  ok: boolean,
  paint: Paint,
): string {
  const total = (key: "changed" | "unfinished" | "interrupted"): number =>
    operations.reduce((sum, row) => sum + row[key], 0);
  const [changed, unfinished, interrupted] = [total("changed"), total("unfinished"), total("interrupted")];
  const failed = hosts.filter(({ error }) => error).length;
  const direct = hosts.reduce((sum, host) => sum + (host.direct ?? 0), 0);
  const nothing = direct > 0 ? "no operation changed anything" : "nothing changed";
  // What did not come to its end may have changed something all the same.
  const what = [
    ...(changed > 0 || unfinished === 0 ? [changed === 0 ? nothing : plural(changed, "change")] : []),
    ...(direct > 0 ? [`${plural(direct, "command")} of host.run`] : []),
    ...(unfinished > 0 ? [`${changed > 0 ? `${unfinished} more` : plural(unfinished, "change")} did not finish`] : []),
  ].join(", ");
  const where =
    failed === 0 ? `on ${plural(hosts.length, "host")}` : `${failed} of ${plural(hosts.length, "host")} failed`;
  const isWhole = operations.every(row => row.notReached === 0);
  const head =
    interrupted > 0
      ? paint("warn", "Interrupted:")
      : failed > 0
        ? paint("fail", "Failed:")
        : isWhole && ok
          ? paint("ok", "Done:")
          : paint("warn", "Stopped:");
  return `${head} ${failed === 0 ? `${what} ${where}` : `${where}, ${what}`}, ${duration(seconds)}`;
}

const number = (title: string): Column => ({ title, align: "right" });
