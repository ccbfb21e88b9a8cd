/** pkgsrc's binary packages. @module */
import { sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { PkginPackages } from "../facts/pkgin.ts";
import {
  ensurePackages,
  type LatestArguments,
  type PackageArguments,
  type RefreshArguments,
} from "./shared/packages.ts";

/** Arguments of `pkgin.packages`. */
export interface PackagesArguments extends PackageArguments, LatestArguments, RefreshArguments {}

/**
 * Refresh the list of available packages.
 * @example
 * pkgin.update();
 */
export const update = operation({
  name: "pkgin.update",
  idempotent: "it always asks the repositories",
  async *steps() {
    yield sh`pkgin -y update`;
  },
});

/**
 * Upgrade every package that is installed.
 * @example
 * pkgin.upgrade();
 */
export const upgrade = operation({
  name: "pkgin.upgrade",
  idempotent: "it always asks pkgin to upgrade",
  async *steps() {
    yield sh`pkgin -y upgrade`;
  },
});

/**
 * Install, upgrade or remove packages.
 * @example
 * pkgin.packages({ packages: ["curl", "vim"], update: true });
 */
export const packages = operation<PackagesArguments>({
  name: "pkgin.packages",
  positional: ["packages"],
  async *steps(host, args) {
    if (args.update) yield* update.steps(host, {});
    if (args.upgrade) yield* upgrade.steps(host, {});
    yield* ensurePackages(host, await host.getFact(PkginPackages), args, pkgin);
  },
});

const pkgin = { install: sh`pkgin -y install`, remove: sh`pkgin -y remove`, upgrade: sh`pkgin -y upgrade` };
