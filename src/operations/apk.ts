/** Alpine's packages. @module */
import { sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { ApkPackages } from "../facts/apk.ts";
import {
  ensurePackages,
  type LatestArguments,
  type PackageArguments,
  type RefreshArguments,
} from "./shared/packages.ts";

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
export const update = operation({
  name: "apk.update",
  idempotent: "it always asks the repositories",
  async *steps() {
    yield sh`apk update`;
  },
});

/**
 * Upgrade every package that is installed.
 * @example
 * apk.upgrade({ available: true });
 */
export const upgrade = operation<UpgradeArguments>({
  name: "apk.upgrade",
  idempotent: "it always asks apk to upgrade",
  async *steps(_, { available }) {
    yield sh`${["apk", "upgrade", available && "--available"]}`;
  },
});

/**
 * Install, upgrade or remove packages. A version is pinned as `name=version`.
 * @example
 * apk.packages({ packages: ["curl", "vim=9.1.0-r0"], update: true });
 */
export const packages = operation<PackagesArguments>({
  name: "apk.packages",
  positional: ["packages"],
  async *steps(host, args) {
    if (args.update) yield* update.steps(host, {});
    if (args.upgrade) yield* upgrade.steps(host, {});
    yield* ensurePackages(host, await host.getFact(ApkPackages), args, apk);
  },
});

const apk = { install: sh`apk add`, remove: sh`apk del`, upgrade: sh`apk upgrade`, pin: "=" };
