/** What can be completed, for every shell. @module */
import type { Reference, ValueType } from "../../reference/index.ts";
import { OPTIONS, type OptionSpec } from "../options.ts";
import { VERBS, WITHOUT_INVENTORY } from "../route.ts";

/** A word and what it means. */
export interface Described {
  readonly name: string;
  readonly description: string;
}

/** An option as it is written. */
export interface OptionWord extends Described {
  /** What follows it. */
  readonly takes: "nothing" | "text" | "file";
}

/** An argument, and its values where they can be listed. */
export interface ArgumentWord {
  readonly name: string;
  readonly values: readonly string[];
}

export interface CompletionWords {
  readonly standalone: readonly Described[];
  readonly verbs: readonly Described[];
  readonly options: readonly OptionWord[];
  readonly modules: readonly Described[];
  readonly operations: readonly Described[];
  readonly facts: readonly Described[];
  /** By the name of an operation or a fact. */
  readonly arguments: ReadonlyMap<string, readonly ArgumentWord[]>;
  readonly globals: readonly ArgumentWord[];
}

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type ShellName = (typeof SHELLS)[number];

/** What the commands do, in fewer words than in help. */
const COMMANDS: Readonly<Record<(typeof WITHOUT_INVENTORY)[number] | (typeof VERBS)[number], string>> = {
  init: "Write a starter",
  types: "Write type declarations for the editor",
  check: "Find mistakes, offline",
  docs: "Read about operations and facts",
  report: "Join the event logs of shards",
  ssh: "Explain how a host is reached",
  completions: "Print the completion script of a shell",
  exec: "Run a command",
  fact: "Ask facts",
  "debug-inventory": "Show every host's data",
};

/** Collect everything from the reference and the tables of the command line. */
export function completionWords({
  operations,
  facts,
  operationModules,
  factModules,
  globals,
}: Reference): CompletionWords {
  const named = (names: readonly (keyof typeof COMMANDS)[]): readonly Described[] =>
    names.map(name => ({ name, description: shortened(COMMANDS[name]) }));
  return {
    standalone: named(WITHOUT_INVENTORY),
    verbs: named(VERBS),
    options: Object.entries(OPTIONS as Readonly<Record<string, OptionSpec>>).flatMap(([name, spec]) =>
      optionWords(name, spec),
    ),
    modules: [...new Map([...operationModules, ...factModules].map(one => [one.name, described(one)])).values()].sort(
      (a, b) => (a.name < b.name ? -1 : 1),
    ),
    operations: operations.filter(one => one.deprecated === undefined).map(described),
    facts: facts.filter(one => one.deprecated === undefined).map(described),
    arguments: new Map([...operations, ...facts].map(one => [one.name, one.arguments.map(argumentWord)])),
    globals: globals.map(argumentWord),
  };
}

const described = ({ name, summary }: { readonly name: string; readonly summary: string }): Described => ({
  name,
  description: shortened(summary),
});

/** The first sentence, without what shells make something of. */
function shortened(text: string): string {
  const sentence = (/^.*?[.!?](?=\s|$)/s.exec(text)?.[0] ?? text)
    .replace(/\s+/g, " ")
    .replace(/[`"'\\$]/g, "")
    .replace(/\.$/, "");
  return sentence.length > LONGEST ? `${sentence.slice(0, LONGEST - 1)}…` : sentence;
}
const LONGEST = 70;

function optionWords(
  name: string,
  { kind, short, value, description, aliases = [] }: OptionSpec,
): readonly OptionWord[] {
  const takes = kind === "flag" || kind === "count" ? "nothing" : /FILE|DIR|PATH/.test(value ?? "") ? "file" : "text";
  const names = [...(short === undefined ? [] : [`-${short}`]), `--${name}`, ...aliases.map(alias => `--${alias}`)];
  return names.map(one => ({ name: one, description: shortened(description), takes }));
}

const argumentWord = ({ name, type }: { readonly name: string; readonly type: ValueType }): ArgumentWord => ({
  name,
  values: valuesOf(type).filter(value => /^[\w.+-]+$/.test(value)),
});

function valuesOf(type: ValueType): readonly string[] {
  if (type === "boolean") return ["true", "false"];
  if (typeof type === "object" && "is" in type) return type.is.map(String);
  return typeof type === "object" && "any" in type ? [...new Set(type.any.flatMap(valuesOf))] : [];
}
