/** Services of launchd, the service manager of macOS. @module */
import { operand, sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { LaunchdStatus } from "../facts/launchd.ts";
import { controlService, type ServiceArguments } from "./shared/services.ts";

/** Arguments of `launchd.service`. */
export type LaunchdServiceArguments = Omit<ServiceArguments, "reloaded" | "enabled">;

/**
 * Start, stop or restart a service that is loaded.
 * @example launchd.service({ service: "org.postgresql.postgres", restarted: true });
 */
export const service = operation<LaunchdServiceArguments>({
  name: "launchd.service",
  positional: ["service"],
  conditions: { restarted: true },
  async *steps(host, { service, running, restarted, command }) {
    const statuses = await host.getFact(LaunchdStatus);
    yield* controlService(
      host,
      { service, running, command },
      statuses,
      word => sh`launchctl ${word} ${operand(service)}`,
    );
    // There is no command to restart.
    if (!restarted || statuses[service] !== true) return;
    yield sh`launchctl stop ${operand(service)}`;
    yield sh`launchctl start ${operand(service)}`;
  },
});
