/** Python's packages. @module */
import { remotePath, sh } from "../core/command.ts";
import type { CommandFact } from "../core/fact.ts";
import { type Packages, packagesFact } from "./shared/packages.ts";

/** Arguments of `pip.PipPackages`. */
export interface PipPackagesArguments {
  /** Name or path of pip: `/srv/app/venv/bin/pip`. */
  readonly pip?: string;
}

/** Packages that pip sees. */
export const PipPackages = pipFact("pip.PipPackages", "pip");

/** Packages that `pip3` sees. */
export const Pip3Packages = pipFact("pip.Pip3Packages", "pip3");

function pipFact(name: string, usual: string): CommandFact<PipPackagesArguments, Packages> {
  return packagesFact<PipPackagesArguments>({
    name,
    requires: ({ pip = usual }) => pip,
    command: ({ pip = usual }) => sh`${remotePath(pip)} freeze --all`,
    line: /^([\w.+-]+)==(\S+)$/,
  });
}
