/** Gentoo's packages. @module */
import { sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { PortageMaskedPackages, PortagePackages, PortageUpgradeablePackages } from "../facts/portage.ts";
import { refreshOperation } from "./shared/package-operations.ts";
import {
  ensurePackages,
  type LatestArguments,
  type PackageArguments,
  type RefreshArguments,
  type WantedPackage,
} from "./shared/packages.ts";

const portage = {
  name: "portage",
  refresh: sh`emerge --sync`,
  install: sh`emerge`,
  remove: sh`emerge --depclean`,
  upgrade: sh`emerge`,
};

/** Arguments of `portage.packages`. */
export interface PackagesArguments extends PackageArguments, LatestArguments, RefreshArguments {}

/**
 * Refresh the repositories.
 * @example
 * portage.update();
 */
export const update = refreshOperation(portage);

/**
 * Upgrade every package that is installed, if there is one to upgrade.
 * @example
 * portage.upgrade();
 */
export const upgrade = operation({
  name: "portage.upgrade",
  async *steps(host) {
    const newer = await host.getFact(PortageUpgradeablePackages);
    if (Object.keys(newer).length === 0) return host.noop("all packages are up to date");
    yield sh`emerge -uDN @world`;
  },
});

/**
 * Install, upgrade or remove packages, by category and name. A version is pinned as `category/name=version`.
 * With `latest` those are upgraded that have a newer version and are not masked.
 * @example
 * portage.packages({ packages: ["app-editors/vim", "sys-devel/gcc=14.2.1"] });
 */
export const packages = operation<PackagesArguments>({
  name: "portage.packages",
  positional: ["packages"],
  async *steps(host, { packages: names = [], update: refresh, upgrade: upgradeAll, present = true, latest = false }) {
    if (refresh) yield portage.refresh;
    if (upgradeAll) yield* upgrade.steps(host, {});
    const installed = await host.getFact(PortagePackages);
    const wanted = [names].flat().map(versioned);
    if (!present || !latest) return yield* ensurePackages(host, installed, { packages: wanted, present }, portage);
    const [newer, masked] = await Promise.all([
      host.getFact(PortageUpgradeablePackages),
      host.getFact(PortageMaskedPackages),
    ]);
    const isOld = ({ name }: WantedPackage) => Object.hasOwn(newer, name) && !masked.includes(name);
    yield* ensurePackages(host, installed, { packages: wanted.filter(isOld), latest }, portage);
    yield* ensurePackages(host, installed, { packages: wanted.filter(one => !isOld(one)) }, portage);
  },
});

/** emerge writes a version as `=category/name-version`. */
function versioned(text: string): WantedPackage {
  const at = text.lastIndexOf("=");
  if (at <= 0) return { name: text, word: text };
  const [name, version] = [text.slice(0, at), text.slice(at + 1)];
  return { name, word: `=${name}-${version}`, accepts: installed => installed === version };
}
