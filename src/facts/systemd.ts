/** Facts about systemd. @module */
import { operand, sh, type Shell } from "../core/command.ts";
import { type CommandFact, fact, type NoArguments } from "../core/fact.ts";
import type { ServicesEnabled } from "./shared/services.ts";

/** Which systemd. */
export interface SystemdScope {
  /** The user's own manager, as `systemctl --user`; default: the system's. */
  readonly userMode?: boolean;
  /** Name of a local container. */
  readonly machine?: string;
  /** Whose manager; without `machine` that of a user of this host. */
  readonly userName?: string;
}

/** Arguments of `systemd.SystemdStatus` and `systemd.SystemdEnabled`. */
export interface SystemdArguments extends SystemdScope {
  /** Units or patterns; default: all units. */
  readonly services?: string | readonly string[];
}

/** Prints `unreachable` when the user has no manager that runs. */
const UserManager = fact<NoArguments, string>({
  name: "systemd.UserManager",
  command: () => sh`systemctl --user show --property Version >/dev/null 2>&1 || echo unreachable`,
  parse: lines => lines[0]!,
  empty: "",
});

/** Units by full name: whether they are active. */
export const SystemdStatus = units("systemd.SystemdStatus", "SubState", [
  "running",
  "waiting",
  "exited",
  "listening",
  "mounted",
  "active",
  "plugged",
]);

/** Units by full name: whether they are enabled, or static and so not to be enabled. */
export const SystemdEnabled = units("systemd.SystemdEnabled", "UnitFileState", ["enabled", "static"]);

/** `systemctl` for this scope. */
export function systemctl({ userMode, machine, userName }: SystemdScope): Shell {
  const target =
    machine !== undefined
      ? userName !== undefined
        ? `${userName}@${machine}`
        : machine
      : userName !== undefined
        ? `${userName}@.host`
        : undefined;
  return sh`${["systemctl", userMode && "--user", target !== undefined && `--machine=${target}`]}`;
}

function units(name: string, property: string, yes: readonly string[]): CommandFact<SystemdArguments, ServicesEnabled> {
  const ask = (args: SystemdArguments, services: readonly string[]): Shell =>
    sh`${systemctl(args)} show --all --property Id --property ${property} ${services.map(operand)}`;
  const unreachable = fact<SystemdArguments, ServicesEnabled>({
    name,
    command: () => sh`true`,
    parse: () => ({}),
    empty: {},
  });
  return fact({
    name,
    requires: "systemctl",
    command: args => ask(args, args.services === undefined ? ["*"] : [args.services].flat()),
    parse: (lines, { services }) => parseUnits(lines, property, yes, services === undefined ? [] : [services].flat()),
    empty: {},
    // Before its first login a user has no manager: nothing is active then, and that is no failure.
    variant: {
      by: UserManager,
      when: ({ userMode, machine, userName }) => userMode === true && machine === undefined && userName === undefined,
      choose: kind => (kind === "unreachable" ? unreachable : undefined),
    },
  });
}

const UNIT = /^[\w:\-.\\@]+\.(?:service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$/;

/** Blocks of `Id=` and the property, with an empty line between them: one for each unit that was named, in that order. */
function parseUnits(
  lines: readonly string[],
  property: string,
  yes: readonly string[],
  named: readonly string[],
): ServicesEnabled {
  const blocks = lines
    .join("\n")
    .split(/\n\n+/)
    .map(
      block =>
        new Map(
          block.split("\n").map(line => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1).trim()]),
        ),
    );
  const found: Record<string, boolean> = {};
  blocks.forEach((block, index) => {
    const [id, value] = [block.get("Id"), block.get(property)];
    if (id === undefined || value === undefined || !UNIT.test(id)) return;
    found[id] = yes.includes(value);
    // An alias is answered under the unit's own name.
    const asked = blocks.length === named.length ? named[index] : undefined;
    if (asked !== undefined) found[asked] = yes.includes(value);
  });
  return found;
}
