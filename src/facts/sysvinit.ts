/** Facts about System V init scripts. @module */
import { sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";
import { initStatuses, type ServiceStatuses } from "./shared/services.ts";

/** Status of the services in `/etc/init.d`, by name. Each script is asked, and some answer wrongly. */
export const InitdStatus = fact<NoArguments, ServiceStatuses>({
  name: "sysvinit.InitdStatus",
  command: () => sh`
        for SERVICE in \`ls /etc/init.d/\`; do
            _=\`cat /etc/init.d/$SERVICE | grep "### BEGIN INIT INFO"\`

            if [ "$?" = "0" ]; then
                STATUS=\`/etc/init.d/$SERVICE status\`
                echo "$SERVICE=$?"
            fi
        done
    `,
  parse: initStatuses,
  empty: {},
});
