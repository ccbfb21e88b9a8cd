/** Entries of crontabs. @module */
import { joined, sh, type Shell } from "../core/command.ts";
import { OperationValueError } from "../core/errors.ts";
import { operation } from "../core/operation.ts";
import { Crontab, type CrontabEntry } from "../facts/crontab.ts";
import { numberOr } from "../facts/shared/lines.ts";
import { option } from "./shared/options.ts";
import { checkOneLine, sedDelete, sedReplace } from "./shared/sed.ts";

/** When: a number, text such as `*\/5` or `1-5`, or a list of them. */
export type CronTime = string | number | readonly (string | number)[];

/** Arguments of `crontab.crontab`. */
export interface CrontabArguments {
  /** What is run. An entry is known by this, unless it has a `cronName`. */
  readonly command: string;
  /** `false`: the entry must not be there. Default true. */
  readonly present?: boolean;
  /** Whose crontab; default: that of the user commands run as. */
  readonly user?: string;
  /** Name that the entry is known by, written above it as a comment, so that its command can change. */
  readonly cronName?: string;
  /** Default: `*`, every minute. */
  readonly minute?: CronTime;
  /** Default: `*`. */
  readonly hour?: CronTime;
  /** Default: `*`. */
  readonly month?: CronTime;
  /** 0 or 7 is Sunday. Default: `*`. */
  readonly dayOfWeek?: CronTime;
  /** Default: `*`. */
  readonly dayOfMonth?: CronTime;
  /** `@reboot`, `@daily` and the like, in place of the times. */
  readonly specialTime?: string;
  /** When an entry is changed: let the host's shell expand `$…` in the command; default false. */
  readonly interpolateVariables?: boolean;
}

/**
 * Make sure that a crontab has an entry, or has it not. Other entries, settings and comments stay as they are.
 * @example crontab.crontab({ command: "/usr/local/bin/backup", cronName: "backup", hour: 3, minute: 30 });
 * @example crontab.crontab({ command: "certbot renew", specialTime: "@daily", user: "root" });
 */
export const crontab = operation<CrontabArguments>({
  name: "crontab.crontab",
  positional: ["command"],
  async *steps(host, { command, present = true, user, cronName, interpolateVariables = false, ...times }) {
    checkOneLine(command, "command");
    checkOneLine(cronName, "cronName");
    const wanted = { ...schedule(times), command };
    const entries = await host.getFact(Crontab, { user });
    const existing = findEntry(entries, command, cronName);
    const isAsWanted =
      existing !== undefined && (cronName === undefined || hasName(existing, cronName)) && sameEntry(existing, wanted);
    if (present ? isAsWanted : !existing)
      return host.noop(`crontab ${command} ${present ? "exists" : "does not exist"}`);

    const file = await host.tempFile();
    const whose = option("-u", user);
    if (entries.length > 0) yield sh`crontab -l ${whose} > ${file}`;
    if (!existing) {
      if (entries.length > 0) yield sh`echo '' >> ${file}`;
      if (cronName !== undefined) yield sh`${echo(nameComment(cronName))} >> ${file}`;
      yield sh`${echo(entryLine(wanted))} >> ${file}`;
    } else {
      const edit = { path: file, timestamp: host.timestamp(), interpolateVariables };
      const newName = cronName !== undefined && !hasName(existing, cronName) ? `${nameComment(cronName)}\\n` : "";
      // Backslashes mean something to sed.
      const replacement = newName + entryLine(wanted).replaceAll("\\", "\\\\");
      const nameLines = present ? [] : nameLineNumbers(entries, existing);
      if (isUnmistakable(entries, existing) && nameLines.length === 0) {
        const pattern = `.*${escapeRegex(existing.command ?? "", interpolateVariables)}.*`;
        yield present ? sedReplace({ ...edit, pattern, replacement }) : sedDelete({ ...edit, pattern });
      } else {
        const number = lineNumber(entries, existing);
        yield present
          ? editLine(edit, `${number}s/.*/${replacement.replace(/[&/]/g, "\\$&")}/`)
          : editLine(edit, [...nameLines, number].map(one => `${one}d`).join(";"));
      }
    }
    yield sh`crontab ${whose} ${file}`;
  },
});

