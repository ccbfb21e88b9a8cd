/** Operations that package managers share: each fills in its blanks. @module */
import type { Shell } from "../../core/command.ts";
import type { Fact, NoArguments } from "../../core/fact.ts";
import { type Operation, operation } from "../../core/operation.ts";
import type { Packages } from "../../facts/shared/packages.ts";
import {
  ensurePackages,
  type LatestArguments,
  type PackageArguments,
  type PackageManager,
  type RefreshArguments,
} from "./packages.ts";

/** A package manager as its module names it, and what it says to do for everything at once. */
export interface PackageFamily extends PackageManager {
  /** Name of the module. */
  readonly name: string;
  /** What is installed. */
  readonly installed: Fact<NoArguments, Packages>;
  /** Refreshes the list of available packages. Absent: it has none. */
  readonly refresh?: Shell;
  /** Upgrades every package that is installed. Absent: it cannot. */
  readonly upgradeAll?: Shell;
}

/** `update`: refresh the list of available packages. */
export const refreshOperation = (
  { name, refresh }: { readonly name: string; readonly refresh: Shell },
  source = "the repositories",
): Operation<NoArguments> => commandOperation(`${name}.update`, refresh, `it always asks ${source}`);

/** `upgrade`, or `update` where it is called so: upgrade every package that is installed. */
export const upgradeOperation = (
  { name, upgradeAll }: { readonly name: string; readonly upgradeAll: Shell },
  verb: "upgrade" | "update" = "upgrade",
): Operation<NoArguments> => commandOperation(`${name}.${verb}`, upgradeAll, `it always asks ${name} to upgrade`);

/** `packages`: install, upgrade or remove packages, after what `update` and `upgrade` ask for. */
export const packagesOperation = <A extends PackageArguments & LatestArguments & RefreshArguments>(
  family: PackageFamily,
): Operation<A> =>
  operation<A>({
    name: `${family.name}.packages`,
    positional: ["packages"],
    async *steps(host, args) {
      if (args.update && family.refresh) yield family.refresh;
      if (args.upgrade && family.upgradeAll) yield family.upgradeAll;
      yield* ensurePackages(host, await host.getFact(family.installed), args, family);
    },
  });

/** An operation that runs one command every time, and why. */
export const commandOperation = (name: string, command: Shell, why: string): Operation<NoArguments> =>
  operation<NoArguments>({
    name,
    idempotent: why,
    async *steps() {
      yield command;
    },
  });
