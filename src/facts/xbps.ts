/** Void Linux's packages. @module */
import { sh } from "../core/command.ts";
import { packagesFact } from "./shared/packages.ts";

/** Installed xbps packages. */
export const XbpsPackages = packagesFact({
  name: "xbps.XbpsPackages",
  requires: "xbps-query",
  command: () => sh`xbps-query -l`,
  line: /^.. (\S+)-([^\s-]+_\d+)(?:\s|$)/,
});
