/** Units of systemd. @module */
import type { Condition } from "../core/arguments.ts";
import { operand, sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { SystemdEnabled, type SystemdScope, SystemdStatus, systemctl } from "../facts/systemd.ts";
import { CONTROL_CONDITIONS, controlService, type ServiceArguments } from "./shared/services.ts";

/** Arguments of `systemd.service`. */
export interface SystemdServiceArguments extends ServiceArguments, SystemdScope {
  /** Name of the unit; without a suffix such as `.timer` it is a service. */
  readonly service: string;
  /** Have systemd read its unit files again first, or only on a condition; default false. */
  readonly daemonReload?: boolean | Condition;
}

/**
 * Have systemd read its unit files again.
 * @example systemd.daemonReload();
 */
export const daemonReload = operation<SystemdScope>({
  name: "systemd.daemonReload",
  idempotent: "it reads them every time",
  async *steps(_, scope) {
    yield sh`${systemctl(scope)} daemon-reload`;
  },
});

/**
 * Start, stop, restart, reload, enable or disable a unit.
 * @example systemd.service({ service: "nginx", running: true, enabled: true });
 * @example systemd.service({ service: "backup.timer", enabled: true, daemonReload: true });
 * @example
 * ```ts
 * const unit = files.put({ src: "app.service", dest: "/etc/systemd/system/app.service" });
 * systemd.service({ service: "app", daemonReload: unit.didChange, restarted: unit.didChange });
 * ```
 */
export const service = operation<SystemdServiceArguments>({
  name: "systemd.service",
  positional: ["service"],
  conditions: { ...CONTROL_CONDITIONS, daemonReload: true },
  async *steps(host, { service, enabled, daemonReload: reload, userMode, machine, userName, ...args }) {
    const scope = { userMode, machine, userName };
    const unit = SUFFIX.test(service) ? service : `${service}.service`;
    const question = { ...scope, services: [unit] };
    if (reload) yield* daemonReload.steps(host, scope);
    yield* controlService(
      host,
      { ...args, service: unit },
      await host.getFact(SystemdStatus, question),
      command => sh`${systemctl(scope)} ${command} ${operand(unit)}`,
    );
    if (enabled === undefined) return;
    const isEnabled = (await host.getFact(SystemdEnabled, question))[unit] ?? false;
    if (isEnabled !== enabled) yield sh`${systemctl(scope)} ${enabled ? "enable" : "disable"} ${operand(unit)}`;
  },
});

const SUFFIX = /\.(?:service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$/;
