/** ufw, the uncomplicated firewall. @module */
import type { Condition } from "../core/arguments.ts";
import { type Shell, sh, type Word } from "../core/command.ts";
import { OperationError, OperationTypeError, OperationValueError } from "../core/errors.ts";
import { operation } from "../core/operation.ts";
import { network } from "../facts/shared/network.ts";
import { type UfwAction, type UfwPolicy, type UfwRule, UfwRules, UfwStatus } from "../facts/ufw.ts";
import { notOption, option } from "./shared/options.ts";

/** Arguments of `ufw.service`. */
export interface ServiceArguments {
  /** The firewall must be on, now and after a restart; `false`: off. Default true. */
  readonly enabled?: boolean;
  /** Have it read its rules again if it is on already, or only on a condition such as a handle's `didChange`; default false. */
  readonly reload?: boolean | Condition;
}

/**
 * Turn the firewall on or off. It does not ask back, although it may cut the connection: allow SSH before.
 * @example ufw.service({ enabled: true });
 */
export const service = operation<ServiceArguments>({
  name: "ufw.service",
  conditions: { reload: true },
  async *steps(host, { enabled = true, reload = false }) {
    const { active } = await host.getFact(UfwStatus);
    if (enabled && !active) yield sh`ufw --force enable`;
    else if (enabled && reload) yield sh`ufw reload`;
    else if (!enabled && active) yield sh`ufw disable`;
    else host.noop(`ufw service is already ${enabled ? "enabled" : "disabled"}`);
  },
});

/** Arguments of `ufw.default`. */
export interface DefaultArguments {
  /** What becomes of packets that no rule speaks of. */
  readonly policy: UfwPolicy;
  /** Which packets; default `incoming`. `routed` are those that pass through the host. */
  readonly direction?: "incoming" | "outgoing" | "routed";
}

/**
 * Set what becomes of packets that no rule speaks of.
 * @example ufw.default({ policy: "deny", direction: "incoming" });
 */
const defaultPolicy = operation<DefaultArguments>({
  name: "ufw.default",
  positional: ["policy", "direction"],
  async *steps(host, { policy, direction = "incoming" }) {
    checkOneOf("policy", policy, ["allow", "deny", "reject"]);
    checkOneOf("direction", direction, ["incoming", "outgoing", "routed"]);
    if ((await host.getFact(UfwStatus)).default[direction] === policy)
      host.noop(`ufw default ${direction} is already ${policy}`);
    else yield sh`ufw default ${policy} ${direction}`;
  },
});
export { defaultPolicy as default };

/** Arguments of `ufw.logging`. */
export interface LoggingArguments {
  /** How much is logged; `true` and `"on"` mean any of it, `false` and `"off"` nothing. */
  readonly level: boolean | "off" | "on" | "low" | "medium" | "high" | "full";
}

/**
 * Set how much is logged.
 * @example ufw.logging({ level: "low" });
 */
export const logging = operation<LoggingArguments>({
  name: "ufw.logging",
  positional: ["level"],
  async *steps(host, { level }) {
    const wanted = level === true ? "on" : level === false ? "off" : level;
    checkOneOf("level", wanted, ["off", "on", "low", "medium", "high", "full"]);
    const { logging: current = "off" } = await host.getFact(UfwStatus);
    if (wanted === current || (wanted === "on" && current !== "off")) host.noop(`ufw logging is already ${wanted}`);
    else yield sh`ufw logging ${wanted}`;
  },
});

/** Arguments of `ufw.rule`. */
export interface RuleArguments {
  /** What is done with the packets; `limit` refuses those who come too often. */
  readonly action: UfwAction;
  /** Port that packets go to, a range (`"8000:8010"`) or a list (`"80,443"`); those need `proto`. */
  readonly port?: number | string;
  /** Protocol, such as `tcp` or `udp`; default: any. */
  readonly proto?: string;
  /** Address or network that packets come from; default: any. */
  readonly fromIp?: string;
  /** Address or network that packets go to; default: any. */
  readonly toIp?: string;
  /** `in` (default) to the host, `out` of it, or `route` for those that pass through. */
  readonly direction?: "in" | "out" | "route";
  /** Interface that packets come in through, with `out` the one they leave through; default: any. */
  readonly interface?: string;
  /** Name of an application profile, in place of `port` and `proto`. */
  readonly app?: string;
  /** Log new connections (`true` or `"log"`), or every packet (`"log-all"`); default false. */
  readonly log?: boolean | "log" | "log-all";
  /** Comment, without single quotes; default: left as it is. */
  readonly comment?: string;
  /** `false`: there must be no such rule; default true. */
  readonly present?: boolean;
}

