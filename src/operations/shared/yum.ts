/** The family of yum: dnf took over its commands, options and files. @module */
import { sh } from "../../core/command.ts";
import type { NoArguments } from "../../core/fact.ts";
import { type Operation, operation } from "../../core/operation.ts";
import { RpmPackages } from "../../facts/rpm.ts";
import { upgradeOperation } from "./package-operations.ts";
import {
  ensurePackages,
  type ExtraArguments,
  extraWords,
  type LatestArguments,
  type PackageArguments,
} from "./packages.ts";
import { ensureRepository, type RepositoryArguments } from "./repositories.ts";
import { expandProvides, type RpmFileArguments, rpmFileOperation } from "./rpm.ts";

/** Who is of the family: name of the module and of the program. */
export type Yum = "dnf" | "yum";

/** Packages of dnf and yum. */
export interface YumPackagesArguments extends PackageArguments, LatestArguments {
  /** Upgrade everything that is installed first. Default false. */
  readonly update?: boolean;
  /** Throw away what is cached first. Default false. */
  readonly clean?: boolean;
  /** Take an older version where the newest cannot be installed. Default false. */
  readonly noBest?: boolean;
  /** Options for installing. */
  readonly extraInstallArgs?: ExtraArguments;
  /** Options for removing. */
  readonly extraUninstallArgs?: ExtraArguments;
}

/** `repo`: add, change or remove a repository. */
export const yumRepoOperation = (yum: Yum): Operation<RepositoryArguments> =>
  operation<RepositoryArguments>({
    name: `${yum}.repo`,
    positional: ["src"],
    async *steps(host, args) {
      yield* ensureRepository(host, args, "/etc/yum.repos.d");
    },
  });

/** `rpm`: install or remove the package of an `.rpm` file. */
export const yumRpmOperation = (yum: Yum): Operation<RpmFileArguments> => rpmFileOperation(yum, sh`${yum} remove -y`);

/** `update`: upgrade every package that is installed. */
export const yumUpdateOperation = (yum: Yum): Operation<NoArguments> =>
  upgradeOperation({ name: yum, upgradeAll: upgradeAll(yum) }, "update");

/** `packages`: install, upgrade or remove packages. */
export const yumPackagesOperation = (yum: Yum): Operation<YumPackagesArguments> =>
  operation<YumPackagesArguments>({
    name: `${yum}.packages`,
    positional: ["packages"],
    async *steps(host, args) {
      if (args.clean) yield sh`${yum} clean all`;
      if (args.update) yield upgradeAll(yum);
      yield* ensurePackages(host, await host.getFact(RpmPackages), args, {
        install: sh`${[yum, "install", "-y", args.noBest && "--nobest", ...extraWords(args.extraInstallArgs)]}`,
        remove: sh`${[yum, "remove", "-y", ...extraWords(args.extraUninstallArgs)]}`,
        upgrade: upgradeAll(yum),
        pin: "=",
        expand: expandProvides,
      });
    },
  });

const upgradeAll = (yum: Yum) => sh`${yum} update -y`;
