/** Packages of the BSDs. @module */
import { sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { File } from "../facts/files/index.ts";
import { PkgPackages } from "../facts/pkg.ts";
import { Arch, Os, OsVersion, Which } from "../facts/server/index.ts";
import { ensurePackages, type PackageArguments } from "./shared/packages.ts";

/** Arguments of `pkg.packages`. */
export interface PackagesArguments extends PackageArguments {
  /** `PKG_PATH` to install from. Default: as `/etc/installurl` says, else the mirror of OpenBSD for the host's version. */
  readonly pkgPath?: string;
}

/**
 * Install or remove packages, with `pkg` where the host has it (FreeBSD), else with `pkg_add` and `pkg_delete`.
 * @example
 * pkg.packages({ packages: ["vim", "curl"] });
 */
export const packages = operation<PackagesArguments>({
  name: "pkg.packages",
  positional: ["packages"],
  async *steps(host, { pkgPath, ...want }) {
    const { present = true } = want;
    let path = present ? pkgPath : undefined;
    if (present && !pkgPath && (await host.getFact(File, { path: "/etc/installurl" })).type === "absent") {
      const [os, version, arch] = await Promise.all([host.getFact(Os), host.getFact(OsVersion), host.getFact(Arch)]);
      path = `http://ftp.${os.toLowerCase()}.org/pub/${os}/${version}/packages/${arch}/`;
    }
    const isPkg = (await host.getFact(Which, { command: "pkg" })) !== undefined;
    const install = isPkg ? sh`pkg install -y` : sh`pkg_add`;
    yield* ensurePackages(host, await host.getFact(PkgPackages), want, {
      install: path ? sh`PKG_PATH=${path} ${install}` : install,
      remove: isPkg ? sh`pkg delete -y` : sh`pkg_delete`,
    });
  },
});
