/** What is in the way of something else. @module */
import { remotePath, sh, type Shell } from "../../core/command.ts";
import { OperationError } from "../../core/errors.ts";
import type { OperationHost } from "../../core/host.ts";
import { basename, joinPath } from "../shared/paths.ts";

/** Arguments that say what happens to something of another kind at the path. */
export interface ForceArguments {
  /** Move or remove what is at the path, if it is of another kind; default false, which is an error then. */
  readonly force?: boolean;
  /** With `force`: keep what was there under its name and the time; `false` removes it. Default true. */
  readonly forceBackup?: boolean;
  /** With `force`: directory to keep it in; default: where it is. */
  readonly forceBackupDir?: string;
}

/** Move or remove what is at the path. Throws `OperationError` without `force`. */
export function makeWay(
  host: OperationHost,
  path: string,
  wanted: string,
  { force, forceBackup = true, forceBackupDir }: ForceArguments,
): Shell {
  if (!force) throw new OperationError(`${path} exists and is not a ${wanted}`);
  const from = path.replace(/(?<=.)\/+$/, "");
  if (!forceBackup) return sh`rm -rf ${remotePath(from)}`;
  const name = `${from}.${host.timestamp()}`;
  return sh`mv ${remotePath(from)} ${remotePath(forceBackupDir ? joinPath(forceBackupDir, basename(name)) : name)}`;
}
