/** Services of OpenRC. @module */
import { operand, sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { OpenrcEnabled, OpenrcStatus } from "../facts/openrc.ts";
import { notOption } from "./shared/options.ts";
import { CONTROL_CONDITIONS, controlService, type ServiceArguments } from "./shared/services.ts";

/** Arguments of `openrc.service`. */
export interface OpenrcServiceArguments extends ServiceArguments {
  /** Name of the run level that it is looked for and enabled in; default: `default`. */
  readonly runLevel?: string;
}

/**
 * Start, stop, restart, reload, enable or disable a service.
 * @example openrc.service({ service: "sshd", running: true, enabled: true });
 */
export const service = operation<OpenrcServiceArguments>({
  name: "openrc.service",
  positional: ["service"],
  conditions: CONTROL_CONDITIONS,
  async *steps(host, { enabled, runLevel = "default", ...args }) {
    const name = args.service;
    notOption("runLevel", runLevel);
    yield* controlService(
      host,
      args,
      await host.getFact(OpenrcStatus, { runLevel }),
      command => sh`rc-service ${operand(name)} ${command}`,
    );
    if (enabled === undefined) return;
    const isEnabled = (await host.getFact(OpenrcEnabled, { runLevel }))[name] ?? false;
    if (isEnabled === enabled) return host.noop(`service ${name} is ${enabled ? "enabled" : "disabled"}`);
    yield sh`rc-update ${enabled ? "add" : "del"} ${operand(name)} ${runLevel}`;
  },
});
