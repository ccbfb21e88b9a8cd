/** Updates of FreeBSD itself. @module */
import { sh } from "../../core/command.ts";
import { operation } from "../../core/operation.ts";
import { option } from "../shared/options.ts";

/** Arguments of `freebsd.freebsdUpdate.update`. */
export interface UpdateArguments {
  /** Go on where an update was begun and not finished; default false. */
  readonly force?: boolean;
  /** Root of the system to update; default: `/`. */
  readonly baseDir?: string;
  /** Directory for what is fetched. */
  readonly workDir?: string;
  /** Configuration file; default: `/etc/freebsd-update.conf`. */
  readonly confFile?: string;
  /** Name or id of the jail to update; default: the host itself. */
  readonly jail?: string;
  /** SHA-256 of the key that updates are signed with. */
  readonly key?: string;
  /** Release to update from, in place of the one that is found. */
  readonly currentlyRunning?: string;
  /** Host to fetch from. */
  readonly server?: string;
}

/**
 * Fetch and install binary updates.
 * @example freebsd.freebsdUpdate.update();
 */
export const update = operation<UpdateArguments>({
  name: "freebsd.freebsdUpdate.update",
  idempotent: "it asks for updates every time",
  async *steps(_, { force, baseDir, workDir, confFile, jail, key, currentlyRunning, server }) {
    const options = [
      force && "-F",
      ...option("-b", baseDir),
      ...option("-d", workDir),
      ...option("-f", confFile),
      ...option("-j", jail),
      ...option("-k", key),
      ...option("--currently-running", currentlyRunning),
      ...option("-s", server),
    ];
    yield sh`PAGER=cat ${["freebsd-update", "--not-running-from-cron", ...options, "fetch", "install"]}`;
  },
});
