/** Rust's packages. @module */
import { sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { CargoPackages } from "../facts/cargo.ts";
import { ensurePackages, type LatestArguments, type PackageArguments } from "./shared/packages.ts";

/** Arguments of `cargo.packages`. */
export interface PackagesArguments extends PackageArguments, LatestArguments {}

/**
 * Install, upgrade or remove programs that cargo builds, for the user it runs as. A version is pinned as `name@version`.
 * @example
 * cargo.packages({ packages: ["ripgrep@14.1.0"] });
 */
export const packages = operation<PackagesArguments>({
  name: "cargo.packages",
  positional: ["packages"],
  async *steps(host, args) {
    yield* ensurePackages(host, await host.getFact(CargoPackages), args, cargo);
  },
});

const cargo = { install: sh`cargo install`, remove: sh`cargo uninstall`, upgrade: sh`cargo install`, pin: "@" };
