/** What dnf has of yum, whose options it took over. @module */
import { sh } from "../../core/command.ts";
import type { OperationHost } from "../../core/host.ts";
import type { Steps } from "../../core/steps.ts";
import { RpmPackages } from "../../facts/rpm.ts";
import {
  ensurePackages,
  type ExtraArguments,
  extraWords,
  type LatestArguments,
  type PackageArguments,
} from "./packages.ts";
import { expandProvides } from "./rpm.ts";

/** Packages of dnf and yum. */
export interface DnfPackagesArguments extends PackageArguments, LatestArguments {
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

/** Install, upgrade or remove packages with dnf or yum. */
export async function* ensureDnfPackages(host: OperationHost, tool: "dnf" | "yum", args: DnfPackagesArguments): Steps {
  if (args.clean) yield sh`${tool} clean all`;
  if (args.update) yield sh`${tool} update -y`;
  yield* ensurePackages(host, await host.getFact(RpmPackages), args, {
    install: sh`${[tool, "install", "-y", args.noBest && "--nobest", ...extraWords(args.extraInstallArgs)]}`,
    remove: sh`${[tool, "remove", "-y", ...extraWords(args.extraUninstallArgs)]}`,
    upgrade: sh`${tool} update -y`,
    pin: "=",
    expand: expandProvides,
  });
}
