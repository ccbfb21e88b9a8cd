/** Chocolatey, the package manager of Windows. @module */
import { sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { ChocoPackages } from "../facts/choco.ts";
import { ensurePackages, type LatestArguments, type PackageArguments } from "./shared/packages.ts";

/** Arguments of `choco.packages`. */
export interface PackagesArguments extends PackageArguments, LatestArguments {}

/**
 * Install, upgrade or remove packages. A version is pinned as `name:version`.
 * @example
 * choco.packages({ packages: "notepadplusplus" });
 */
export const packages = operation<PackagesArguments>({
  name: "choco.packages",
  positional: ["packages"],
  async *steps(host, args) {
    yield* ensurePackages(host, await host.getFact(ChocoPackages), args, choco);
  },
});

/**
 * Install Chocolatey itself, from its own site.
 * @example
 * choco.install();
 */
export const install = operation({
  name: "choco.install",
  idempotent: "it always runs the installer",
  async *steps() {
    yield sh`Set-ExecutionPolicy Bypass -Scope Process -Force ;iex ((New-Object System.Net.WebClient).DownloadString("https://chocolatey.org/install.ps1"))`;
  },
});

const choco = {
  install: sh`choco install -y`,
  remove: sh`choco uninstall -y -x`,
  upgrade: sh`choco update -y`,
  pin: ":",
};
