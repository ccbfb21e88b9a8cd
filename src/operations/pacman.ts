/** Arch Linux's packages. @module */
import { sh } from "../core/command.ts";
import { PacmanPackages, PacmanUnpackGroup } from "../facts/pacman.ts";
import {
  type PackageFamily,
  packagesOperation,
  refreshOperation,
  upgradeOperation,
} from "./shared/package-operations.ts";
import type { PackageArguments, RefreshArguments } from "./shared/packages.ts";

const pacman = {
  name: "pacman",
  installed: PacmanPackages,
  refresh: sh`pacman -Sy`,
  upgradeAll: sh`pacman --noconfirm -Su`,
  install: sh`pacman --noconfirm -S`,
  remove: sh`pacman --noconfirm -R`,
  async expand(host, name) {
    const members = await host.getFact(PacmanUnpackGroup, { package: name });
    return members.map(member => ({ name: member }));
  },
} satisfies PackageFamily;

/** Arguments of `pacman.packages`. */
export interface PackagesArguments extends PackageArguments, RefreshArguments {}

/**
 * Refresh the list of available packages.
 * @example
 * pacman.update();
 */
export const update = refreshOperation(pacman);

/**
 * Upgrade every package that is installed.
 * @example
 * pacman.upgrade();
 */
export const upgrade = upgradeOperation(pacman);

/**
 * Install or remove packages and groups. A group is there when all its packages are.
 * @example
 * pacman.packages({ packages: ["curl", "xorg-fonts"], update: true });
 */
export const packages = packagesOperation<PackagesArguments>(pacman);
