/** Facts about crontabs. @module */
import { sh } from "../core/command.ts";
import { fact } from "../core/fact.ts";
import { numberOr, words } from "./shared/lines.ts";

/** One line of a crontab that is not a comment: a command with its times or its `specialTime`, or a setting in `env`. Comments at the end stand alone. */
export interface CrontabEntry {
  /** What is run. */
  readonly command?: string;
  /** A setting such as `MAILTO=root`, as it is written. */
  readonly env?: string;
  /** A number where it is one, else as it is written. */
  readonly minute?: number | string;
  /** A number where it is one, else as it is written. */
  readonly hour?: number | string;
  /** A number where it is one, else as it is written. */
  readonly dayOfMonth?: number | string;
  /** A number where it is one, else as it is written. */
  readonly month?: number | string;
  /** A number where it is one, else as it is written. */
  readonly dayOfWeek?: number | string;
  /** `@daily`, `@reboot` … */
  readonly specialTime?: string;
  /** Comments and empty lines right above it. */
  readonly comments: readonly string[];
}

/** Arguments of `crontab.Crontab`. */
export interface CrontabArguments {
  /** Whose crontab; default: that of the user commands run as. */
  readonly user?: string;
}

/** Entries of a user's crontab, in their order. */
export const Crontab = fact<CrontabArguments, readonly CrontabEntry[]>({
  name: "crontab.Crontab",
  requires: "crontab",
  command: ({ user }) => (user === undefined ? sh`crontab -l || true` : sh`crontab -l -u ${user} || true`),
  parse(lines) {
    const entries: CrontabEntry[] = [];
    let comments: string[] = [];
    for (const line of lines.map(text => text.trim())) {
      if (line === "" || line.startsWith("#")) {
        comments.push(line);
        continue;
      }
      entries.push({ ...entry(line), comments });
      comments = [];
    }
    // Else a crontab of comments alone would look empty, and they would be lost when it is written anew.
    if (comments.some(comment => comment !== "")) entries.push({ comments });
    return entries;
  },
  empty: [],
});

const ENV = /^(?:"[^"]*"|'[^']*'|[A-Za-z_]\w*)\s*=/;

function entry(line: string): Omit<CrontabEntry, "comments"> {
  if (ENV.test(line)) return { env: line };
  const fields = line.startsWith("@") ? 1 : 5;
  const [, times, command] = new RegExp(`^((?:\\S+\\s+){${fields}})(\\S.*)$`).exec(line) ?? [];
  if (times === undefined || command === undefined)
    throw new SyntaxError(`Not a line of a crontab: ${JSON.stringify(line)}`);
  const [minute, hour, dayOfMonth, month, dayOfWeek] = words(times);
  if (hour === undefined || dayOfMonth === undefined || month === undefined || dayOfWeek === undefined)
    return { command, specialTime: minute! };
  return {
    command,
    minute: numberOr(minute!),
    hour: numberOr(hour),
    dayOfMonth: numberOr(dayOfMonth),
    month: numberOr(month),
    dayOfWeek: numberOr(dayOfWeek),
  };
}
