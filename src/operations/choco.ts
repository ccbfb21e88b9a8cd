/** Chocolatey, the package manager of Windows. @module */
import { sh } from "../core/command.ts";
import { ChocoPackages } from "../facts/choco.ts";
import { commandOperation, packagesOperation } from "./shared/package-operations.ts";
import type { LatestArguments, PackageArguments } from "./shared/packages.ts";

/** Arguments of `choco.packages`. */
export interface PackagesArguments extends PackageArguments, LatestArguments {}

/**
 * Install, upgrade or remove packages. A version is pinned as `name:version`.
 * @example
 * choco.packages({ packages: "notepadplusplus" });
 */
export const packages = packagesOperation<PackagesArguments>({
  name: "choco",
  installed: ChocoPackages,
  install: sh`choco install -y`,
  remove: sh`choco uninstall -y -x`,
  upgrade: sh`choco update -y`,
  pin: ":",
});

/**
 * Install Chocolatey itself, from its own site.
 * @example
 * choco.install();
 */
export const install = commandOperation(
  "choco.install",
  sh`Set-ExecutionPolicy Bypass -Scope Process -Force ;iex ((New-Object System.Net.WebClient).DownloadString("https://chocolatey.org/install.ps1"))`,
  "it always runs the installer",
);
