/** Facts about launchd, the service manager of macOS. @module */
import { sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";
import { words } from "./shared/lines.ts";
import type { ServiceStatuses } from "./shared/services.ts";

/** Services that are loaded, by label; those with a process run. */
export const LaunchdStatus = fact<NoArguments, ServiceStatuses>({
  name: "launchd.LaunchdStatus",
  requires: "launchctl",
  command: () => sh`launchctl list`,
  parse: lines =>
    Object.fromEntries(
      lines.flatMap(line => {
        const [pid, , label] = words(line);
        return pid === undefined || pid === "PID" || label === undefined ? [] : [[label, /^\d+$/.test(pid)]];
      }),
    ),
  empty: {},
});
