/** Alpine's packages. @module */
import { sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { ApkPackages } from "../facts/apk.ts";
import { packagesOperation, refreshOperation } from "./shared/package-operations.ts";
import type { LatestArguments, PackageArguments, RefreshArguments } from "./shared/packages.ts";

const apk = {
  name: "apk",
  installed: ApkPackages,
  refresh: sh`apk update`,
  upgradeAll: sh`apk upgrade`,
  install: sh`apk add`,
  remove: sh`apk del`,
  upgrade: sh`apk upgrade`,
  pin: "=",
};

/** Arguments of `apk.upgrade`. */
export interface UpgradeArguments {
  /** Take the versions of the repositories even where that is a downgrade. Default false. */
  readonly available?: boolean;
}

/** Arguments of `apk.packages`. */
export interface PackagesArguments extends PackageArguments, LatestArguments, RefreshArguments {}

/**
 * Refresh the list of available packages.
 * @example
 * apk.update();
 */
export const update = refreshOperation(apk);

/**
 * Upgrade every package that is installed.
 * @example
 * apk.upgrade({ available: true });
 */
export const upgrade = operation<UpgradeArguments>({
  name: "apk.upgrade",
  idempotent: "it always asks apk to upgrade",
  async *steps(_, { available }) {
    yield sh`${[apk.upgradeAll, available && "--available"]}`;
  },
});

/**
 * Install, upgrade or remove packages. A version is pinned as `name=version`.
 * @example
 * apk.packages({ packages: ["curl", "vim=9.1.0-r0"], update: true });
 */
export const packages = packagesOperation<PackagesArguments>(apk);
