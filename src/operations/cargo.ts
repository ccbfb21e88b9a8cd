/** Rust's packages. @module */
import { sh } from "../core/command.ts";
import { CargoPackages } from "../facts/cargo.ts";
import { packagesOperation } from "./shared/package-operations.ts";
import type { LatestArguments, PackageArguments } from "./shared/packages.ts";

/** Arguments of `cargo.packages`. */
export interface PackagesArguments extends PackageArguments, LatestArguments {}

/**
 * Install, upgrade or remove programs that cargo builds, for the user it runs as. A version is pinned as `name@version`.
 * @example
 * cargo.packages({ packages: ["ripgrep@14.1.0"] });
 */
export const packages = packagesOperation<PackagesArguments>({
  name: "cargo",
  installed: CargoPackages,
  install: sh`cargo install`,
  remove: sh`cargo uninstall`,
  upgrade: sh`cargo install`,
  pin: "@",
});
