/** Settings of FreeBSD's rc.conf. @module */
import { sh } from "../../core/command.ts";
import { OperationValueError } from "../../core/errors.ts";
import { operation } from "../../core/operation.ts";
import { type JailArguments, Sysrc } from "../../facts/freebsd.ts";
import { option } from "../shared/options.ts";

/** Arguments of `freebsd.sysrc.sysrc`. */
export interface SysrcArguments extends JailArguments {
  /** Name of the setting. */
  readonly parameter: string;
  /** Its value; none with `del`. */
  readonly value?: string;
  /** Set the value, add a word to it, take a word from it, or delete the setting. Default: `set`. */
  readonly command?: "set" | "add" | "sub" | "del";
  /** With `set`: also if it has another value; default false. */
  readonly overwrite?: boolean;
}

/**
 * Edit a setting of rc.conf.
 * @example freebsd.sysrc.sysrc({ parameter: "nginx_enable", value: "YES", overwrite: true });
 */
export const sysrc = operation<SysrcArguments>({
  name: "freebsd.sysrc.sysrc",
  positional: ["parameter", "value"],
  idempotent: "`add` and `sub` leave it to sysrc to see what is there",
  async *steps(host, { parameter, value, jail, command = "set", overwrite = false }) {
    if (!/^[\w.]+$/.test(parameter))
      throw new OperationValueError(
        `\`parameter\` is ${JSON.stringify(parameter)}, which cannot be the name of a setting`,
      );
    if (command !== "del" && value === undefined)
      throw new OperationValueError(`\`value\` is needed with the command "${command}"`);
    const edit = (assignment: string) =>
      sh`${["sysrc", "-i", command === "del" && "-x", ...option("-j", jail), "--", assignment]}`;
    switch (command) {
      case "del":
        if (!(await host.getFact(Sysrc, { parameter, jail })))
          return host.noop(`Cannot find sysrc(8) parameter '${parameter}'`);
        return yield edit(parameter);
      case "set": {
        const present = await host.getFact(Sysrc, { parameter, jail });
        if (present && (!overwrite || present === value))
          return host.noop(`sysrc(8) parameter '${parameter}' already set`);
        return yield edit(`${parameter}=${value}`);
      }
      case "add":
        return yield edit(`${parameter}+=${value}`);
      case "sub":
        return yield edit(`${parameter}-=${value}`);
      default:
        throw new OperationValueError(`Invalid sysrc command: ${String(command)}`);
    }
  },
});