/** The comment that pyinfra writes too, so that its crontabs can be taken over. */
const nameComment = (name: string): string => `${NAME_COMMENT}${name}`;
const NAME_COMMENT = "# pyinfra-name=";

type Schedule = Pick<CrontabEntry, "minute" | "hour" | "dayOfMonth" | "month" | "dayOfWeek" | "specialTime">;
type WantedEntry = Schedule & { readonly command: string };
const FIELDS = ["minute", "hour", "dayOfMonth", "month", "dayOfWeek"] as const;

function schedule(args: Pick<CrontabArguments, (typeof FIELDS)[number] | "specialTime">): Schedule {
  const { specialTime } = args;
  if (specialTime !== undefined) {
    if (!/^@\S+$/.test(specialTime))
      throw new OperationValueError(
        `\`specialTime\` is ${JSON.stringify(specialTime)}; wanted is one such as "@daily"`,
      );
    return { specialTime };
  }
  return Object.fromEntries(
    FIELDS.map(field => {
      const text = [args[field] ?? "*"].flat().join(",");
      if (!/^[^\s@#]\S*$/.test(text))
        throw new OperationValueError(
          `\`${field}\` is ${JSON.stringify(args[field])}; wanted is a number, or text such as "*/5"`,
        );
      return [field, numberOr(text)];
    }),
  );
}

const hasName = ({ comments = [] }: Partial<CrontabEntry>, name: string): boolean =>
  comments.includes(nameComment(name));
const isNamed = ({ comments = [] }: Partial<CrontabEntry>): boolean =>
  comments.some(comment => comment.startsWith(NAME_COMMENT));

/** By its name, else by its command; but what has another name is another entry. */
function findEntry(
  entries: readonly CrontabEntry[],
  command: string,
  name: string | undefined,
): CrontabEntry | undefined {
  const commands = entries.filter(entry => entry.command !== undefined);
  if (name === undefined) return commands.find(entry => entry.command === command);
  return (
    commands.find(entry => hasName(entry, name)) ?? commands.find(entry => entry.command === command && !isNamed(entry))
  );
}

const sameEntry = (existing: CrontabEntry, wanted: WantedEntry): boolean =>
  existing.command === wanted.command &&
  existing.specialTime === wanted.specialTime &&
  FIELDS.every(field => existing[field] === wanted[field]);

const entryLine = ({ specialTime, command, ...times }: WantedEntry): string =>
  `${specialTime ?? FIELDS.map(field => times[field]).join(" ")} ${command}`;

/** True if the command's text stands in no other line. */
function isUnmistakable(entries: readonly CrontabEntry[], { command = "" }: CrontabEntry): boolean {
  const texts = entries.flatMap(({ command: other, env, comments = [] }) => [other ?? env ?? "", ...comments]);
  return texts.filter(text => text.includes(command)).length === 1;
}

/** Line of an entry in the crontab, counted from 1: above each stand its comments. */
const lineNumber = (entries: readonly CrontabEntry[], entry: CrontabEntry): number =>
  entries.slice(0, entries.indexOf(entry) + 1).reduce((lines, { comments = [] }) => lines + comments.length + 1, 0);

function nameLineNumbers(entries: readonly CrontabEntry[], entry: CrontabEntry): number[] {
  const { comments = [] } = entry;
  const first = lineNumber(entries, entry) - comments.length;
  return comments.flatMap((comment, index) => (comment.startsWith(NAME_COMMENT) ? [first + index] : []));
}

/** Some shells' echo reads backslashes and a leading dash. */
const echo = (text: string): Shell => (/^-|\\/.test(text) ? sh`printf '%s\\n' ${text}` : sh`echo ${text}`);

const escapeRegex = (text: string, interpolate: boolean): string =>
  text.replace(interpolate ? /[\\.*[\]^]/g : /[\\.*[\]^$]/g, "\\$&");

const editLine = ({ path, timestamp }: { readonly path: string; readonly timestamp: string }, script: string): Shell =>
  joined(" && ", [sh`sed ${`-i.${timestamp}`} ${script} ${path}`, sh`rm -f ${`${path}.${timestamp}`}`]);
