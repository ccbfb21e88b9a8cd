/** Packages, whatever package manager the host has. @module */
import { OperationError } from "../../core/errors.ts";
import { type OperationDefinition, operation } from "../../core/operation.ts";
import { Which } from "../../facts/server/index.ts";
import * as apk from "../apk.ts";
import * as apt from "../apt/index.ts";
import * as brew from "../brew.ts";
import * as dnf from "../dnf.ts";
import * as pacman from "../pacman.ts";
import * as pkg from "../pkg.ts";
import type { PackageArguments } from "../shared/packages.ts";
import * as xbps from "../xbps.ts";
import * as yum from "../yum.ts";
import * as zypper from "../zypper.ts";

/** Package managers by the programs that show them, in the order in which they are looked for: openSUSE has an `apt` of its own. */
const MANAGERS: readonly (readonly [
  program: string,
  packages: Pick<OperationDefinition<PackageArguments>, "steps">,
])[] = [
  ["zypper", zypper.packages],
  ["apk", apk.packages],
  ["apt", apt.packages],
  ["brew", brew.packages],
  ["dnf", dnf.packages],
  ["pacman", pacman.packages],
  ["xbps-install", xbps.packages],
  ["xbps", xbps.packages],
  ["yum", yum.packages],
  ["pkg", pkg.packages],
  ["pkg_add", pkg.packages],
];

/**
 * Install or remove packages, through whichever package manager the host has. Their names are that manager's.
 * @example server.packages({ packages: ["git", "curl"] });
 */
export const packages = operation<PackageArguments>({
  name: "server.packages",
  positional: ["packages"],
  async *steps(host, { packages, present = true }) {
    for (const [program, manager] of MANAGERS) {
      if (await host.getFact(Which, { command: program })) return yield* manager.steps(host, { packages, present });
    }
    throw new OperationError(
      "No system package manager found (no apk, apt, brew, dnf, pacman, pkg, xbps, yum or zypper found)",
    );
  },
});
