/** Packages of the BSDs. @module */
import { sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";
import { type Packages, parsePackages } from "./shared/packages.ts";

/** Installed packages, from FreeBSD's `pkg` or OpenBSD's and NetBSD's `pkg_info`. */
export const PkgPackages = fact<NoArguments, Packages>({
  name: "pkg.PkgPackages",
  command: () => sh`pkg info || pkg_info || true`,
  parse: lines => parsePackages(/^(\S+)-(\d[^\s-]*)(?:\s|$)/, lines),
  empty: {},
});
