import { operation } from "../../core/operation.ts";
import { DebPackages } from "../../facts/deb.ts";
import { aptGet } from "../../facts/shared/apt-get.ts";
import {
  ensurePackages,
  type ExtraArguments,
  extraWords,
  type LatestArguments,
  type PackageArguments,
  type RefreshArguments,
} from "../shared/packages.ts";
import { update as updateSources, upgrade as upgradeAll, type UpdateArguments } from "./update.ts";

/** Arguments of `apt.packages`. */
export interface PackagesArguments extends PackageArguments, LatestArguments, RefreshArguments, UpdateArguments {
  /** Let apt-get do what it warns of (`--force-yes`): it then checks no signatures either. Default false. */
  readonly force?: boolean;
  /** Leave out packages that are only recommended. Default false. */
  readonly noRecommends?: boolean;
  /** Install the version given even where that is a downgrade. Default false. */
  readonly allowDowngrades?: boolean;
  /** When removing, remove their configuration files too. Default false. */
  readonly purge?: boolean;
  /** Options for `apt-get install`. */
  readonly extraInstallArgs?: ExtraArguments;
  /** Options for `apt-get remove`. */
  readonly extraUninstallArgs?: ExtraArguments;
}

/**
 * Install, upgrade or remove packages. A version is pinned as `name=version`.
 * @example
 * apt.packages({ packages: ["nginx", "vim=2:9.1.1230-2"], update: true, cacheTime: 3600 });
 */
export const packages = operation<PackagesArguments>({
  name: "apt.packages",
  positional: ["packages"],
  async *steps(host, { update, upgrade, cacheTime, ...args }) {
    if (update) yield* updateSources.steps(host, cacheTime === undefined ? {} : { cacheTime });
    if (upgrade) yield* upgradeAll.steps(host, {});
    const force = { force: args.force === true };
    const install = [
      "install",
      args.noRecommends && "--no-install-recommends",
      args.allowDowngrades && "--allow-downgrades",
    ].filter(word => word !== undefined && word !== false);
    yield* ensurePackages(host, await host.getFact(DebPackages), args, {
      install: aptGet([...install, ...extraWords(args.extraInstallArgs)], force),
      remove: aptGet([args.purge ? "purge" : "remove", ...extraWords(args.extraUninstallArgs)], force),
      upgrade: aptGet(install, force),
      pin: "=",
    });
  },
});
