/** OpenWrt's packages. @module */
import { sh } from "../core/command.ts";
import { OperationValueError } from "../core/errors.ts";
import { operation } from "../core/operation.ts";
import { OpkgPackages } from "../facts/opkg.ts";
import { refreshOperation } from "./shared/package-operations.ts";
import { ensurePackages, type LatestArguments, type PackageArguments } from "./shared/packages.ts";

const opkg = {
  name: "opkg",
  refresh: sh`opkg update`,
  install: sh`opkg install`,
  remove: sh`opkg remove`,
  upgrade: sh`opkg upgrade`,
};

/** Arguments of `opkg.packages`. */
export interface PackagesArguments extends PackageArguments, LatestArguments {
  /** Refresh the list of available packages first. Default true: OpenWrt forgets it when it restarts. */
  readonly update?: boolean;
}

/**
 * Refresh the list of available packages.
 * @example
 * opkg.update();
 */
export const update = refreshOperation(opkg, "the feeds");

/**
 * Install, upgrade or remove packages. opkg cannot pin versions.
 * @example
 * opkg.packages({ packages: ["curl", "tcpdump"] });
 */
export const packages = operation<PackagesArguments>({
  name: "opkg.packages",
  positional: ["packages"],
  async *steps(host, { packages: given = [], update: refresh = true, ...want }) {
    const names = [given].flat();
    if (names.every(name => name === "")) return host.noop("empty or invalid package list provided to opkg.packages");
    const pinned = names.filter(name => name.includes("=")).map(name => name.replace(/=.*/, ""));
    if (pinned.length > 0)
      throw new OperationValueError(`Opkg does not support version pinning but found for: '${pinned.join(",")}'`);
    if (refresh) yield opkg.refresh;
    yield* ensurePackages(host, await host.getFact(OpkgPackages), { ...want, packages: names }, opkg);
  },
});
