/** Facts about packet filters made with iptables. @module */
import { sh } from "../core/command.ts";
import { type CommandFact, fact } from "../core/fact.ts";
import { shellWords } from "./shared/shell-words.ts";

/** One rule; what it does not say is absent. */
export interface IptablesRule {
  readonly chain?: string;
  readonly jump?: string;
  readonly protocol?: string;
  readonly notProtocol?: string;
  readonly source?: string;
  readonly notSource?: string;
  readonly destination?: string;
  readonly notDestination?: string;
  readonly inInterface?: string;
  readonly notInInterface?: string;
  readonly outInterface?: string;
  readonly notOutInterface?: string;
  readonly logPrefix?: string;
  readonly toDestination?: string;
  readonly toSource?: string;
  readonly toPorts?: string;
  /** Every other option and its values, in the order they stand; `!` stands before what is turned round. */
  readonly extras?: readonly string[];
}

/** Which table. */
export interface IptablesTableArguments {
  /** Name of the table; default `filter`. */
  readonly table?: string;
}

/** IPv4 rules of a table, in order. */
export const IptablesRules = rules("iptables.IptablesRules", "iptables-save");
/** IPv6 rules of a table, in order. */
export const Ip6tablesRules = rules("iptables.Ip6tablesRules", "ip6tables-save");

/** IPv4 chains of a table, with their policy; `-` for a chain that has none. */
export const IptablesChains = chains("iptables.IptablesChains", "iptables-save");
/** IPv6 chains of a table, with their policy; `-` for a chain that has none. */
export const Ip6tablesChains = chains("iptables.Ip6tablesChains", "ip6tables-save");

/** Arguments of `iptables.IptablesRuleExists`. */
export interface IptablesRuleExistsArguments extends IptablesTableArguments {
  /** Name of the chain. */
  readonly chain: string;
  /** The rule's options, as `iptables` takes them. */
  readonly rule: readonly string[];
  /** 4 (default) or 6. */
  readonly version?: 4 | 6;
}

/** Whether a chain has a rule: the kernel is asked, which knows every way to write it. */
export const IptablesRuleExists = fact<IptablesRuleExistsArguments, boolean>({
  name: "iptables.IptablesRuleExists",
  requires: ({ version }) => iptables(version),
  command: ({ chain, rule, table = "filter", version }) =>
    sh`! ${iptables(version)} -t ${table} -C ${[chain, ...rule]} 2>/dev/null || echo yes`,
  parse: () => true,
  empty: false,
});

/** The program for a version of IP. */
export const iptables = (version: 4 | 6 = 4): string => (version === 6 ? "ip6tables" : "iptables");

function rules(name: string, program: string): CommandFact<IptablesTableArguments, readonly IptablesRule[]> {
  return fact<IptablesTableArguments, readonly IptablesRule[]>({
    name,
    requires: program,
    command: ({ table = "filter" }) => sh`${program} -t ${table}`,
    parse: lines => lines.filter(line => line.startsWith("-A ")).map(rule),
    empty: [],
  });
}

function chains(name: string, program: string): CommandFact<IptablesTableArguments, Readonly<Record<string, string>>> {
  return fact<IptablesTableArguments, Readonly<Record<string, string>>>({
    name,
    requires: program,
    command: ({ table = "filter" }) => sh`${program} -t ${table}`,
    parse: lines =>
      Object.fromEntries(
        lines
          .filter(line => line.startsWith(":"))
          .map(line => [line.slice(1).split(" ")[0] ?? "", line.split(" ")[1] ?? "-"]),
      ),
    empty: {},
  });
}

/** Options that have a name here, and the name that each has after `!`. */
const NAMES: Readonly<Record<string, readonly [name: keyof IptablesRule, not?: keyof IptablesRule]>> = {
  "-A": ["chain"],
  "-j": ["jump"],
  "-p": ["protocol", "notProtocol"],
  "-s": ["source", "notSource"],
  "-d": ["destination", "notDestination"],
  "-i": ["inInterface", "notInInterface"],
  "-o": ["outInterface", "notOutInterface"],
  "--log-prefix": ["logPrefix"],
  "--to-destination": ["toDestination"],
  "--to-source": ["toSource"],
  "--to-ports": ["toPorts"],
};

function rule(line: string): IptablesRule {
  const named: Record<string, string> = {};
  const extras: string[] = [];
  let isNot = false;
  let option: string | undefined;
  // A single quote has a backslash before it, inside of double quotes.
  for (const word of shellWords(
    line.replace(/\\(.)/g, (pair, character: string) => (character === "'" ? character : pair)),
  )) {
    if (word === "!") isNot = true;
    else if (option === undefined && word in NAMES) option = word;
    else if (option !== undefined) {
      const [name, not] = NAMES[option] ?? [];
      if (name !== undefined) named[isNot && not ? not : name] = word;
      option = undefined;
      isNot = false;
    } else {
      extras.push(...(isNot ? ["!"] : []), word);
      isNot = false;
    }
  }
  return extras.length > 0 ? { ...named, extras } : named;
}
