/** Alpine's packages. @module */
import { sh } from "../core/command.ts";
import { packagesFact } from "./shared/packages.ts";

/** Installed apk packages. */
export const ApkPackages = packagesFact({
  name: "apk.ApkPackages",
  requires: "apk",
  command: () => sh`apk list --installed`,
  line: /^(\S+)-([^-\s]+-r[^-\s]+) \S+ \{\S+\} \(.+?\)/,
});
