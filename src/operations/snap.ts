/** Snaps. @module */
import { sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { SnapPackage, SnapPackages } from "../facts/snap.ts";
import { checkNames, type PackageArguments as SnapNames } from "./shared/packages.ts";

/** Arguments of `snap.package`. */
export interface PackageArguments extends SnapNames {
  /** Channel to follow. Default `latest/stable`. */
  readonly channel?: string;
  /** Install without confinement, as some snaps want it. Default false. */
  readonly classic?: boolean;
}

/**
 * Install snaps, let them follow another channel, or remove them.
 * @example
 * snap.package({ packages: ["lxd"], channel: "5.21/stable" });
 */
const package_ = operation<PackageArguments>({
  name: "snap.package",
  positional: ["packages"],
  async *steps(host, { packages = [], channel = "latest/stable", classic, present = true }) {
    const names = checkNames(packages);
    if (names.length === 0) return;
    const there = await host.getFact(SnapPackages);
    const installed = names.filter(name => there.includes(name));
    const missing = names.filter(name => !there.includes(name));
    if (!present) {
      for (const name of missing) host.noop(`snap package ${name} is not installed`);
      if (installed.length > 0) yield sh`snap remove ${installed}`;
      return;
    }
    const other: string[] = [];
    for (const name of installed) {
      const current = (await host.getFact(SnapPackage, { package: name })).channel;
      if (current !== undefined && current !== channel) other.push(name);
      else host.noop(`snap package ${name} is installed`);
    }
    if (missing.length > 0)
      yield sh`${["snap", "install", classic && "--classic", ...missing, `--channel=${channel}`]}`;
    if (other.length > 0) yield sh`snap refresh ${other} ${`--channel=${channel}`}`;
  },
});
export { package_ as package };
