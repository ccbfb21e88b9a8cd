/** What became of several controllers' parts of an inventory. @module */
import type { Report } from "../report/merge.ts";
import type { Paint } from "./paint.ts";
import { proposedLines, type ReportOptions, resultLines } from "./reports.ts";
import { table } from "./table.ts";
import { duration, oneLine } from "./text.ts";

/** A table of the runs, then that of the operations: the results, or the proposals where no run went further. */
export function reportLines(report: Report, options: ReportOptions): readonly string[] {
  const isProposal = report.results.operations.length === 0 && report.proposed.length > 0;
  return [
    ...runLines(report, options),
    "",
    ...(isProposal ? proposedLines(report.proposed, options) : resultLines(report.results, options)),
  ];
}

/** One row per run. */
export function runLines({ runs }: Report, { paint, width }: ReportOptions): readonly string[] {
  const rows = runs.map(({ shard = "-", hosts, failed, seconds, exitCode, hasEnded, log }) => [
    shard,
    String(hosts),
    failed === 0 ? "-" : paint("fail", String(failed)),
    hasEnded ? duration(seconds) : "-",
    hasEnded ? (exitCode === undefined ? "-" : String(exitCode)) : paint("fail", "none"),
    oneLine(log),
  ]);
  const titles = [
    { title: "Shard" },
    ...["Hosts", "Failed", "Time", "Exit"].map(title => ({ title, align: "right" as const })),
    { title: "Log", shrinkTo: 12 },
  ];
  return [paint("heading", "Shards"), ...table(titles, rows, width(), paint)];
}

/** What is wrong beside hosts that failed. */
export const problemLines = ({ problems }: Report, paint: Paint): readonly string[] =>
  problems.map(({ message }) => `${paint("fail", "Problem:")} ${oneLine(message)}`);
