/** Ruby's packages. @module */
import { sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";
import { type Packages, packagesOf } from "./shared/packages.ts";

/** Installed gems. */
export const GemPackages = fact<NoArguments, Packages>({
  name: "gem.GemPackages",
  requires: "gem",
  command: () => sh`gem list --local`,
  parse: lines => packagesOf(lines.flatMap(gemsOf)),
  empty: {},
});

/** `rake (13.0.6, default: 12.3.3)` has two versions. */
function gemsOf(line: string): [name: string, version: string][] {
  const [, name, versions] = /^([\w.+-]+) \((.+)\)$/.exec(line) ?? [];
  if (name === undefined || versions === undefined) return [];
  return versions.split(", ").map(version => [name, version.replace("default: ", "").replace(/ .*/, "")]);
}
