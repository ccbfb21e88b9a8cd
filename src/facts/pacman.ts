/** Arch Linux's packages. @module */
import { operand, sh } from "../core/command.ts";
import { fact } from "../core/fact.ts";
import { packagesFact } from "./shared/packages.ts";

/** Installed pacman packages. */
export const PacmanPackages = packagesFact({
  name: "pacman.PacmanPackages",
  requires: "pacman",
  command: () => sh`pacman -Q`,
  line: /^(\S+)\s(\S+)/,
});

/** Arguments of `pacman.PacmanUnpackGroup`. */
export interface PacmanUnpackGroupArguments {
  /** Name of a group, a package, or something that packages provide. */
  readonly package: string;
}

/** The packages that would be installed for a name: a group's members, or the package itself. None when nothing is called so. */
export const PacmanUnpackGroup = fact<PacmanUnpackGroupArguments, readonly string[]>({
  name: "pacman.PacmanUnpackGroup",
  requires: "pacman",
  // pacman fails for a name that it does not know, which is an answer too.
  command: ({ package: name }) => sh`pacman -S --print-format "%n" ${operand(name)} || true`,
  parse: lines => lines,
  empty: [],
});
