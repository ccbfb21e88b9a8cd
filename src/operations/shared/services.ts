/** What service managers have in common: what is started, stopped, restarted, reloaded. @module */
import type { Condition } from "../../core/arguments.ts";
import type { Shell, Word } from "../../core/command.ts";
import type { OperationHost } from "../../core/host.ts";
import type { Decided } from "../../core/operation.ts";
import type { ServiceStatuses } from "../../facts/shared/services.ts";

/** What is wanted of a running service. */
export interface ControlArguments {
  /** Whether it runs; `null` leaves that as it is. Default true. */
  readonly running?: boolean | null;
  /** Restart it if it runs already, or only on a condition such as a handle's `didChange`; default false. */
  readonly restarted?: boolean | Condition;
  /** Have it read its configuration again if it runs already, or only on a condition; default false. */
  readonly reloaded?: boolean | Condition;
  /** Another command of the service manager to run for it, every time; its words are separated by spaces. */
  readonly command?: string;
}

/** The conditions among `ControlArguments`. */
export const CONTROL_CONDITIONS = { restarted: true, reloaded: true } as const;

/** What is wanted of a service. */
export interface ServiceArguments extends ControlArguments {
  /** Name of the service. */
  readonly service: string;
  /** Whether it starts at boot; default: left as it is. */
  readonly enabled?: boolean;
}

/** The commands that bring a service into the wanted state; `control` makes the service manager's command for `start`, `stop`, `restart`, `reload` or another one. */
export function* controlService(
  host: OperationHost,
  { service, running = true, restarted, reloaded, command }: Decided<ControlArguments> & { readonly service: string },
  statuses: ServiceStatuses,
  control: (command: Word) => Shell,
): Generator<Shell, void, void> {
  const isRunning = Object.hasOwn(statuses, service) && statuses[service] === true;
  if (running === false) {
    if (isRunning) yield control("stop");
    else host.noop(`service ${service} is stopped`);
  }
  if (running === true) {
    if (isRunning) host.noop(`service ${service} is running`);
    else yield control("start");
  }
  if (restarted && isRunning) yield control("restart");
  if (reloaded && isRunning) yield control("reload");
  if (command) yield control(command.trim().split(/\s+/));
}
