/** Ruby's packages. @module */
import { sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { GemPackages } from "../facts/gem.ts";
import { ensurePackages, type LatestArguments, type PackageArguments } from "./shared/packages.ts";

/** Arguments of `gem.packages`. */
export interface PackagesArguments extends PackageArguments, LatestArguments {}

/**
 * Install, upgrade or remove gems. A version is pinned as `name:version`.
 * @example
 * gem.packages({ packages: ["rake", "rack:3.1.0"] });
 */
export const packages = operation<PackagesArguments>({
  name: "gem.packages",
  positional: ["packages"],
  async *steps(host, args) {
    yield* ensurePackages(host, await host.getFact(GemPackages), args, gem);
  },
});

const gem = { install: sh`gem install`, remove: sh`gem uninstall`, upgrade: sh`gem update`, pin: ":" };
