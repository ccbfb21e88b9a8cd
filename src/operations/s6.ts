/** Services under s6-rc, through its front end `s6`. @module */
import type { Condition } from "../core/arguments.ts";
import { operand, sh, type Word } from "../core/command.ts";
import { OperationValueError } from "../core/errors.ts";
import { operation } from "../core/operation.ts";
import { S6LiveStatus, S6RepositoryList, S6SetStatus } from "../facts/s6.ts";
import { CONTROL_CONDITIONS } from "./shared/services.ts";

/** Arguments of `s6.service`. */
export interface S6ServiceArguments {
  /** Name of a service, or several; s6 minds what depends on what. */
  readonly services: string | readonly string[];
  /** Whether they are up; `null` leaves that as it is. Default true. */
  readonly running?: boolean | null;
  /** Restart those that are up already, or only on a condition such as a handle's `didChange`; default false. */
  readonly restarted?: boolean | Condition;
  /** Send `reloadSignal` to those that are up already, or only on a condition; default false. */
  readonly reloaded?: boolean | Condition;
  /** Another command of `s6 live` to run for them, every time; its words are separated by spaces. */
  readonly command?: string;
  /** Whether they are up after a boot; default: left as it is. */
  readonly enabled?: boolean;
  /** Default: `SIGHUP`. */
  readonly reloadSignal?: string;
  /** Directory of the repository; default: the one that the front end is configured for. */
  readonly repo?: string;
  /** The set to enable them in; default: `current`, the working set. */
  readonly set?: string;
  /** What enabled means: `always` is more than `active`, which may be undone for a while. Default: `active`. */
  readonly enabledRx?: "active" | "always";
  /** What disabled means: `masked` cannot be started at all. Default: `usable`. */
  readonly disabledRx?: "usable" | "masked";
}

/** Arguments of `s6.set`. */
export interface SetArguments {
  /** Name of the set; default: `current`. */
  readonly set?: string;
  /** `true`: the working set is saved under this name. `false`: the set is deleted. Default true. */
  readonly present?: boolean;
  /** Save even if there is a set of that name; default false. */
  readonly forceSave?: boolean;
}

/**
 * Start, stop, restart, reload, enable or disable services.
 * @example s6.service({ services: ["nginx", "php"], running: true, enabled: true });
 */
export const service = operation<S6ServiceArguments>({
  name: "s6.service",
  positional: ["services"],
  conditions: CONTROL_CONDITIONS,
  async *steps(
    host,
    {
      running = true,
      restarted,
      reloaded,
      command,
      enabled,
      reloadSignal = "SIGHUP",
      repo,
      set,
      enabledRx = "active",
      disabledRx = "usable",
      ...args
    },
  ) {
    checkOneOf("enabledRx", enabledRx, ["active", "always"]);
    checkOneOf("disabledRx", disabledRx, ["usable", "masked"]);
    const services = [args.services].flat();
    const statuses = await host.getFact(S6LiveStatus);
    const up = services.filter(name => statuses[name] === true);
    const down = services.filter(name => statuses[name] !== true);
    const names = (list: readonly string[]): Word => list.map(operand);

    if (running === true) {
      if (down.length > 0) yield sh`s6 live start ${names(down)}`;
      else host.noop(`all specified services are already up: ${services.join(", ")}`);
    }
    if (running === false) {
      if (up.length > 0) yield sh`s6 live stop ${names(up)}`;
      else host.noop(`all specified services are already down: ${services.join(", ")}`);
    }
    if (restarted && up.length > 0) yield sh`s6 live restart ${names(up)}`;
    if (reloaded && up.length > 0) yield sh`s6 process kill -s ${reloadSignal} ${names(up)}`;
    if (command) yield sh`s6 live ${command.trim().split(/\s+/)} ${names(services)}`;
    if (enabled === undefined) return;

    const wanted = enabled ? enabledRx : disabledRx;
    const prescribed = await host.getFact(S6SetStatus, { repository: repo, set });
    const wrong = services.filter(name => prescribed[name] !== wanted);
    if (wrong.length === 0) return host.noop(`all specified services are already ${wanted}: ${services.join(", ")}`);
    if (repo === undefined && set === undefined) yield sh`s6 set ${PRESCRIBE[wanted]} ${names(wrong)}`;
    else
      yield sh`s6-rc-set-change ${[...(repo === undefined ? [] : ["-r", repo]), operand(set ?? "current"), wanted, ...wrong]}`;
  },
});

/** The front end's words for what it prescribes. */
const PRESCRIBE = { active: "enable", always: "make-essential", usable: "disable", masked: "mask" } as const;

/**
 * Save the working set of services under a name, or delete a set.
 * @example s6.set({ set: "before-upgrade" });
 */
export const set = operation<SetArguments>({
  name: "s6.set",
  positional: ["set"],
  idempotent: "with `forceSave` it saves every time",
  async *steps(host, { set: name = "current", present = true, forceSave = false }) {
    const isThere = (await host.getFact(S6RepositoryList)).includes(name);
    if (!present) {
      if (!isThere) return host.noop(`set ${name} does not exist`);
      return yield sh`s6 set delete ${operand(name)}`;
    }
    if (isThere && !forceSave) return host.noop(`set ${name} already exists`);
    yield sh`s6 set save ${[forceSave && "-f", operand(name)]}`;
  },
});

function checkOneOf(argument: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value))
    throw new OperationValueError(
      `\`${argument}\` is ${JSON.stringify(value)}; it must be either ${allowed.map(one => JSON.stringify(one)).join(" or ")}`,
    );
}
