/** SUSE's package manager. @module */
import { sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { RpmPackages } from "../facts/rpm.ts";
import { upgradeOperation } from "./shared/package-operations.ts";
import {
  ensurePackages,
  type ExtraArguments,
  extraWords,
  type LatestArguments,
  type PackageArguments,
} from "./shared/packages.ts";
import { ensureRepository, type RepositoryArguments } from "./shared/repositories.ts";
import { rpmFileOperation, rpmKeyOperation } from "./shared/rpm.ts";

const zypper = { name: "zypper", upgradeAll: sh`zypper update -y` };

/**
 * Let rpm trust a key that signs packages.
 * @example
 * zypper.key({ src: "https://download.opensuse.org/repositories/openSUSE:Tools/openSUSE_Tumbleweed/repodata/repomd.xml.key" });
 */
export const key = rpmKeyOperation("zypper");

/** Arguments of `zypper.repo`. */
export interface RepoArguments extends RepositoryArguments {
  /** Kind of repository. Default `rpm-md`. */
  readonly type?: string;
}

/**
 * Add, change or remove a repository.
 * @example
 * zypper.repo({ src: "tools", baseUrl: "https://download.opensuse.org/repositories/openSUSE:/Tools/openSUSE_Tumbleweed/" });
 */
export const repo = operation<RepoArguments>({
  name: "zypper.repo",
  positional: ["src", "baseUrl"],
  async *steps(host, args) {
    yield* ensureRepository(host, { type: "rpm-md", ...args }, "/etc/zypp/repos.d");
  },
});

/**
 * Install or remove the package of an `.rpm` file.
 * @example
 * zypper.rpm({ src: "https://github.com/go-task/task/releases/download/v3.44.0/task_linux_amd64.rpm" });
 */
export const rpm = rpmFileOperation("zypper", sh`zypper --non-interactive remove -y`);

/**
 * Upgrade every package that is installed.
 * @example
 * zypper.update();
 */
export const update = upgradeOperation(zypper, "update");

/** Arguments of `zypper.packages`. */
export interface PackagesArguments extends PackageArguments, LatestArguments {
  /** Upgrade everything that is installed first. Default false. */
  readonly update?: boolean;
  /** Throw away what is cached first. Default false. */
  readonly clean?: boolean;
  /** Options of zypper itself when installing. */
  readonly extraGlobalInstallArgs?: ExtraArguments;
  /** Options for installing. */
  readonly extraInstallArgs?: ExtraArguments;
  /** Options of zypper itself when removing. */
  readonly extraGlobalUninstallArgs?: ExtraArguments;
  /** Options for removing. */
  readonly extraUninstallArgs?: ExtraArguments;
}

/**
 * Install, upgrade or remove packages. A version is pinned as `name=version`.
 * @example
 * zypper.packages({ packages: ["vim", "nginx"], latest: true });
 */
export const packages = operation<PackagesArguments>({
  name: "zypper.packages",
  positional: ["packages"],
  async *steps(host, { update: upgradeAll, clean, ...args }) {
    if (clean) yield sh`zypper clean --all`;
    if (upgradeAll) yield zypper.upgradeAll;
    const command = (verb: string, ofZypper: ExtraArguments | undefined, ofVerb: ExtraArguments | undefined) =>
      sh`${["zypper", ...extraWords(ofZypper), "--non-interactive", verb, "-y", ...extraWords(ofVerb)]}`;
    yield* ensurePackages(host, await host.getFact(RpmPackages), args, {
      install: command("install", args.extraGlobalInstallArgs, args.extraInstallArgs),
      remove: command("remove", args.extraGlobalUninstallArgs, args.extraUninstallArgs),
      upgrade: zypper.upgradeAll,
      pin: "=",
    });
  },
});
