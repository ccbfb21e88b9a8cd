/** System V init scripts. @module */
import { operand, sh } from "../core/command.ts";
import { OperationValueError } from "../core/errors.ts";
import { operation } from "../core/operation.ts";
import { FindLinks } from "../facts/files/index.ts";
import { LinuxDistribution } from "../facts/server/index.ts";
import { InitdStatus } from "../facts/sysvinit.ts";
import { link } from "./files/link.ts";
import { CONTROL_CONDITIONS, controlService, type ServiceArguments } from "./shared/services.ts";

/** Arguments of `sysvinit.enable`. */
export interface EnableArguments {
  /** Name of the service's script in `/etc/init.d`. */
  readonly service: string;
  /** Two digits: lower ones start first. Default 20. */
  readonly startPriority?: number;
  /** Two digits: lower ones stop first. Default 80. */
  readonly stopPriority?: number;
  /** Run levels in which it runs; default 2, 3, 4 and 5. */
  readonly startLevels?: readonly (number | string)[];
  /** Run levels in which it is stopped; default 0, 1 and 6. */
  readonly stopLevels?: readonly (number | string)[];
}

/**
 * Start, stop, restart, reload, enable or disable a service.
 * It is enabled with the distribution's own tool (Debian, Ubuntu, CentOS, Fedora, Red Hat, Gentoo); elsewhere use `sysvinit.enable`.
 * @example sysvinit.service({ service: "rsyslog", restarted: true, enabled: true });
 */
export const service = operation<ServiceArguments>({
  name: "sysvinit.service",
  positional: ["service"],
  conditions: CONTROL_CONDITIONS,
  async *steps(host, { enabled, ...args }) {
    const name = checkScript(args.service);
    yield* controlService(
      host,
      args,
      await host.getFact(InitdStatus),
      command => sh`${`/etc/init.d/${name}`} ${command}`,
    );
    if (enabled === undefined) return;
    // The pattern also finds other services whose names end alike.
    const links = (await host.getFact(FindLinks, { path: `/etc/rc*.d/S*${name}`, quotePath: false })).filter(
      path => /\/S\d*(.*)$/.exec(path)?.[1] === name,
    );
    if (!enabled) {
      for (const path of links) yield sh`rm -f ${path}`;
      return;
    }
    if (links.length > 0) return;
    const { name: distribution } = await host.getFact(LinuxDistribution);
    switch (distribution) {
      case "Debian":
      case "Ubuntu":
        return yield sh`update-rc.d ${operand(name)} defaults`;
      case "CentOS":
      case "Fedora":
      case "RedHat":
      case "Red Hat Enterprise Linux":
        yield sh`chkconfig ${operand(name)} --add`;
        return yield sh`chkconfig ${operand(name)} on`;
      case "Gentoo":
        return yield sh`rc-update add ${operand(name)} default`;
    }
  },
});

/**
 * Choose the run levels in which a service starts and stops, by links in `/etc/rcN.d`.
 * @example sysvinit.enable({ service: "rsyslog", startLevels: [3, 4, 5], stopLevels: [0, 1, 2, 6] });
 */
export const enable = operation<EnableArguments>({
  name: "sysvinit.enable",
  positional: ["service"],
  async *steps(
    host,
    { service, startPriority = 20, stopPriority = 80, startLevels = [2, 3, 4, 5], stopLevels = [0, 1, 6] },
  ) {
    const name = checkScript(service);
    const links = [
      ...startLevels.map(level => `/etc/rc${level}.d/S${startPriority}${name}`),
      ...stopLevels.map(level => `/etc/rc${level}.d/K${stopPriority}${name}`),
    ];
    for (const path of links) yield* link.steps(host, { path, target: `/etc/init.d/${name}` });
  },
});

/** A script's name is part of paths and of a pattern. */
function checkScript(service: string): string {
  if (/[/\s*?[\]]/.test(service) || service === "")
    throw new OperationValueError(
      `\`service\` is ${JSON.stringify(service)}, which cannot be the name of a script in /etc/init.d`,
    );
  return service;
}
