/** Packages of the BSDs. @module */
import { sh } from "../core/command.ts";
import { fact } from "../core/fact.ts";
import { type Packages, parsePackages } from "./shared/packages.ts";

/** Installed packages, from FreeBSD's `pkg` or OpenBSD's and NetBSD's `pkg_info`. */
export const PkgPackages = fact<Packages>({
  name: "pkg.PkgPackages",
  command: () => sh`pkg info || pkg_info || true`,
  parse: lines => parsePackages(/^(\S+)-(\d[^\s-]*)(?:\s|$)/, lines),
  empty: {},
});
