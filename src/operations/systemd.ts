/** Units of systemd. @module */
import { operand, sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { SystemdEnabled, type SystemdScope, SystemdStatus, systemctl } from "../facts/systemd.ts";
import { controlService, type ServiceArguments } from "./shared/services.ts";

/** Arguments of `systemd.service`. */
export interface SystemdServiceArguments extends ServiceArguments, SystemdScope {
  /** Name of the unit; without a suffix such as `.timer` it is a service. */
  readonly service: string;
  /** Have systemd read its unit files again first; default false. */
  readonly daemonReload?: boolean;
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
 */
export const service = operation<SystemdServiceArguments>({
  name: "systemd.service",
  positional: ["service"],
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
