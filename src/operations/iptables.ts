/** Rules and chains of packet filters made with iptables. @module */
import { sh } from "../core/command.ts";
import { OperationError, OperationValueError } from "../core/errors.ts";
import { operation } from "../core/operation.ts";
import {
  Ip6tablesChains,
  Ip6tablesRules,
  iptables,
  IptablesChains,
  type IptablesRule,
  IptablesRuleExists,
  IptablesRules,
} from "../facts/iptables.ts";
import { network } from "../facts/shared/network.ts";
import { commandWords } from "./shared/containers.ts";
import { notOption, option } from "./shared/options.ts";

interface TableArguments {
  /** Name of the chain. */
  readonly chain: string;
  /** `false`: it must not be there; default true. */
  readonly present?: boolean;
  /** Table that it is in; default `filter`. */
  readonly table?: string;
  /** Version of IP: 4 (default) or 6. */
  readonly version?: 4 | 6;
}

/** Arguments of `iptables.chain`. */
export interface ChainArguments extends TableArguments {
  /** What becomes of packets that no rule of the chain decides on, such as `DROP`. Only built-in chains have one. Default: left as it is. */
  readonly policy?: string;
}

/** Arguments of `iptables.rule`. */
export interface RuleArguments extends TableArguments {
  /** What is done with the packets: `ACCEPT`, `DROP`, `LOG`, the name of a chain. */
  readonly jump: string;
  /** Put a new rule at the end of the chain; `false`: at the beginning. Default true. */
  readonly append?: boolean;
  /** Only packets of this protocol, such as `tcp`. */
  readonly protocol?: string;
  /** Only packets of other protocols than this. */
  readonly notProtocol?: string;
  /** Only packets from this address or network. */
  readonly source?: string;
  /** Only packets from elsewhere than this. */
  readonly notSource?: string;
  /** Only packets to this address or network. */
  readonly destination?: string;
  /** Only packets to elsewhere than this. */
  readonly notDestination?: string;
  /** Only packets that come in here. */
  readonly inInterface?: string;
  /** Only packets that come in elsewhere. */
  readonly notInInterface?: string;
  /** Only packets that leave here. */
  readonly outInterface?: string;
  /** Only packets that leave elsewhere. */
  readonly notOutInterface?: string;
  /** New destination, `ADDRESS[:PORT]`; with `jump: "DNAT"` in the table `nat`. */
  readonly toDestination?: string;
  /** New source, `ADDRESS[:PORT]`; with `jump: "SNAT"` in the table `nat`. */
  readonly toSource?: string;
  /** New port or range; with `jump: "REDIRECT"` in the table `nat`. */
  readonly toPorts?: number | string;
  /** What lines of the log begin with; with `jump: "LOG"`. */
  readonly logPrefix?: string;
  /** Only packets to this port, or to a range such as `8000:8010`; needs `protocol`. */
  readonly destinationPort?: number | string;
  /** Only packets from this port or range; needs `protocol`. */
  readonly sourcePort?: number | string;
  /** Further options, such as `-m limit --limit 5/min`: a list of words, or a line with quotes where they are needed. */
  readonly extras?: string | readonly string[];
}

/**
 * Add or remove a chain, or set its policy.
 * @example iptables.chain({ chain: "INPUT", policy: "DROP" });
 */
export const chain = operation<ChainArguments>({
  name: "iptables.chain",
  positional: ["chain"],
  async *steps(host, { chain: name, present = true, table = "filter", policy, version = 4 }) {
    checkVersion(version);
    notOption("chain", name);
    notOption("policy", policy ?? "");
    const chains = await host.getFact(version === 4 ? IptablesChains : Ip6tablesChains, { table });
    const found = Object.hasOwn(chains, name) ? chains[name] : undefined;
    const command = sh`${iptables(version)} -t ${table}`;
    if (!present) {
      if (found === undefined) host.noop(`iptables chain ${name} does not exist`);
      else yield sh`${command} -X ${name}`;
      return;
    }
    if (found === undefined) yield sh`${command} -N ${name}`;
    else host.noop(`iptables chain ${name} exists`);
    if (policy && policy !== found) yield sh`${command} -P ${name} ${policy}`;
  },
});

/**
 * Add or remove a rule. It does not matter where in the chain a rule stands that is there.
 * @example iptables.rule({ chain: "INPUT", jump: "ACCEPT", protocol: "tcp", destinationPort: 22, source: "10.0.0.0/8" });
 */
export const rule = operation<RuleArguments>({
  name: "iptables.rule",
  positional: ["chain", "jump"],
  async *steps(host, args) {
    const { chain: name, present = true, table = "filter", append = true, version = 4 } = args;
    notOption("chain", name);
    checkVersion(version);
    checkCombination(args, table);
    const { definition, words } = describe(args);
    const rules = await host.getFact(version === 4 ? IptablesRules : Ip6tablesRules, { table });
    const wanted = canonical(definition);
    // The kernel writes many extensions in words of its own.
    const exists =
      rules.some(found => canonical(found) === wanted) ||
      (args.extras !== undefined &&
        (await host.getFact(IptablesRuleExists, { chain: name, rule: words, table, version })));
    if (present === exists)
      return host.noop(present ? `iptables ${name} rule exists` : `iptables ${name} rule does not exists`);
    const action = present ? (append ? "-A" : "-I") : "-D";
    yield sh`${iptables(version)} -t ${[table, action, name, ...words]}`;
  },
});

