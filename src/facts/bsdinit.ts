/** Facts about the BSDs' init scripts. @module */
import { sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";
import { initStatuses, type ServicesEnabled, type ServiceStatuses } from "./shared/services.ts";

/** Status of the services in `/etc/rc.d` and `/usr/local/etc/rc.d`, by name. */
export const RcdStatus = fact<NoArguments, ServiceStatuses>({
  name: "bsdinit.RcdStatus",
  command: () => sh`for SERVICE in $(find /etc/rc.d /usr/local/etc/rc.d -type f 2>/dev/null); do
    "$SERVICE" status >/dev/null 2>&1 || "$SERVICE" check >/dev/null 2>&1
    echo "$(basename "$SERVICE")=$?"
done`,
  parse: initStatuses,
  empty: {},
});

/** Services that OpenBSD starts at boot, by name. */
export const RcdEnabled = fact<NoArguments, ServicesEnabled>({
  name: "bsdinit.RcdEnabled",
  requires: "rcctl",
  command: () => sh`rcctl ls on`,
  parse: lines => Object.fromEntries(lines.map(name => [name, true])),
  empty: {},
});
