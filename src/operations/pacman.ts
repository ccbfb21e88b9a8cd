/** Arch Linux's packages. @module */
import { sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { PacmanPackages, PacmanUnpackGroup } from "../facts/pacman.ts";
import {
  ensurePackages,
  type PackageArguments,
  type PackageManager,
  type RefreshArguments,
} from "./shared/packages.ts";

/** Arguments of `pacman.packages`. */
export interface PackagesArguments extends PackageArguments, RefreshArguments {}

/**
 * Refresh the list of available packages.
 * @example
 * pacman.update();
 */
export const update = operation({
  name: "pacman.update",
  idempotent: "it always asks the repositories",
  async *steps() {
    yield sh`pacman -Sy`;
  },
});

/**
 * Upgrade every package that is installed.
 * @example
 * pacman.upgrade();
 */
export const upgrade = operation({
  name: "pacman.upgrade",
  idempotent: "it always asks pacman to upgrade",
  async *steps() {
    yield sh`pacman --noconfirm -Su`;
  },
});

/**
 * Install or remove packages and groups. A group is there when all its packages are.
 * @example
 * pacman.packages({ packages: ["curl", "xorg-fonts"], update: true });
 */
export const packages = operation<PackagesArguments>({
  name: "pacman.packages",
  positional: ["packages"],
  async *steps(host, args) {
    if (args.update) yield* update.steps(host, {});
    if (args.upgrade) yield* upgrade.steps(host, {});
    yield* ensurePackages(host, await host.getFact(PacmanPackages), args, pacman);
  },
});

const pacman: PackageManager = {
  install: sh`pacman --noconfirm -S`,
  remove: sh`pacman --noconfirm -R`,
  async expand(host, name) {
    const members = await host.getFact(PacmanUnpackGroup, { package: name });
    return members.map(member => ({ name: member }));
  },
};
