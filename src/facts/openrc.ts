/** Facts about OpenRC. @module */
import { operand, sh } from "../core/command.ts";
import { fact } from "../core/fact.ts";
import { words } from "./shared/lines.ts";
import type { ServicesEnabled, ServiceStatuses } from "./shared/services.ts";

/** Arguments of `openrc.OpenrcStatus` and `openrc.OpenrcEnabled`. */
export interface RunLevelArguments {
  /** Name of the run level; default: `default`. */
  readonly runLevel?: string;
}

/** Status of the services of a run level, by name. */
export const OpenrcStatus = fact<RunLevelArguments, ServiceStatuses>({
  name: "openrc.OpenrcStatus",
  requires: "rc-status",
  command: ({ runLevel = "default" }) => sh`rc-status ${operand(runLevel)}`,
  parse: lines =>
    Object.fromEntries(
      lines.flatMap(line => {
        const [, name, state] = /^\s+([\w\-.]+)\s+\[\s*([a-z]+)/.exec(line) ?? [];
        return name === undefined ? [] : [[name, state === "started"]];
      }),
    ),
  empty: {},
});

/** Every service, by name: whether a run level has it. */
export const OpenrcEnabled = fact<RunLevelArguments, ServicesEnabled>({
  name: "openrc.OpenrcEnabled",
  requires: "rc-update",
  command: () => sh`rc-update show -v`,
  parse: (lines, { runLevel = "default" }) =>
    Object.fromEntries(
      lines.map(line => {
        const [name, levels] = line.split("|");
        if (name === undefined || levels === undefined)
          throw new SyntaxError(`Not a service and its run levels: ${JSON.stringify(line)}`);
        return [name.trim(), words(levels).includes(runLevel)];
      }),
    ),
  empty: {},
});
