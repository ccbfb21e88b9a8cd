/** Services of FreeBSD. @module */
import { sh } from "../../core/command.ts";
import { OperationValueError } from "../../core/errors.ts";
import { operation } from "../../core/operation.ts";
import { type JailArguments, ServiceScript, ServiceStatus } from "../../facts/freebsd.ts";
import { notOption, option } from "../shared/options.ts";

/** Arguments of `freebsd.service.service`. */
export interface ServiceArguments extends JailArguments {
  /** Name of the service's rc script. */
  readonly srvName: string;
  /** What is wanted; `custom` runs `command`. Default: `started`. */
  readonly srvState?: "started" | "stopped" | "restarted" | "reloaded" | "custom";
  /** What to run with `custom`: a word, or several. */
  readonly command?: string | readonly string[];
  /** Environment of the script, as `NAME=value`. */
  readonly environment?: readonly string[];
  /** Say more; default false. */
  readonly verbose?: boolean;
}

/**
 * Start, stop, restart or reload a service, or send it a command of its own.
 * @example freebsd.service.service({ srvName: "nginx", srvState: "reloaded" });
 */
export const service = operation<ServiceArguments>({
  name: "freebsd.service.service",
  positional: ["srvName"],
  idempotent: "`restarted`, `reloaded` and `custom` run every time",
  async *steps(host, { srvName, jail, srvState = "started", command = [], environment = [], verbose }) {
    notOption("srvName", srvName);
    if (!(await host.getFact(ServiceScript, { srvName, jail })))
      return host.noop(`Cannot find rc(8) script '${srvName}'`);
    const isRunning = async () => Boolean(await host.getFact(ServiceStatus, { srvName, jail }));
    const tool = [
      "service",
      verbose && "-v",
      ...option("-j", jail),
      ...environment.flatMap(variable => ["-E", variable]),
      srvName,
    ];
    switch (srvState) {
      case "started":
        if (await isRunning()) return host.noop(`Service '${srvName}' already started`);
        return yield sh`${[...tool, "start"]}`;
      case "stopped":
        if (!(await isRunning())) return host.noop(`Service '${srvName}' already stopped`);
        return yield sh`${[...tool, "stop"]}`;
      case "restarted":
        return yield sh`${[...tool, "restart"]}`;
      case "reloaded":
        return yield sh`${[...tool, "reload"]}`;
      case "custom":
        return yield sh`${[...tool, ...[command].flat()]}`;
      default:
        throw new OperationValueError(`Invalid service command: ${String(srvState)}`);
    }
  },
});
