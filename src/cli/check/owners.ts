/** Names that are imported from the wrong one of our modules. @module */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deployModules } from "../../deploy/index.ts";
import { ownersHint } from "../import-hint.ts";
import type { Mistake, Workplace } from "./compiler.ts";

/** Where else each name is exported, by the mistake: the compiler is asked, as types are in no module that runs. */
export async function ownerHints(
  mistakes: readonly Mistake[],
  workplace: Workplace,
): Promise<ReadonlyMap<Mistake, string>> {
  const wanted = mistakes.flatMap(mistake => {
    const name = absentName(mistake);
    return name === undefined ? [] : [{ mistake, name }];
  });
  if (wanted.length === 0) return new Map();
  const names = [...new Set(wanted.map(({ name }) => name))];
  const probes = [...(await deployModules()).keys()].flatMap(module => names.map(name => ({ module, name })));
  const file = join(workplace.directory, "owners.ts");
  // A line for each: those that stay without a mistake are right.
  const lines = probes.map(({ module, name }, index) => `export type { ${name} as n${index} } from "${module}";`);
  await writeFile(file, lines.join("\n"));
  const { mistakes: absent } = await workplace.compile("owners", [file]);
  const wrong = new Set(absent.map(({ at }) => at.line - 1));
  const found = probes.filter((_, index) => !wrong.has(index));
  return new Map(
    wanted.flatMap(({ mistake, name }) => {
      const owners = found.filter(probe => probe.name === name).map(({ module }) => module);
      const hint = ownersHint(name, owners);
      return hint === undefined ? [] : [[mistake, hint] as const];
    }),
  );
}

/** The name that one of our modules does not export. */
function absentName({ code, message }: Mistake): string | undefined {
  if (!ABSENT.has(code)) return undefined;
  return /^Module '"tsinfra[^']*"' has no exported member (?:named )?'([\w$]+)'/.exec(message)?.[1];
}
/** No such export; no such export, but one that is similar. */
const ABSENT = new Set(["TS2305", "TS2724"]);
