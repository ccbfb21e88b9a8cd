/** Chocolatey, the package manager of Windows. @module */
import { sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";
import { packagesFact } from "./shared/packages.ts";

/** Installed Chocolatey packages. */
export const ChocoPackages = packagesFact({
  name: "choco.ChocoPackages",
  requires: "choco",
  command: () => sh`choco list`,
  line: /^([\w.+-]+)\s(\d[\w.+-]*)$/,
});

/** Version of Chocolatey itself; absent where it is not installed. */
export const ChocoVersion = fact<NoArguments, string | undefined>({
  name: "choco.ChocoVersion",
  requires: "choco",
  command: () => sh`choco --version`,
  parse: lines => lines.join(""),
  empty: undefined,
});
