/** An error as lines: message, place, the user's own line, hint. @module */
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import type { CallSite } from "../../core/errors.ts";
import type { ErrorReport } from "../../engine/events.ts";
import type { Paint } from "./paint.ts";
import { cut, oneLine } from "./text.ts";

/** An error's message behind the host's name, which need not be said twice. */
export const messageFor = (host: string, { message }: ErrorReport): string =>
  oneLine(message).replace(` on ${oneLine(host)}:`, ":");

/** What follows an error's message: where it was made, its output, what to do; indented. */
export function errorLines(error: ErrorReport, paint: Paint, indent: number): readonly string[] {
  const margin = " ".repeat(indent);
  const lines = [
    ...(error.output ?? []).map(line => `${paint("dim", "│")} ${oneLine(line)}`),
    ...(error.at ? [paint("dim", `at ${siteText(error.at)}`)] : []),
    ...callerLines(error, paint),
    ...causeLines(error),
    ...(error.hint === undefined ? [] : [`${paint("ok", "Hint:")} ${error.hint}`]),
  ];
  return lines.map(line => margin + line);
}

/** An error that ends a run, with an excerpt of the user's file. */
export function fatalLines(error: ErrorReport, paint: Paint, columns: number): readonly string[] {
  const [first = "", ...others] = error.message.split("\n");
  return [
    `${paint("fail", "Error:")} ${first}`,
    ...others.map(line => `  ${line}`),
    ...(error.at ? [paint("dim", `  at ${siteText(error.at)}`), ...excerpt(error.at, paint, columns)] : []),
    ...[...callerLines(error, paint), ...causeLines(error)].map(line => `  ${line}`),
    ...(error.output ?? []).map(line => `  ${paint("dim", "│")} ${oneLine(line)}`),
    ...(error.hint === undefined ? [] : [`${paint("ok", "Hint:")} ${error.hint}`]),
  ];
}

/** Who called what failed: the nearest few. */
const callerLines = ({ callers = [] }: ErrorReport, paint: Paint): readonly string[] =>
  callers.slice(0, CALLERS).map(site => paint("dim", `called from ${siteText(site)}`));
const CALLERS = 4;

const causeLines = ({ causes = [] }: ErrorReport): readonly string[] =>
  causes.map(cause => `caused by ${oneLine(cause)}`);

/** `deploy.ts:12:5`, relative to the working directory if that is shorter. */
function siteText({ file, line, column }: CallSite): string {
  const near = relative(process.cwd(), file);
  return `${near !== "" && near.length < file.length ? near : file}:${line}:${column}`;
}

/** The user's line with a mark under the column; nothing if the file cannot be read. */
function excerpt({ file, line, column }: CallSite, paint: Paint, columns: number): readonly string[] {
  let text: string | undefined;
  try {
    text = readFileSync(file, "utf8").split("\n")[line - 1];
  } catch {
    return [];
  }
  if (text === undefined || text.trim() === "") return [];
  const number = `  ${line} │ `;
  const width = Math.max(20, columns - number.length);
  const indent = /^\s*/.exec(text)?.[0].length ?? 0;
  // A long line is shown from where the mistake is, not from its beginning.
  const start = column - 1 - indent > width - 10 ? column - 1 - Math.floor(width / 2) : indent;
  const before = start > indent ? "…" : "";
  const shown = cut(before + oneLine(text.slice(start)), width);
  const mark = before.length + oneLine(text.slice(start, column - 1)).length;
  return [
    `${paint("dim", number)}${shown}`,
    `${paint("dim", `${" ".repeat(number.length - 2)}│ `)}${" ".repeat(mark)}${paint("fail", "^")}`,
  ];
}
