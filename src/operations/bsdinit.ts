/** Init scripts of the BSDs. @module */
import { operand, sh, type Shell, type Word } from "../core/command.ts";
import { OperationValueError } from "../core/errors.ts";
import { operation } from "../core/operation.ts";
import { RcdEnabled, RcdStatus } from "../facts/bsdinit.ts";
import { Os } from "../facts/server/index.ts";
import { line } from "./files/line.ts";
import { CONTROL_CONDITIONS, controlService, type ServiceArguments } from "./shared/services.ts";

/**
 * Start, stop, restart, reload, enable or disable a service.
 * It is enabled in `/etc/rc.conf.local`, on OpenBSD by `rcctl`.
 * @example bsdinit.service({ service: "nginx", running: true, enabled: true });
 */
export const service = operation<ServiceArguments>({
  name: "bsdinit.service",
  positional: ["service"],
  conditions: CONTROL_CONDITIONS,
  async *steps(host, { enabled, ...args }) {
    const name = checkScript(args.service);
    const hasRcctl = (await host.getFact(Os)) === "OpenBSD";
    // What is not enabled cannot be started by rcctl.
    if (hasRcctl && enabled && !(await host.getFact(RcdEnabled))[name]) yield sh`rcctl enable ${operand(name)}`;
    yield* controlService(host, args, await host.getFact(RcdStatus), command =>
      hasRcctl ? sh`rcctl ${command} ${operand(name)}` : script(name, command),
    );
    if (enabled === undefined) return;
    if (!hasRcctl)
      return yield* line.steps(host, {
        path: "/etc/rc.conf.local",
        line: `^${name}_enable=`,
        replace: `${name}_enable="YES"`,
        present: enabled,
      });
    if (!enabled && (await host.getFact(RcdEnabled))[name]) yield sh`rcctl disable ${operand(name)}`;
  },
});

function script(name: string, command: Word): Shell {
  const [base, local] = [`/etc/rc.d/${name}`, `/usr/local/etc/rc.d/${name}`];
  return sh`test -e ${base} && ${base} ${command} || ${local} ${command}`;
}

/** A script's name is part of a path, and with `_enable` that of a setting. */
function checkScript(service: string): string {
  if (!/^[\w.@-]+$/.test(service))
    throw new OperationValueError(
      `\`service\` is ${JSON.stringify(service)}, which cannot be the name of an rc script`,
    );
  return service;
}
