/** pnpm, a package manager of Node. @module */
import { remotePath, sh } from "../core/command.ts";
import { OperationError } from "../core/errors.ts";
import { operation } from "../core/operation.ts";
import { PnpmPackages } from "../facts/pnpm.ts";
import { ensurePackages, type LatestArguments, type PackageArguments, type WantedPackage } from "./shared/packages.ts";

/** Arguments of `pnpm.packages`. */
export interface PackagesArguments extends PackageArguments, LatestArguments {
  /** Directory of the project to install into; default: for the user. */
  readonly directory?: string;
  /** Add them as dependencies of development; needs `directory`. Default false. */
  readonly dev?: boolean;
}

/**
 * Install, upgrade or remove packages of a project, or of the user. A version is pinned as `name@version`; ranges and tags are asked for each time.
 * @example
 * pnpm.packages({ packages: ["typescript@5.9.3"], directory: "/srv/app", dev: true });
 */
export const packages = operation<PackagesArguments>({
  name: "pnpm.packages",
  positional: ["packages"],
  async *steps(host, { packages: names = [], present = true, latest = false, directory, dev }) {
    if (dev && directory === undefined)
      throw new OperationError("Pnpm has no global dev dependencies, `directory` is required");
    const pnpm = directory === undefined ? sh`pnpm --global` : sh`pnpm --dir ${remotePath(directory)}`;
    const wanted = [names].flat().map(versioned);
    const installed = await host.getFact(PnpmPackages, directory === undefined ? {} : { directory });
    yield* ensurePackages(
      host,
      installed,
      { packages: present ? wanted : wanted.map(one => ({ ...one, word: one.name })), present, latest },
      {
        install: sh`${[pnpm, "add", dev && "--save-dev"]}`,
        remove: sh`${pnpm} remove`,
        upgrade: sh`${pnpm} update --latest`,
      },
    );
  },
});

/** `@types/node@22.1.0`: an at sign in front belongs to the name, and `latest` is no version. */
function versioned(text: string): WantedPackage {
  const at = text.lastIndexOf("@");
  const [name, version] = at > 0 ? [text.slice(0, at), text.slice(at + 1)] : [text, "latest"];
  return version === "latest"
    ? { name, word: text }
    : { name, word: text, accepts: installed => installed === version };
}
