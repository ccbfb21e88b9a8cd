/** Ruby's packages. @module */
import { sh } from "../core/command.ts";
import { GemPackages } from "../facts/gem.ts";
import { packagesOperation } from "./shared/package-operations.ts";
import type { LatestArguments, PackageArguments } from "./shared/packages.ts";

/** Arguments of `gem.packages`. */
export interface PackagesArguments extends PackageArguments, LatestArguments {}

/**
 * Install, upgrade or remove gems. A version is pinned as `name:version`.
 * @example
 * gem.packages({ packages: ["rake", "rack:3.1.0"] });
 */
export const packages = packagesOperation<PackagesArguments>({
  name: "gem",
  installed: GemPackages,
  install: sh`gem install`,
  remove: sh`gem uninstall`,
  upgrade: sh`gem update`,
  pin: ":",
});
