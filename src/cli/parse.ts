/** From raw arguments to options and words, strictly. @module */
import { parseArgs } from "node:util";
import { UsageError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { type OptionName, OPTIONS, type OptionSpec, type OptionValues, SPELLINGS } from "./options.ts";

/** The command line was used in a way that it does not have. */
export class ArgumentError extends UsageError {
  readonly code = "E_ARGUMENT";
}

/** A command line taken apart. */
export interface CommandLine {
  readonly options: OptionValues;
  /** Words before `--`. */
  readonly words: readonly string[];
  /** Words after `--`; `undefined` when there is none. */
  readonly rest: readonly string[] | undefined;
}

const specs = OPTIONS as Readonly<Record<OptionName, OptionSpec>>;

/** Take a command line apart. Throws `ArgumentError` for unknown options and missing or unusable values. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { tokens } = parseArgs({
    args: [...args],
    options: PARSER_OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Record<string, unknown> = {};
  const words: string[] = [];
  let rest: string[] | undefined;
  for (const token of tokens) {
    if (token.kind === "option-terminator") rest = [];
    else if (token.kind === "positional") (rest ?? words).push(token.value);
    else {
      const name = SPELLINGS.get(token.name);
      if (name === undefined) throw unknownOption(token.rawName, words);
      values[name] = readValue(name, token.rawName, token.value, values[name], token.inlineValue ?? false);
    }
  }
  for (const [name, spec] of Object.entries(specs)) {
    if (spec.kind === "list") values[name] ??= [];
    if (spec.kind === "count") values[name] ??= 0;
  }
  return { options: values as unknown as OptionValues, words, rest };
}

const PARSER_OPTIONS = Object.fromEntries(
  [...SPELLINGS].map(([spelling, name]) => {
    const { kind, short } = specs[name];
    const type = kind === "flag" || kind === "count" ? ("boolean" as const) : ("string" as const);
    return [spelling, { type, multiple: true, ...(short !== undefined && spelling === name ? { short } : {}) }];
  }),
);

function readValue(
  name: OptionName,
  written: string,
  text: string | undefined,
  before: unknown,
  isInline: boolean,
): unknown {
  const { kind, value: placeholder = "VALUE" } = specs[name];
  if (kind === "count") {
    if (text !== undefined) throw new ArgumentError(`Option ${written} takes no value`);
    return ((before as number | undefined) ?? 0) + 1;
  }
  if (kind === "flag") {
    if (text === undefined || text === "true") return true;
    if (text === "false") return false;
    throw new ArgumentError(`Option ${written} takes no value, or true or false, found "${text}"`);
  }
  if (text === undefined)
    throw new ArgumentError(`Option ${written} needs a value`, { hint: `Write ${written} ${placeholder}` });
  // `--config --dry` is a forgotten value rather than a file of that name.
  if (!isInline && /^--?[a-z]/i.test(text) && isOption(text)) {
    throw new ArgumentError(`Option ${written} needs a value, found option ${text}`, {
      hint: `If the value is "${text}", write ${written}=${text}`,
    });
  }
  if (kind === "number") {
    if (text.trim() === "" || !Number.isFinite(Number(text)))
      throw new ArgumentError(`Option ${written} must be a number, found "${text}"`);
    return Number(text);
  }
  return kind === "list" ? [...((before as readonly string[] | undefined) ?? []), text] : text;
}

function isOption(text: string): boolean {
  const name = text.replace(/^--?/, "").split("=")[0] ?? "";
  return text.startsWith("--") ? SPELLINGS.has(name) : Object.values(specs).some(({ short }) => short === name);
}

function unknownOption(written: string, words: readonly string[]): ArgumentError {
  const near = nearest(written.replace(/^-+/, ""), SPELLINGS.keys());
  const isCommand = words.includes("exec");
  const hint =
    near !== undefined && written.startsWith("--")
      ? `Did you mean --${near}?`
      : isCommand
        ? "Write -- before the command: exec -- ls -la"
        : words.includes("server.shell")
          ? "Quote the command: server.shell 'ls -la'"
          : "See tsinfra --help";
  return new ArgumentError(`Unknown option ${written}`, { hint });
}
