import { sh } from "../../core/command.ts";
import type { OperationHost } from "../../core/host.ts";
import { operation, type Steps } from "../../core/operation.ts";
import { SimulateOperationWillChange } from "../../facts/apt.ts";
import { File } from "../../facts/files/index.ts";
import { Date as HostDate } from "../../facts/server/index.ts";
import { aptGet } from "../../facts/shared/apt-get.ts";

/** Ubuntu's apt keeps this file; elsewhere it is ours. */
const STAMP = "/var/lib/apt/periodic/update-success-stamp";

/** Arguments of `apt.update`. */
export interface UpdateArguments {
  /** Do nothing if the last update is younger than this many seconds. Default: always update. */
  readonly cacheTime?: number;
}

/**
 * Refresh the list of available packages.
 * @example
 * apt.update({ cacheTime: 3600 });
 */
export const update = operation<UpdateArguments>({
  name: "apt.update",
  idempotent: "it always asks the package sources, unless `cacheTime` is given",
  async *steps(host, { cacheTime }) {
    if (!cacheTime) return yield sh`apt-get update`;
    const [stamp, now] = await Promise.all([host.getFact(File, { path: STAMP }), host.getFact(HostDate)]);
    const last = stamp.type === "absent" ? undefined : stamp.mtime;
    if (last && now && last.getTime() > now.getTime() - cacheTime * 1000) return host.noop("apt is already up to date");
    yield sh`apt-get update`;
    yield sh`touch ${STAMP}`;
  },
});

/** Arguments of `apt.upgrade` and `apt.distUpgrade`. */
export interface UpgradeArguments {
  /** Also remove packages that were only there for others and are not needed any more. Default false. */
  readonly autoRemove?: boolean;
}

/**
 * Upgrade every package that is installed, removing none.
 * @example
 * apt.upgrade({ autoRemove: true });
 */
export const upgrade = operation<UpgradeArguments>({
  name: "apt.upgrade",
  async *steps(host, args) {
    yield* upgradeAll(host, "upgrade", args);
  },
});

/**
 * Upgrade every package that is installed, installing and removing others where that needs it.
 * @example
 * apt.distUpgrade();
 */
export const distUpgrade = operation<UpgradeArguments>({
  name: "apt.distUpgrade",
  async *steps(host, args) {
    yield* upgradeAll(host, "dist-upgrade", args);
  },
});

async function* upgradeAll(host: OperationHost, verb: string, { autoRemove = false }: UpgradeArguments): Steps {
  const words = autoRemove ? [verb, "--autoremove"] : [verb];
  const command = words.join(" ");
  // When apt-get cannot even simulate it, its own message says why.
  const changes = await host.getFact(SimulateOperationWillChange, { command });
  if (changes && changes.upgraded + changes.newlyInstalled + changes.removed === 0)
    return host.noop(`${command} skipped, no changes would be performed`);
  yield aptGet(words);
}
