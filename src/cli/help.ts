/** Help, from the command tree and the table of options. @module */
import { type OptionGroup, OPTIONS, type OptionSpec } from "./options.ts";
import type { CommandName } from "./route.ts";
import { COMMAND_NAMES, loadCommand, PROGRAM } from "./tree.ts";
import type { Paint } from "./views/paint.ts";
import { padEnd, widthOf, wrap } from "./views/text.ts";

const WIDTH = 80;
const GROUPS: readonly OptionGroup[] = ["Run", "Host", "Escalation", "SSH", "Output", "Other"];
const WITH_INVENTORY: readonly CommandName[] = ["deploy", "exec", "fact", "operation", "debug-inventory"];

/** Help of everything. */
export async function rootHelp(paint: Paint): Promise<string> {
  const commands = await Promise.all(COMMAND_NAMES.map(loadCommand));
  const usage = commands.flatMap(({ meta, usage: [first] }) =>
    first === undefined ? [] : [[first, meta.description ?? ""] as const],
  );
  return [
    PROGRAM.description,
    "",
    paint("heading", "Usage"),
    ...rows(usage, paint),
    "",
    ...section(
      "INVENTORY is",
      [
        ["web-1,ada@web-2:2222", "Hosts, reached by SSH"],
        ["@local, @docker/debian:12", "Hosts of a connector"],
        ["hosts.ts, hosts.ts:staging", "A file of groups, or a function in it"],
      ],
      paint,
    ),
    ...GROUPS.flatMap(group => section(`${group} options`, optionRows(group), paint)),
    ...wrap(
      "Every setting can also be set in infra.config.ts, and by an environment variable such as TSINFRA_SUDO_USER; what is host data, such as the user of --ssh-user, as data: { sshUser: … } there. The command line wins, then the environment.",
      WIDTH,
    ),
    "",
    "Exit codes: 0 fine, 1 a host failed or an error, 2 wrong usage, 130 interrupted.",
  ].join("\n");
}

/** Help of one subcommand. */
export async function commandHelp(name: CommandName, paint: Paint): Promise<string> {
  const { meta, args: words, usage, notes } = await loadCommand(name);
  const args = Object.entries(words).map(
    ([arg, { description: text = "", valueHint }]) => [valueHint ?? arg.toUpperCase(), text] as const,
  );
  return [
    meta.description ?? "",
    "",
    paint("heading", "Usage"),
    ...usage.map(line => `  ${line}`),
    "",
    ...section("Arguments", args, paint),
    ...notes.flatMap(note => [...wrap(note, WIDTH), ""]),
    WITH_INVENTORY.includes(name) ? "All options: tsinfra --help" : "",
  ]
    .join("\n")
    .trimEnd();
}

const optionRows = (group: OptionGroup): readonly (readonly [string, string])[] =>
  (Object.entries(OPTIONS) as [string, OptionSpec][]).flatMap(
    ([name, { group: own, short, value, aliases = [], description }]) => {
      if (own !== group) return [];
      const spelling = `${short === undefined ? "" : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`;
      return [
        [spelling, aliases.length === 0 ? description : `${description} (also --${aliases.join(", --")})`] as const,
      ];
    },
  );

function section(title: string, entries: readonly (readonly [string, string])[], paint: Paint): readonly string[] {
  return entries.length === 0 ? [] : [paint("heading", title), ...rows(entries, paint), ""];
}

/** Two columns; a description that is too long goes on below itself. */
function rows(entries: readonly (readonly [string, string])[], paint: Paint): readonly string[] {
  const first = Math.min(34, Math.max(...entries.map(([name]) => widthOf(name))));
  return entries.flatMap(([name, description]) => {
    const [head = "", ...others] = wrap(description, WIDTH - first - 4);
    const gap = " ".repeat(first + 4);
    const isWide = widthOf(name) > first;
    const start = `  ${paint("name", padEnd(name, first))}`;
    return [
      ...(isWide ? [start.trimEnd(), gap + head] : [`${start}  ${head}`.trimEnd()]),
      ...others.map(line => gap + line),
    ];
  });
}
