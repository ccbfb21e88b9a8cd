/** Jobs of Upstart. @module */
import { operand, sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { UpstartStatus } from "../facts/upstart.ts";
import { file } from "./files/file.ts";
import { put } from "./files/put.ts";
import { CONTROL_CONDITIONS, controlService, type ServiceArguments } from "./shared/services.ts";

/**
 * Start, stop, restart or reload a job.
 * A job says itself when it starts: it is disabled by a file beside its own, `/etc/init/NAME.override`, and enabled by removing that.
 * @example upstart.service({ service: "redis-server", enabled: false });
 */
export const service = operation<ServiceArguments>({
  name: "upstart.service",
  positional: ["service"],
  conditions: CONTROL_CONDITIONS,
  async *steps(host, { enabled, ...args }) {
    yield* controlService(
      host,
      args,
      await host.getFact(UpstartStatus),
      command => sh`initctl ${command} ${operand(args.service)}`,
    );
    const override = `/etc/init/${args.service}.override`;
    if (enabled === true) yield* file.steps(host, { path: override, present: false });
    if (enabled === false) yield* put.steps(host, { content: "manual\n", dest: override });
  },
});
