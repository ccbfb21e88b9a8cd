/** Flatpak applications. @module */
import { sh } from "../core/command.ts";
import { OperationValueError } from "../core/errors.ts";
import { operation } from "../core/operation.ts";
import { FlatpakPackages } from "../facts/flatpak.ts";
import { checkNames, type PackageArguments } from "./shared/packages.ts";

/** Arguments of `flatpak.packages`. */
export interface PackagesArguments extends PackageArguments {
  /** Name of the remote to install from. Default: flatpak's own choice. */
  readonly remote?: string;
}

/**
 * Install or remove applications.
 * @example
 * flatpak.packages({ packages: ["org.videolan.VLC"], remote: "flathub" });
 */
export const packages = operation<PackagesArguments>({
  name: "flatpak.packages",
  positional: ["packages"],
  async *steps(host, { packages: given = [], remote, present = true }) {
    const names = checkNames(given);
    if (names.length === 0) return;
    if (remote?.startsWith("-")) throw new OperationValueError(`A remote cannot begin with a dash: got "${remote}"`);
    const there = await host.getFact(FlatpakPackages);
    const change = names.filter(name => there.includes(name) !== present);
    for (const name of names.filter(one => !change.includes(one)))
      host.noop(`flatpak package ${name} is ${present ? "" : "not "}installed`);
    if (change.length === 0) return;
    yield present
      ? sh`${["flatpak", "install", "--noninteractive", remote?.trim() || undefined, ...change]}`
      : sh`flatpak uninstall --noninteractive ${change}`;
  },
});
