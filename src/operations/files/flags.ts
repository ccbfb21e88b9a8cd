import { remotePath, sh } from "../../core/command.ts";
import { OperationValueError } from "../../core/errors.ts";
import { operation } from "../../core/operation.ts";
import { Flags } from "../../facts/files/index.ts";
import { checkPath } from "../shared/paths.ts";

/** What `files.flags` takes. */
export interface FlagsArguments {
  /** Path of the file or directory on the host. */
  readonly path: string;
  /** Names of the flags, such as `uchg` or `hidden`. */
  readonly flags?: string | readonly string[];
  /** `false`: clear them. Default true. */
  readonly present?: boolean;
}

/**
 * Set or clear the flags that BSD and macOS keep for a file.
 * @example files.flags({ path: "/etc/important.conf", flags: ["uchg"] });
 */
export const flags = operation<FlagsArguments>({
  name: "files.flags",
  changes: "what it names",
  positional: ["path", "flags"],
  async *steps(host, { path, flags: given, present = true }) {
    checkPath(path);
    const wanted = [given ?? []].flat();
    const wrong = wanted.find(flag => !/^[a-z]+$/.test(flag));
    if (wrong !== undefined) throw new OperationValueError(`\`flags\` has "${wrong}", which is no name of a flag`);
    if (wanted.length === 0) return host.noop(`no changes requested to flags for '${path}'`);
    const current = await host.getFact(Flags, { path });
    const changes = wanted.filter(flag => current.includes(flag) !== present).sort();
    if (changes.length === 0)
      return host.noop(`'${path}' already has '${wanted.join(",")}' ${present ? "set" : "clear"}`);
    yield sh`chflags ${changes.map(flag => (present ? flag : `no${flag}`)).join(",")} ${remotePath(path)}`;
  },
});
