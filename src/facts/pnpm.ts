/** pnpm, a package manager of Node. @module */
import { remotePath, sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";
import { json } from "./shared/json.ts";
import { type Packages, packagesOf } from "./shared/packages.ts";

/** Arguments of `pnpm.PnpmPackages`. */
export interface PnpmPackagesArguments {
  /** Directory of the project; default: the packages installed for the user. */
  readonly directory?: string;
}

/** Dependencies that a project names and has installed, of every kind; or those of the user. None in a directory that is not there. */
export const PnpmPackages = fact<PnpmPackagesArguments, Packages>({
  name: "pnpm.PnpmPackages",
  requires: "pnpm",
  command({ directory }) {
    if (directory === undefined) return sh`pnpm --global list --depth=0 --json`;
    const at = remotePath(directory);
    // In the directory, since which pnpm runs may depend on it.
    return sh`! test -d ${at} || (cd ${at} && pnpm list --depth=0 --json)`;
  },
  parse: lines =>
    packagesOf(
      json<readonly Project[]>(lines).flatMap(project =>
        [project.dependencies, project.devDependencies, project.optionalDependencies].flatMap(group =>
          Object.entries(group ?? {}).map(([name, { version }]) => [name, version ?? ""] as const),
        ),
      ),
    ),
  empty: {},
});

type Dependencies = Readonly<Record<string, { readonly version?: string }>>;
interface Project {
  readonly dependencies?: Dependencies;
  readonly devDependencies?: Dependencies;
  readonly optionalDependencies?: Dependencies;
}

/** Arguments of `pnpm.PnpmModulesUpToDate`. */
export interface PnpmModulesUpToDateArguments {
  /** Directory of the project. */
  readonly directory: string;
}

/** True if `node_modules` was installed from the `pnpm-lock.yaml` that is there now. */
export const PnpmModulesUpToDate = fact<PnpmModulesUpToDateArguments, boolean>({
  name: "pnpm.PnpmModulesUpToDate",
  command({ directory }) {
    const at = remotePath(directory);
    return sh`! cmp -s ${at}/pnpm-lock.yaml ${at}/node_modules/.pnpm/lock.yaml || echo same`;
  },
  parse: lines => lines[0] === "same",
  empty: false,
});

/** Version of pnpm; absent where it is not installed. */
export const PnpmVersion = fact<NoArguments, string | undefined>({
  name: "pnpm.PnpmVersion",
  requires: "pnpm",
  command: () => sh`pnpm --version`,
  parse: lines => lines.join("").trim(),
  empty: undefined,
});
