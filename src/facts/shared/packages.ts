/** What package managers say is installed. @module */
import type { Shell } from "../../core/command.ts";
import { type CommandFact, fact, type NoArguments } from "../../core/fact.ts";

/** Installed versions by package name, sorted. */
export type Packages = Readonly<Record<string, readonly string[]>>;

/** A fact that reads one package from each line; lines that do not match are not about packages. */
export function packagesFact<A extends object = NoArguments>(definition: {
  readonly name: string;
  readonly requires: CommandFact<A, Packages>["requires"] & {};
  command(args: A): Shell;
  /** Its groups are name and version. */
  readonly line: RegExp;
}): CommandFact<A, Packages> {
  const { line, ...rest } = definition;
  return fact<A, Packages>({ ...rest, parse: lines => parsePackages(line, lines), empty: {} });
}

/** Names and versions from lines; `line` has a group for each. */
export const parsePackages = (line: RegExp, lines: readonly string[]): Packages =>
  packagesOf(
    lines.flatMap(text => {
      const [, name, version] = line.exec(text) ?? [];
      return name !== undefined && version !== undefined ? [[name, version]] : [];
    }),
  );

/** Versions by name, from pairs. */
export function packagesOf(pairs: Iterable<readonly [name: string, version: string]>): Packages {
  const found = new Map<string, Set<string>>();
  for (const [name, version] of pairs) found.set(name, (found.get(name) ?? new Set()).add(version));
  return Object.fromEntries([...found].map(([name, versions]) => [name, [...versions].sort()]));
}
