/** What is wrong with what a hostile text did. @module */
import { TsinfraError } from "../../src/core/errors.ts";
import { TAKES_NEXT_WORD } from "./documented.ts";
import { BEGIN, END, type Hostile } from "./hostile.ts";
import type { Arguments } from "./places.ts";
import type { Ran } from "./sandbox.ts";
import { type Outcome, textOf } from "./trials.ts";

/**
 * - `ran`: it was run as code;
 * - `broken`: the shell could not read the command;
 * - `split`: it became several words;
 * - `changed`: a program got something else, beyond what the quotes of its own language ask for;
 * - `expanded`: it became names of files, or a home;
 * - `option`: a program can take it for an option;
 * - `program`: it is what is run;
 * - `line`: it became lines of a file;
 * - `crash`: an error that is not meant for people.
 */
export type Fault = "ran" | "broken" | "split" | "changed" | "expanded" | "option" | "program" | "line" | "crash";

export interface Finding {
  readonly fault: Fault;
  /** What shows it. */
  readonly evidence: string;
}

/** What is wrong with what a command did; the other arguments may ask for an expansion themselves. */
export function judgeRun(hostile: Hostile, { started, stderr }: Ran, others: Arguments): readonly Finding[] {
  const asksForHome = /\$HOME|\$\{HOME\}/.test(JSON.stringify(others));
  const findings: Finding[] = [];
  const add = (fault: Fault, evidence: string): void => void findings.push({ fault, evidence });
  if (/syntax error|bad substitution/i.test(stderr)) add("broken", stderr.trim());
  if (stderr.split("\n").some(line => line.includes(BEGIN) && /(?:not found|Permission denied)$/i.test(line)))
    add("program", stderr.trim());
  for (const { program, args } of started) {
    const call = JSON.stringify([program, ...args]);
    if (program === "PWNED" || (program === "touch" && args.includes("PWNED"))) add("ran", call);
    if (SQL.has(program) && args.some(arg => outsideOfQuotes(arg, SQL.get(program) ?? SQL_TOKENS))) add("ran", call);
    if (!asksForHome && args.some(arg => isExpanded(hostile, arg))) add("expanded", call);
    if (args.some(arg => isSplit(hostile, arg))) add("split", call);
    else if (args.some(arg => arg.includes(BEGIN) && arg.includes(END) && !plain(arg).includes(plain(hostile.text))))
      add("changed", call);
    if (hostile.dash && args.some((arg, at) => arg.startsWith(hostile.text) && isOption(program, args.slice(0, at))))
      add("option", call);
  }
  return findings;
}

/** What is wrong with what an operation made, before anything runs. */
export function judgeOutcome({ text }: Hostile, { files, error }: Outcome): readonly Finding[] {
  const lines = text.includes("\ntouch PWNED\n")
    ? files.filter(({ content }) => /^touch PWNED$/m.test(textOf(content)))
    : [];
  return [
    ...lines.map(({ content }) => ({ fault: "line" as const, evidence: textOf(content) })),
    ...(error === undefined || error instanceof TsinfraError
      ? []
      : [{ fault: "crash" as const, evidence: String(error) }]),
  ];
}

const SQL_TOKENS = /"(?:[^"]|"")*"|E'(?:[^'\\]|''|\\[^])*'|'(?:[^']|'')*'/g;
/** Quoted text, by client. */
const SQL: ReadonlyMap<string, RegExp> = new Map([
  ["psql", SQL_TOKENS],
  ["mysql", /"(?:[^"\\]|""|\\[^])*"|'(?:[^'\\]|''|\\[^])*'|`(?:[^`]|``)*`/g],
]);

/** Part of the text stands in a statement where no quotes are. */
const outsideOfQuotes = (arg: string, tokens: RegExp): boolean =>
  /^(?:CREATE|ALTER|DROP|GRANT|REVOKE|SHOW|SELECT|FLUSH) /.test(arg) && /qx[12]|PWNED/.test(arg.replace(tokens, "?"));

/** `~/…` is a path in the home, as the docs say, in whatever argument it is; a text with marks has them beside what it became. */
const isExpanded = ({ text }: Hostile, arg: string): boolean =>
  arg.includes("GLOBBED") ||
  (arg.includes("HOMEEXPANDED") &&
    (text.includes(BEGIN) ? arg.includes(BEGIN) || arg.includes(END) : !arg.startsWith("/HOMEEXPANDED/")));

/** One of the marks without the other, unless what is between is a directory and a name in it. */
function isSplit({ text }: Hostile, arg: string): boolean {
  if (arg.split(BEGIN).length === arg.split(END).length) return false;
  const slashes = [...text.matchAll(/\//g)].map(({ index }) => index);
  return !slashes.some(
    at => plain(arg).endsWith(plain(text.slice(0, at))) || plain(arg).includes(plain(text.slice(at + 1))),
  );
}

function isOption(program: string, before: readonly string[]): boolean {
  if (before.includes("--")) return false;
  return ![program, `${program} ${before[0]}`].some(key => TAKES_NEXT_WORD.get(key)?.has(before.at(-1) ?? ""));
}

/** Without what escapes of SQL, JSON, sed, awk and a shell's quotes add, and without case. */
const plain = (text: string): string =>
  text
    .replaceAll(`'"'"'`, "'")
    .replaceAll("\\t", "\t")
    .replaceAll("\\n", "\n")
    .replaceAll("\\", "")
    .replace(/(["'`])\1/g, "$1")
    .replace(/(["'`])\1/g, "$1")
    .toLowerCase();
