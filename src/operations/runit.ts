/** Services of runit. @module */
import { operand, sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { File } from "../facts/files/index.ts";
import { RunitManaged, RunitStatus } from "../facts/runit.ts";
import { file } from "./files/file.ts";
import { link } from "./files/link.ts";
import { CONTROL_CONDITIONS, controlService, type ServiceArguments } from "./shared/services.ts";

/** Where runit's services are. */
export interface RunitDirectories {
  /** Directory of the services that runit runs; a user's own services have another. Default: `/var/service`. */
  readonly svDir?: string;
  /** Directory of the services that there are; default: `/etc/sv`. */
  readonly sourceDir?: string;
}

/** Arguments of `runit.service`. */
export interface RunitServiceArguments extends ServiceArguments, RunitDirectories {
  /** `false`: runit lets go of it, and nothing but `enabled` matters any more. Default true. */
  readonly managed?: boolean;
}
/** Arguments of `runit.manage`. */
export interface ManageArguments extends RunitDirectories {
  /** Name of the service. */
  readonly service: string;
  /** Whether it is linked into runit's directory; default true. */
  readonly managed?: boolean;
}
/** Arguments of `runit.waitRunsv`. */
export interface WaitRunsvArguments extends Pick<RunitDirectories, "svDir"> {
  /** Name of the service. */
  readonly service: string;
  /** Seconds to wait before it fails; default 10. */
  readonly timeout?: number;
}
/** Arguments of `runit.auto`. */
export interface AutoArguments extends Pick<RunitDirectories, "sourceDir"> {
  /** Name of the service. */
  readonly service: string;
  /** Whether it starts as soon as runit runs it; default true. */
  readonly auto?: boolean;
}

const SV_DIR = "/var/service";
const SOURCE_DIR = "/etc/sv";

/**
 * Have runit run a service, and start, stop, restart, reload, enable or disable it.
 * @example runit.service({ service: "nginx", running: true, enabled: true });
 */
export const service = operation<RunitServiceArguments>({
  name: "runit.service",
  positional: ["service"],
  conditions: CONTROL_CONDITIONS,
  async *steps(host, { managed = true, svDir = SV_DIR, sourceDir = SOURCE_DIR, enabled, ...args }) {
    const { service } = args;
    const isNew = managed && !(await host.getFact(RunitManaged, { service, svDir })).includes(service);
    const wasAuto = (await host.getFact(File, { path: `${sourceDir}/${service}/down` })).type === "absent";
    // What runit finds it starts: without this, a service that is not to run would run for a moment.
    if (isNew && wasAuto) yield* auto.steps(host, { service, auto: false, sourceDir });
    yield* manage.steps(host, { service, managed, svDir, sourceDir });
    if (isNew) yield* waitRunsv.steps(host, { service, svDir });
    yield* auto.steps(host, { service, auto: enabled ?? wasAuto, sourceDir });
    if (!managed) return;
    yield* controlService(
      host,
      args,
      await host.getFact(RunitStatus, { service, svDir }),
      command => sh`SVDIR=${svDir} sv ${command} ${operand(service)}`,
    );
  },
});

/**
 * Link a service into the directory of those that runit runs, or take it out.
 * @example runit.manage({ service: "nginx" });
 */
export const manage = operation<ManageArguments>({
  name: "runit.manage",
  positional: ["service"],
  async *steps(host, { service, managed = true, svDir = SV_DIR, sourceDir = SOURCE_DIR }) {
    yield* link.steps(host, {
      path: `${svDir}/${service}`,
      target: `${sourceDir}/${service}`,
      present: managed,
      createRemoteDir: false,
    });
  },
});

/**
 * Wait until runit watches over a service: it looks for new ones every five seconds.
 * @example runit.waitRunsv({ service: "nginx", timeout: 20 });
 */
export const waitRunsv = operation<WaitRunsvArguments>({
  name: "runit.waitRunsv",
  positional: ["service"],
  idempotent: "it asks every time",
  async *steps(_, { service, svDir = SV_DIR, timeout = 10 }) {
    yield sh`export SVDIR=${svDir}
for i in $(seq ${timeout}); do
    sv status ${service} > /dev/null && exit 0
    sleep 1;
done
exit 1`;
  },
});

/**
 * Choose whether a service starts as soon as runit runs it, by a file `down` beside its script.
 * @example runit.auto({ service: "nginx", auto: false });
 */
export const auto = operation<AutoArguments>({
  name: "runit.auto",
  positional: ["service"],
  async *steps(host, { service, auto: starts = true, sourceDir = SOURCE_DIR }) {
    yield* file.steps(host, { path: `${sourceDir}/${service}/down`, present: !starts, createRemoteDir: false });
  },
});
