/** Void Linux's packages. @module */
import { sh } from "../core/command.ts";
import { XbpsPackages } from "../facts/xbps.ts";
import { packagesOperation, refreshOperation, upgradeOperation } from "./shared/package-operations.ts";
import type { PackageArguments, RefreshArguments } from "./shared/packages.ts";

const xbps = {
  name: "xbps",
  installed: XbpsPackages,
  refresh: sh`xbps-install -S`,
  upgradeAll: sh`xbps-install -y -u`,
  install: sh`xbps-install -y -u`,
  remove: sh`xbps-remove -y`,
};

/** Arguments of `xbps.packages`. */
export interface PackagesArguments extends PackageArguments, RefreshArguments {}

/**
 * Refresh the list of available packages.
 * @example
 * xbps.update();
 */
export const update = refreshOperation(xbps);

/**
 * Upgrade every package that is installed.
 * @example
 * xbps.upgrade();
 */
export const upgrade = upgradeOperation(xbps);

/**
 * Install or remove packages.
 * @example
 * xbps.packages({ packages: ["curl", "vim"], update: true });
 */
export const packages = packagesOperation<PackagesArguments>(xbps);
