/** Python programs, each in an environment of its own. @module */
import { sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { PipxEnvironment, PipxPackages } from "../facts/pipx.ts";
import { Path } from "../facts/server/index.ts";
import { commandOperation } from "./shared/package-operations.ts";
import {
  ensurePackages,
  type ExtraArguments,
  extraWords,
  type LatestArguments,
  type PackageArguments,
} from "./shared/packages.ts";
import { byPackageKey, pythonPackages } from "./shared/python-packages.ts";

/** Arguments of `pipx.packages`. */
export interface PackagesArguments extends PackageArguments, LatestArguments {
  /** Options for `pipx install`. */
  readonly extraArgs?: ExtraArguments;
}

/**
 * Install, upgrade or remove Python programs. Versions and extras as pip has them.
 * @example
 * pipx.packages({ packages: ["copier==9.4.1", "httpie"] });
 */
export const packages = operation<PackagesArguments>({
  name: "pipx.packages",
  positional: ["packages"],
  async *steps(host, { packages: names, present = true, latest = false, extraArgs }) {
    if (names === undefined) return host.noop("no package list provided to pipx.packages");
    const installed = byPackageKey(await host.getFact(PipxPackages));
    // pipx takes one package at a time.
    for (const wanted of pythonPackages(host, names)) {
      const isThere = Object.hasOwn(installed, wanted.key ?? wanted.name);
      yield* ensurePackages(
        host,
        installed,
        { packages: [present ? wanted : { ...wanted, word: wanted.name }], present, latest },
        {
          // What is there in another version pipx leaves alone, unless forced.
          install: sh`${["pipx", "install", isThere && "--force", ...extraWords(extraArgs)]}`,
          remove: sh`pipx uninstall`,
          upgrade: sh`pipx upgrade`,
        },
      );
    }
  },
});

/**
 * Upgrade every program that pipx has installed.
 * @example
 * pipx.upgradeAll();
 */
export const upgradeAll = commandOperation(
  "pipx.upgradeAll",
  sh`pipx upgrade-all`,
  "pipx finds out itself whether anything is to do",
);

/**
 * Add the directory of pipx's programs to the user's `PATH`.
 * @example
 * pipx.ensurePath();
 */
export const ensurePath = operation({
  name: "pipx.ensurePath",
  async *steps(host) {
    const [path, environment] = await Promise.all([host.getFact(Path), host.getFact(PipxEnvironment)]);
    const directory = environment["PIPX_BIN_DIR"];
    if (directory !== undefined && path.split(":").includes(directory))
      return host.noop("pipx bin dir is already in the PATH");
    yield sh`pipx ensurepath`;
  },
});
