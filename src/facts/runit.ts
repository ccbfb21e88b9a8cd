/** Facts about runit. @module */
import { operand, remotePath, sh } from "../core/command.ts";
import { fact } from "../core/fact.ts";
import type { ServiceStatuses } from "./shared/services.ts";

/** Arguments of `runit.RunitStatus` and `runit.RunitManaged`. */
export interface RunitArguments {
  /** Only this service; default: all. */
  readonly service?: string;
  /** Directory of the services that runit runs; default: `/var/service`. */
  readonly svDir?: string;
}

/** Status of the services that runit runs, by name; `null`: it failed. */
export const RunitStatus = fact<RunitArguments, ServiceStatuses>({
  name: "runit.RunitStatus",
  requires: "sv",
  command: ({ service, svDir = "/var/service" }) =>
    service === undefined
      ? sh`export SVDIR=${remotePath(svDir)} && cd "$SVDIR" && find * -maxdepth 0 -exec sv status {} + 2>/dev/null`
      : sh`SVDIR=${svDir} sv status ${service}`,
  parse: lines =>
    Object.fromEntries(
      lines.map(line => {
        const [, state, name] = /^(\w+): ([^:]+):/.exec(line) ?? [];
        if (name === undefined) throw new SyntaxError(`Not a status of sv: ${JSON.stringify(line)}`);
        return [name, state === "run" ? true : state === "down" ? false : null];
      }),
    ),
  empty: {},
});

/** Names of the services that are linked into runit's directory. */
export const RunitManaged = fact<RunitArguments, readonly string[]>({
  name: "runit.RunitManaged",
  requires: "sv",
  command: ({ service, svDir = "/var/service" }) =>
    service === undefined
      ? sh`cd ${operand(svDir)} && find -mindepth 1 -maxdepth 1 -type l -printf ${"%f\n"}`
      : sh`cd ${operand(svDir)} && test -h ${service} && echo ${service} || true`,
  parse: lines => lines.toSorted(),
  empty: [],
});
