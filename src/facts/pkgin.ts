/** pkgsrc's binary packages. @module */
import { sh } from "../core/command.ts";
import { packagesFact } from "./shared/packages.ts";

/** Installed pkgin packages. */
export const PkginPackages = packagesFact({
  name: "pkgin.PkginPackages",
  requires: "pkgin",
  command: () => sh`pkgin list`,
  line: /^([\w+-]+)-([0-9.]+-?[a-z0-9]*)\s/,
});
