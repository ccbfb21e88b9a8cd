/** Facts about Upstart. @module */
import { sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";
import type { ServiceStatuses } from "./shared/services.ts";

/** Status of Upstart's jobs, by name. */
export const UpstartStatus = fact<NoArguments, ServiceStatuses>({
  name: "upstart.UpstartStatus",
  requires: "initctl",
  command: () => sh`initctl list`,
  parse: lines =>
    Object.fromEntries(
      lines.flatMap(line => {
        const [, name, state] = /^(\S+)(?: \(.*\))? \w+\/([\w-]+)/.exec(line) ?? [];
        return name === undefined ? [] : [[name, state === "running"]];
      }),
    ),
  empty: {},
});
