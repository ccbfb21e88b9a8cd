/** Services, whatever service manager the host has. @module */
import { OperationError } from "../../core/errors.ts";
import type { OperationHost } from "../../core/host.ts";
import { type OperationDefinition, operation } from "../../core/operation.ts";
import { Directory, Link } from "../../facts/files/index.ts";
import { Os, Which } from "../../facts/server/index.ts";
import * as bsdinit from "../bsdinit.ts";
import * as openrc from "../openrc.ts";
import * as runit from "../runit.ts";
import { CONTROL_CONDITIONS, type ServiceArguments } from "../shared/services.ts";
import * as systemd from "../systemd.ts";
import * as sysvinit from "../sysvinit.ts";
import * as upstart from "../upstart.ts";

/**
 * Start, stop, restart, reload, enable or disable a service, through whichever service manager the host has.
 * @example server.service({ service: "nginx", running: true, enabled: true });
 */
export const service = operation<ServiceArguments>({
  name: "server.service",
  positional: ["service"],
  conditions: CONTROL_CONDITIONS,
  async *steps(host, args) {
    const manager = await serviceManager(host);
    yield* manager.steps(host, args);
  },
});

async function serviceManager(host: OperationHost): Promise<Pick<OperationDefinition<ServiceArguments>, "steps">> {
  const has = async (command: string) => (await host.getFact(Which, { command })) !== undefined;
  const isDirectory = async (path: string) => (await host.getFact(Directory, { path })).type === "directory";
  if (await has("systemctl")) return systemd.service;
  if (await has("rc-service")) return openrc.service;
  if (await has("initctl")) return upstart.service;
  if (await has("sv")) return runit.service;
  if ((await host.getFact(Link, { path: "/etc/init.d" })).type === "link" || (await isDirectory("/etc/init.d")))
    return sysvinit.service;
  // The BSDs have a `service` too; on Linux `/etc/rc.d` means something else.
  if ((await host.getFact(Os)) !== "Linux" && (await isDirectory("/etc/rc.d"))) return bsdinit.service;
  if (await has("service")) return sysvinit.service;
  throw new OperationError("No init system found (no systemctl, initctl, /etc/init.d or /etc/rc.d found)");
}
