/** Fedora's and Red Hat's package manager. @module */
import { sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";
import { repositoriesFact } from "./shared/repositories.ts";

/** Repositories that dnf is configured with. */
export const DnfRepositories = repositoriesFact({
  name: "dnf.DnfRepositories",
  requires: "dnf",
  command: () =>
    sh`(! test -f /etc/dnf.conf || cat /etc/dnf.conf) && (cat /etc/dnf.repos.d/*.repo || true) && (cat /etc/yum.repos.d/*.repo || true)`,
});

/** Streams of the modules that are enabled, by module. */
export const DnfEnabledModules = fact<NoArguments, Readonly<Record<string, string>>>({
  name: "dnf.DnfEnabledModules",
  requires: "dnf",
  // dnf fails when there is no such module.
  command: () => sh`LC_ALL=C dnf -q module list --enabled 2>/dev/null || true`,
  parse: lines => Object.fromEntries(moduleRows(lines, "e").map(([name, stream]) => [name, stream])),
  empty: {},
});

/** Modules that are disabled, sorted. */
export const DnfDisabledModules = fact<NoArguments, readonly string[]>({
  name: "dnf.DnfDisabledModules",
  requires: "dnf",
  command: () => sh`LC_ALL=C dnf -q module list --disabled 2>/dev/null || true`,
  parse: lines => [...new Set(moduleRows(lines, "x").map(([name]) => name))].sort(),
  empty: [],
});

/** Module and stream from the rows that bear a flag: `[e]` enabled, `[x]` disabled. */
const moduleRows = (lines: readonly string[], flag: string): [name: string, stream: string][] =>
  lines.flatMap(line => {
    const [, name, stream] = /^(\S+)\s+(\S+)\s/.exec(line) ?? [];
    return name !== undefined && stream !== undefined && !name.startsWith("Hint:") && line.includes(`[${flag}]`)
      ? [[name, stream] as [string, string]]
      : [];
  });
