/** pkgsrc's binary packages. @module */
import { sh } from "../core/command.ts";
import { PkginPackages } from "../facts/pkgin.ts";
import { packagesOperation, refreshOperation, upgradeOperation } from "./shared/package-operations.ts";
import type { LatestArguments, PackageArguments, RefreshArguments } from "./shared/packages.ts";

const pkgin = {
  name: "pkgin",
  installed: PkginPackages,
  refresh: sh`pkgin -y update`,
  upgradeAll: sh`pkgin -y upgrade`,
  install: sh`pkgin -y install`,
  remove: sh`pkgin -y remove`,
  upgrade: sh`pkgin -y upgrade`,
};

/** Arguments of `pkgin.packages`. */
export interface PackagesArguments extends PackageArguments, LatestArguments, RefreshArguments {}

/**
 * Refresh the list of available packages.
 * @example
 * pkgin.update();
 */
export const update = refreshOperation(pkgin);

/**
 * Upgrade every package that is installed.
 * @example
 * pkgin.upgrade();
 */
export const upgrade = upgradeOperation(pkgin);

/**
 * Install, upgrade or remove packages.
 * @example
 * pkgin.packages({ packages: ["curl", "vim"], update: true });
 */
export const packages = packagesOperation<PackagesArguments>(pkgin);
