/** Node's packages. @module */
import { remotePath, sh } from "../core/command.ts";
import { packagesFact } from "./shared/packages.ts";

/** Arguments of `npm.NpmPackages`. */
export interface NpmPackagesArguments {
  /** Directory of the project; default: the packages installed for the whole host. */
  readonly directory?: string;
}

/** Installed npm packages of a project, or of the host. None in a directory that is not there. */
export const NpmPackages = packagesFact<NpmPackagesArguments>({
  name: "npm.NpmPackages",
  requires: "npm",
  command({ directory }) {
    if (directory === undefined) return sh`npm list -g --depth=0`;
    const at = remotePath(directory);
    // npm fails when the project lacks a package that it asks for: the others are there all the same.
    return sh`! test -d ${at} || (cd ${at} && npm list --depth=0 || true)`;
  },
  line: /^[+`├└][─-]+[┬]?\s((?:@[\w.~-]+\/)?[\w.~-]+)@(\S+)/,
});
