/** Node's packages. @module */
import { remotePath, sh, type Shell } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { NpmPackages } from "../facts/npm.ts";
import { ensurePackages, type LatestArguments, type PackageArguments } from "./shared/packages.ts";

/** Arguments of `npm.packages`. */
export interface PackagesArguments extends PackageArguments, LatestArguments {
  /** Directory of the project to install into; default: for the whole host. */
  readonly directory?: string;
}

/**
 * Install, upgrade or remove packages of a project, or of the host. A version is pinned as `name@version`.
 * @example
 * npm.packages({ packages: ["express@5.1.0"], directory: "/srv/app" });
 */
export const packages = operation<PackagesArguments>({
  name: "npm.packages",
  positional: ["packages"],
  async *steps(host, { directory, ...want }) {
    const npm = (verb: string): Shell =>
      directory === undefined ? sh`npm ${verb} -g` : sh`cd ${remotePath(directory)} && npm ${verb}`;
    const manager = { install: npm("install"), remove: npm("uninstall"), upgrade: npm("update"), pin: "@" };
    yield* ensurePackages(
      host,
      await host.getFact(NpmPackages, directory === undefined ? {} : { directory }),
      want,
      manager,
    );
  },
});
