/** Repository files of the rpm families. @module */
import type { Shell } from "../../core/command.ts";
import { type CommandFact, fact } from "../../core/fact.ts";

/** One section of the repository files: `repoid`, `name`, and every key that it sets, as written. */
export type Repository = Readonly<Record<string, string>>;

/** A fact that reads the sections of `.repo` files. */
export const repositoriesFact = (definition: {
  readonly name: string;
  readonly requires: string;
  command(): Shell;
}): CommandFact<object, readonly Repository[]> =>
  fact<object, readonly Repository[]>({ ...definition, parse: parseRepositories, empty: [] });

function parseRepositories(lines: readonly string[]): readonly Repository[] {
  const found: Record<string, string>[] = [];
  for (const line of lines.map(text => text.trim())) {
    const section = /^\[(.*)\]$/.exec(line)?.[1];
    const [, key, value] = /^([^#=]+?)\s*=\s*(.*)$/.exec(line) ?? [];
    const current = found.at(-1);
    if (section !== undefined) found.push({ repoid: section, name: section });
    else if (current && key !== undefined && value !== undefined) current[key] = value;
  }
  return found;
}
