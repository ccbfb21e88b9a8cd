/** Homebrew, the package manager of macOS. @module */
import { sh, type Shell } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { BrewCasks, BrewPackages, BrewTaps, BrewVersion } from "../facts/brew.ts";
import { notOption } from "./shared/options.ts";
import { packagesOperation, refreshOperation, upgradeOperation } from "./shared/package-operations.ts";
import {
  ensurePackages,
  type LatestArguments,
  type PackageArguments,
  type RefreshArguments,
} from "./shared/packages.ts";

const brew = {
  name: "brew",
  installed: BrewPackages,
  refresh: sh`brew update`,
  upgradeAll: sh`brew upgrade`,
  install: sh`brew install`,
  remove: sh`brew uninstall`,
  upgrade: sh`brew upgrade`,
  pin: "@",
};

/** Arguments of `brew.packages`. */
export interface PackagesArguments extends PackageArguments, LatestArguments, RefreshArguments {}

/** Arguments of `brew.casks`. */
export interface CasksArguments extends LatestArguments {
  /** Name of a cask, or several. */
  readonly casks?: string | readonly string[];
  /** Install them; `false` removes them. Default true. */
  readonly present?: boolean;
  /** Upgrade all casks first. Default false. */
  readonly upgrade?: boolean;
}

/** Arguments of `brew.tap`. */
export interface TapArguments {
  /** Name: `user/repository`. Default: what the path of `url` says. */
  readonly src?: string;
  /** Add it; `false` removes it. Default true. */
  readonly present?: boolean;
  /** Where it is, when that is not on GitHub. */
  readonly url?: string;
}

/**
 * Refresh Homebrew and its formulae.
 * @example
 * brew.update();
 */
export const update = refreshOperation(brew);

/**
 * Upgrade every formula that is installed.
 * @example
 * brew.upgrade();
 */
export const upgrade = upgradeOperation(brew);

/**
 * Install, upgrade or remove formulae. A version is pinned as `name@version`.
 * @example
 * brew.packages({ packages: ["vim", "node@22"], update: true });
 */
export const packages = packagesOperation<PackagesArguments>(brew);

/**
 * Upgrade every cask that is installed.
 * @example
 * brew.caskUpgrade();
 */
export const caskUpgrade = operation({
  name: "brew.caskUpgrade",
  idempotent: "it always asks brew to upgrade",
  async *steps(host) {
    const cask = await host.getFact(BrewVersion);
    yield caskCommand(cask, "upgrade");
  },
});

/**
 * Install, upgrade or remove casks. A version is pinned as `name@version`.
 * @example
 * brew.casks({ casks: "keepassxc", latest: true });
 */
export const casks = operation<CasksArguments>({
  name: "brew.casks",
  positional: ["casks"],
  async *steps(host, { casks: names, upgrade: upgradeAll, ...want }) {
    if (upgradeAll) yield* caskUpgrade.steps(host, {});
    const version = await host.getFact(BrewVersion);
    const manager = {
      install: caskCommand(version, "install"),
      remove: caskCommand(version, "uninstall"),
      upgrade: caskCommand(version, "upgrade"),
      pin: "@",
    };
    yield* ensurePackages(host, await host.getFact(BrewCasks), { ...want, packages: names }, manager);
  },
});

/**
 * Add or remove a tap.
 * @example
 * brew.tap({ src: "example/tools", url: "https://git.example.com/tools" });
 */
export const tap = operation<TapArguments>({
  name: "brew.tap",
  positional: ["src"],
  async *steps(host, { src: given, present = true, url }) {
    const src = given || (url ?? "").replace(/^\w+:\/\/[^/]*/, "").replace(/^\/+|\/+$/g, "");
    if (src === "") return host.noop("no tap was specified");
    if (src.split("/").length !== 2) return host.noop(`src '${src}' doesn't have two components.`);
    notOption("src", src);
    if (url !== undefined) notOption("url", url);
    const taps = await host.getFact(BrewTaps);
    if (taps.includes(src) === present) return host.noop(`tap ${src} ${present ? "already exists" : "does not exist"}`);
    yield present ? sh`${["brew", "tap", src, url]}` : sh`brew untap ${src}`;
  },
});

/** Casks had a command of their own until 2.6. */
const caskCommand = ([major, minor]: readonly number[], verb: string): Shell =>
  (major ?? 0) > 2 || (major === 2 && (minor ?? 0) >= 6) ? sh`brew ${verb} --cask` : sh`brew cask ${verb}`;
