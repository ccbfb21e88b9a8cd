/** Facts about ufw, the uncomplicated firewall. @module */
import { sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";
import { shellWords } from "./shared/shell-words.ts";

/** What is done with a packet that no rule speaks of. */
export type UfwPolicy = "allow" | "deny" | "reject";

/** How ufw is set up. */
export interface UfwState {
  /** The firewall is on. */
  readonly active: boolean;
  /** `low`, `medium`, `high` or `full`; absent when nothing is logged. */
  readonly logging?: string;
  /** Policies, as far as they are known. */
  readonly default: { readonly incoming?: UfwPolicy; readonly outgoing?: UfwPolicy; readonly routed?: UfwPolicy };
  /** What becomes of new application profiles: `skip`, `allow`, `deny` or `reject`. */
  readonly newProfiles?: string;
}

/** How ufw is set up: whether it is on, and its policies and logging, which are known when it is off, too. */
export const UfwStatus = fact<NoArguments, UfwState>({
  name: "ufw.UfwStatus",
  requires: "ufw",
  // Its own report says nothing of the rest while it is off.
  command: () => sh`ufw status 2>/dev/null | head -n 1; cat /etc/default/ufw /etc/ufw/ufw.conf 2>/dev/null || true`,
  parse(lines) {
    const setting = (name: string) =>
      lines
        .findLast(line => line.startsWith(`${name}=`))
        ?.slice(name.length + 1)
        .replace(/^(["'])(.*)\1$/, "$2")
        .toLowerCase();
    const logging = setting("LOGLEVEL");
    const newProfiles = setting("DEFAULT_APPLICATION_POLICY");
    const policies = {
      incoming: policy(setting("DEFAULT_INPUT_POLICY")),
      outgoing: policy(setting("DEFAULT_OUTPUT_POLICY")),
      routed: policy(setting("DEFAULT_FORWARD_POLICY")),
    };
    return {
      active: lines.some(line => /^Status: active$/i.test(line)),
      ...(logging === undefined || logging === "off" ? {} : { logging }),
      default: Object.fromEntries(Object.entries(policies).filter(([, value]) => value !== undefined)),
      ...(newProfiles === undefined ? {} : { newProfiles }),
    };
  },
  empty: { active: false, default: {} },
});

function policy(target: string | undefined): UfwPolicy | undefined {
  if (target === "accept") return "allow";
  if (target === "drop") return "deny";
  return target === "reject" ? target : undefined;
}

/** What a rule does with a packet. */
export type UfwAction = "allow" | "deny" | "reject" | "limit";

/** One rule; what it does not say is absent and means any. */
export interface UfwRule {
  readonly action: UfwAction;
  /** `route` is for packets that pass through the host. */
  readonly direction: "in" | "out" | "route";
  /** Where packets come in; for `out` where they leave. */
  readonly interface?: string;
  /** Where routed packets leave. */
  readonly outInterface?: string;
  readonly from?: string;
  readonly fromPort?: string;
  readonly fromApp?: string;
  readonly to?: string;
  /** Port, range or list that packets go to. */
  readonly port?: string;
  readonly proto?: string;
  /** Application profile that stands for ports. */
  readonly app?: string;
  readonly log?: "log" | "log-all";
  readonly comment?: string;
}

/** Rules that users have added, in order, whether or not the firewall is on. */
export const UfwRules = fact<NoArguments, readonly UfwRule[]>({
  name: "ufw.UfwRules",
  requires: "ufw",
  command: () => sh`ufw show added 2>/dev/null || true`,
  parse: lines => lines.filter(line => /^ufw (?:route )?(?:allow|deny|reject|limit) /.test(line)).map(rule),
  empty: [],
});

/** `ufw [route] ACTION [in|out] [on INTERFACE] [log] …` as `ufw show added` writes it. */
function rule(line: string): UfwRule {
  const found: Record<string, string> = { direction: "in" };
  const rest = shellWords(line).slice(1);
  if (rest[0] === "route") found["direction"] = rest.shift() ?? "";
  const action = rest.shift();
  let side: "from" | "to" = "to";
  while (rest.length > 0) {
    const word = rest.shift() ?? "";
    const isRoute = found["direction"] === "route";
    const value = () => {
      const next = rest.shift();
      if (next === undefined) throw new SyntaxError(`Not a rule of ufw: ${JSON.stringify(line)}`);
      return next;
    };
    if (word === "in" || word === "out") {
      if (!isRoute) found["direction"] = word;
      else if (rest[0] === "on") found[rest.shift() && word === "in" ? "interface" : "outInterface"] = value();
    } else if (word === "on") found["interface"] = value();
    else if (word === "log" || word === "log-all") found["log"] = word;
    else if (word === "from" || word === "to") {
      side = word;
      const address = value();
      if (address !== "any") found[side] = address;
    } else if (word === "port") found[side === "from" ? "fromPort" : "port"] = value();
    else if (word === "app") found[side === "from" ? "fromApp" : "app"] = value();
    else if (word === "proto" || word === "comment") found[word] = value();
    else short(found, word);
  }
  return {
    ...found,
    action: action === "deny" || action === "reject" || action === "limit" ? action : "allow",
    direction: directionOf(found["direction"]),
  };
}

const directionOf = (text: string | undefined): UfwRule["direction"] =>
  text === "out" || text === "route" ? text : "in";

/** `22/tcp`, `53`, or the name of an application profile. */
function short(found: Record<string, string>, word: string): void {
  const [, port, proto] = /^([\d:,]+)(?:\/(\w+))?$/.exec(word) ?? [];
  if (port === undefined) found["app"] = word;
  else {
    found["port"] = port;
    if (proto !== undefined) found["proto"] = proto;
  }
}
