/** Packages of FreeBSD. @module */
import { sh, type Shell, type Word } from "../../core/command.ts";
import { operation } from "../../core/operation.ts";
import { type JailArguments, PkgPackage } from "../../facts/freebsd.ts";
import { option } from "../shared/options.ts";

/** Arguments that name a repository. */
export interface RepositoryArguments extends JailArguments {
  /** Only this repository; default: all that are enabled. */
  readonly repoName?: string;
}
/** Arguments of `freebsd.pkg.update` and `freebsd.pkg.upgrade`. */
export interface RefreshArguments extends RepositoryArguments {
  /** Do it even if nothing seems to have changed; default false. */
  readonly force?: boolean;
}
/** Arguments of `freebsd.pkg.install`. */
export interface InstallArguments extends RepositoryArguments {
  /** Name of the package. */
  readonly package: string;
}
/** Arguments of `freebsd.pkg.remove`. */
export interface RemoveArguments extends JailArguments {
  /** Name of the package. */
  readonly package: string;
}
/** Arguments of `freebsd.pkg.clean`. */
export interface CleanArguments extends JailArguments {
  /** Delete everything that was fetched, not only what is out of date; default false. */
  readonly allPkg?: boolean;
}

/**
 * Refresh the list of available packages.
 * @example freebsd.pkg.update();
 */
export const update = operation<RefreshArguments>({
  name: "freebsd.pkg.update",
  idempotent: "it asks the repositories every time",
  async *steps(_, { jail, force, repoName }) {
    yield pkg(jail, "update", force && "-f", ...option("-r", repoName));
  },
});

/**
 * Upgrade every package that is installed.
 * @example freebsd.pkg.upgrade({ jail: "nginx" });
 */
export const upgrade = operation<RefreshArguments>({
  name: "freebsd.pkg.upgrade",
  idempotent: "it asks pkg to upgrade every time",
  async *steps(_, { jail, force, repoName }) {
    yield pkg(jail, "upgrade", "-y", force && "-f", ...option("-r", repoName));
  },
});

/**
 * Install a package.
 * @example freebsd.pkg.install({ package: "nginx" });
 */
export const install = operation<InstallArguments>({
  name: "freebsd.pkg.install",
  positional: ["package"],
  async *steps(host, { package: name, jail, repoName }) {
    if (await host.getFact(PkgPackage, { package: name, jail }))
      return host.noop(`Package '${name}' already installed`);
    yield pkg(jail, "install", "-y", ...option("-r", repoName), "--", name);
  },
});

/**
 * Remove a package.
 * @example freebsd.pkg.remove({ package: "nginx" });
 */
export const remove = operation<RemoveArguments>({
  name: "freebsd.pkg.remove",
  positional: ["package"],
  async *steps(host, { package: name, jail }) {
    if (!(await host.getFact(PkgPackage, { package: name, jail })))
      return host.noop(`Package '${name}' cannot be found`);
    yield pkg(jail, "remove", "-y", "--", name);
  },
});

/**
 * Remove packages that were installed for others and are not needed any more.
 * @example freebsd.pkg.autoremove();
 */
export const autoremove = operation<JailArguments>({
  name: "freebsd.pkg.autoremove",
  idempotent: "pkg itself looks for what is not needed",
  async *steps(_, { jail }) {
    yield pkg(jail, "autoremove", "-y");
  },
});

/**
 * Delete packages that were fetched.
 * @example freebsd.pkg.clean({ allPkg: true });
 */
export const clean = operation<CleanArguments>({
  name: "freebsd.pkg.clean",
  idempotent: "pkg itself looks for what can go",
  async *steps(_, { allPkg, jail }) {
    yield pkg(jail, "clean", "-y", allPkg && "-a");
  },
});

/** `pkg` for the host, or for one of its jails. */
const pkg = (jail: string | undefined, ...words: readonly (Word | false | undefined)[]): Shell =>
  sh`${["pkg", ...option("-j", jail), ...words]}`;
