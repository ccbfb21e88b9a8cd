/** Void Linux's packages. @module */
import { sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { XbpsPackages } from "../facts/xbps.ts";
import { ensurePackages, type PackageArguments, type RefreshArguments } from "./shared/packages.ts";

/** Arguments of `xbps.packages`. */
export interface PackagesArguments extends PackageArguments, RefreshArguments {}

/**
 * Refresh the list of available packages.
 * @example
 * xbps.update();
 */
export const update = operation({
  name: "xbps.update",
  idempotent: "it always asks the repositories",
  async *steps() {
    yield sh`xbps-install -S`;
  },
});

/**
 * Upgrade every package that is installed.
 * @example
 * xbps.upgrade();
 */
export const upgrade = operation({
  name: "xbps.upgrade",
  idempotent: "it always asks xbps to upgrade",
  async *steps() {
    yield sh`xbps-install -y -u`;
  },
});

/**
 * Install or remove packages.
 * @example
 * xbps.packages({ packages: ["curl", "vim"], update: true });
 */
export const packages = operation<PackagesArguments>({
  name: "xbps.packages",
  positional: ["packages"],
  async *steps(host, args) {
    if (args.update) yield* update.steps(host, {});
    if (args.upgrade) yield* upgrade.steps(host, {});
    yield* ensurePackages(host, await host.getFact(XbpsPackages), args, xbps);
  },
});

const xbps = { install: sh`xbps-install -y -u`, remove: sh`xbps-remove -y` };