/**
 * Add or remove a rule. One for the same packets with another action takes its place.
 * @example ufw.rule({ action: "allow", port: 22, proto: "tcp", fromIp: "10.0.0.0/8", comment: "ssh from inside" });
 */
export const rule = operation<RuleArguments>({
  name: "ufw.rule",
  positional: ["action"],
  async *steps(host, { present = true, ...args }) {
    const wanted = ruleOf(args);
    const found = (await host.getFact(UfwRules)).find(one => isSame(wanted, one));
    if (present) {
      if (found && (wanted.comment ?? found.comment) === found.comment) host.noop("ufw rule is already present");
      else yield command(wanted, false);
    } else if (found) yield command(found, true);
    else host.noop("ufw rule is already absent");
  },
});

function ruleOf({
  action,
  port,
  proto,
  fromIp,
  toIp,
  direction = "in",
  interface: device,
  app,
  log = false,
  comment,
}: RuleArguments): UfwRule {
  checkOneOf("action", action, ["allow", "deny", "reject", "limit"]);
  checkOneOf("direction", direction, ["in", "out", "route"]);
  if (log !== true && log !== false) checkOneOf("log", log, ["log", "log-all"]);
  if (app && (port !== undefined || proto))
    throw new OperationValueError("A rule of ufw cannot have `app` beside `port` or `proto`");
  notOption("app", app ?? "");
  if (comment?.includes("'"))
    throw new OperationValueError(`\`comment\` is ${JSON.stringify(comment)}, but ufw takes no single quote there`);
  if (port !== undefined && !/^\d+(?::\d+)?(?:,\d+(?::\d+)?)*$/.test(String(port)))
    throw new OperationTypeError(`\`port\` must be a number, a range or a list of them, not ${JSON.stringify(port)}`);
  const from = address("fromIp", fromIp);
  const to = address("toIp", toIp);
  return {
    action,
    direction,
    ...(device ? { interface: device } : {}),
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
    ...(port === undefined
      ? {}
      : {
          port: String(port)
            .split(",")
            .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
            .join(","),
        }),
    ...(proto ? { proto: proto.toLowerCase() } : {}),
    ...(app ? { app } : {}),
    ...(log === false ? {} : { log: log === true ? "log" : log }),
    ...(comment ? { comment } : {}),
  };
}

function address(argument: string, text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  const normal = network(text);
  if (normal !== "any" && !/^[\da-f.:]+(?:\/\d+)?$/.test(normal))
    throw new OperationValueError(`\`${argument}\` must be an address or a network, not ${JSON.stringify(text)}`);
  return normal === "any" ? undefined : normal;
}

/** All but the comment is the same. */
function isSame(wanted: UfwRule, found: UfwRule): boolean {
  const { comment: _, ...mine } = wanted;
  const { comment: __, ...theirs } = found;
  const names = new Set([...Object.keys(mine), ...Object.keys(theirs)]);
  const values = (rule: object): ReadonlyMap<string, unknown> => new Map(Object.entries(rule));
  return [...names].every(name => values(mine).get(name) === values(theirs).get(name));
}

/** A rule in ufw's words. Only one without addresses and interfaces has a short form. */
function command(rule: UfwRule, isDeletion: boolean): Shell {
  const { action, direction, log, comment, port, proto, app } = rule;
  const isRoute = direction === "route";
  const onInterface = rule.interface === undefined ? [] : ["on", rule.interface];
  const where = isRoute
    ? [
        ...(onInterface.length > 0 ? ["in", ...onInterface] : []),
        ...(rule.outInterface === undefined ? [] : ["out", "on", rule.outInterface]),
      ]
    : [...(direction === "out" || onInterface.length > 0 ? [direction] : []), ...onInterface];
  const isShort =
    where.length === 0 &&
    !isRoute &&
    [rule.from, rule.fromPort, rule.fromApp, rule.to].every(part => part === undefined) &&
    (app !== undefined || port !== undefined);
  const what: readonly Word[] = isShort
    ? [app ?? `${port}${proto === undefined ? "" : `/${proto}`}`]
    : [
        ...["from", rule.from ?? "any", ...option("port", rule.fromPort), ...option("app", rule.fromApp)],
        ...["to", rule.to ?? "any", ...option("port", port), ...option("app", app), ...option("proto", proto)],
      ];
  return sh`ufw ${[isRoute && "route", isDeletion && "delete", action, ...where, log, ...what, ...option("comment", isDeletion ? undefined : comment)]}`;
}

function checkOneOf(argument: string, given: string, allowed: readonly string[]): void {
  if (!allowed.includes(given))
    throw new OperationError(`\`${argument}\` must be one of ${allowed.join(", ")}, not ${JSON.stringify(given)}`);
}
