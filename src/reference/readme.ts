/** The parts of the README that are made from the registry. @module */
import type { Reference } from "./model.ts";

/** Bring the parts between `<!-- NAME -->` and `<!-- /NAME -->` up to date. */
export function updateReadme(
  readme: string,
  reference: Reference,
  more: Readonly<Record<string, string>> = {},
): string {
  const parts = { modules: moduleTable(reference), counts: counts(reference), ...more };
  return Object.entries(parts).reduce((text, [name, part]) => replacePart(text, name, part), readme);
}

/** How much there is, in a sentence. */
function counts({ operations, facts }: Reference): string {
  const live = operations.filter(({ deprecated }) => deprecated === undefined);
  const modules = new Set(live.map(topModule));
  const real = live.filter(({ testedOn }) => testedOn.length > 0).length;
  return `${live.length} operations in ${modules.size} modules and ${facts.length} facts. ${real} of the operations are run on a real system by our tests, twice where they are idempotent; the others are tested by the commands they make.`;
}

/** A row per module: operations, of which run on a real system, and facts. */
function moduleTable({ operations, facts }: Reference): string {
  const live = operations.filter(({ deprecated }) => deprecated === undefined);
  const modules = [...new Set([...live, ...facts].map(topModule))].sort();
  const rows = modules.map(module => {
    const own = live.filter(operation => topModule(operation) === module);
    const tested = own.filter(({ testedOn }) => testedOn.length > 0).length;
    return `| \`${module}\` | ${own.length || "–"} | ${tested || "–"} | ${facts.filter(fact => topModule(fact) === module).length || "–"} |`;
  });
  return ["| module | operations | run on a real system | facts |", "|---|---|---|---|", ...rows].join("\n");
}

const topModule = ({ module }: { readonly module: string }): string => module.split(".")[0] ?? module;

function replacePart(readme: string, name: string, text: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [readme.indexOf(open), readme.indexOf(close)];
  if (from === -1 || to < from) throw new Error(`The README has no part "${name}"`);
  return `${readme.slice(0, from + open.length)}\n${text}\n${readme.slice(to)}`;
}