function checkVersion(version: number): void {
  if (version !== 4 && version !== 6)
    throw new OperationValueError(`\`version\` must be 4 or 6, not ${JSON.stringify(version)}`);
}

function checkCombination({ jump, protocol, ...args }: RuleArguments, table: string): void {
  if ((args.destinationPort || args.sourcePort) && !protocol)
    throw new OperationError("Iptables cannot filter by destinationPort/sourcePort without a protocol");
  for (const { argument, only } of NAT)
    if (args[argument] && (table !== "nat" || jump !== only))
      throw new OperationError(
        `Iptables only supports ${argument} on the nat table and the ${only} jump (table=${table}, jump=${jump})`,
      );
  if (args.logPrefix && jump !== "LOG")
    throw new OperationError(`Iptables only supports logPrefix with the LOG jump (jump=${jump})`);
}

const NAT = [
  { argument: "toDestination", only: "DNAT" },
  { argument: "toSource", only: "SNAT" },
  { argument: "toPorts", only: "REDIRECT" },
] as const;

/** The rule as the facts have it, and as words for the program. */
function describe(args: RuleArguments): { readonly definition: IptablesRule; readonly words: readonly string[] } {
  const [protocol, notProtocol] = [args.protocol?.toLowerCase(), args.notProtocol?.toLowerCase()];
  const not = (name: string, value: string | undefined) => (value ? ["!", name, value] : []);
  const extras = [
    ...commandWords("extras", args.extras ?? []),
    ...value("--dport", args.destinationPort),
    ...value("--sport", args.sourcePort),
  ];
  const words = [
    ...value("-p", protocol),
    ...value("-s", args.source),
    ...value("-d", args.destination),
    ...value("-i", args.inInterface),
    ...value("-o", args.outInterface),
    ...not("-p", notProtocol),
    ...not("-s", args.notSource),
    ...not("-d", args.notDestination),
    ...not("-i", args.notInInterface),
    ...not("-o", args.notOutInterface),
    ...extras,
    "-j",
    args.jump,
    ...value("--log-prefix", args.logPrefix),
    ...value("--to-destination", args.toDestination),
    ...value("--to-source", args.toSource),
    ...value("--to-ports", args.toPorts),
  ];
  const {
    chain: name,
    jump,
    source,
    notSource,
    destination,
    notDestination,
    inInterface,
    notInInterface,
    outInterface,
    notOutInterface,
    logPrefix,
    toDestination,
    toSource,
    toPorts,
  } = args;
  return {
    definition: {
      chain: name,
      jump,
      protocol,
      notProtocol,
      source,
      notSource,
      destination,
      notDestination,
      inInterface,
      notInInterface,
      outInterface,
      notOutInterface,
      logPrefix,
      toDestination,
      toSource,
      toPorts: toPorts === undefined ? undefined : String(toPorts),
      extras,
    },
    words,
  };
}

const value = (name: string, given: string | number | undefined): readonly string[] =>
  option(name, given || undefined).map(String);

/** Equal for rules that mean the same, as far as that is known without the kernel. */
function canonical({
  extras = [],
  protocol = "",
  notProtocol = "",
  source,
  notSource,
  destination,
  notDestination,
  ...rest
}: IptablesRule): string {
  const name = PROTOCOLS[protocol] ?? protocol;
  const networks = [source, notSource, destination, notDestination].map(text =>
    text === undefined || network(text) === "any" ? "" : network(text),
  );
  const others = Object.entries(rest)
    .filter(([, text]) => text)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const words = extras.map(word => word.split(",").sort().join(","));
  const said = words.filter((word, index) => {
    const [before, after] = [words[index - 1], words[index + 1]];
    // A match that the protocol stands for, and the answer that REJECT gives by default.
    const isMatch = (word === "-m" && after === name) || (word === name && before === "-m");
    const isDefault =
      (word === "--reject-with" && DEFAULT_ANSWERS.includes(after ?? "")) ||
      (before === "--reject-with" && DEFAULT_ANSWERS.includes(word));
    return !isMatch && !isDefault;
  });
  return JSON.stringify([
    name === "all" ? "" : name,
    PROTOCOLS[notProtocol] ?? notProtocol,
    networks,
    others,
    said.sort(),
  ]);
}

/** Protocols that the program writes in another way than people do. */
const PROTOCOLS: Readonly<Record<string, string>> = {
  "0": "all",
  "1": "icmp",
  "6": "tcp",
  "17": "udp",
  "58": "ipv6-icmp",
  icmpv6: "ipv6-icmp",
  "132": "sctp",
};
const DEFAULT_ANSWERS: readonly string[] = ["icmp-port-unreachable", "icmp6-port-unreachable"];
