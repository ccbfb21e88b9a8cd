/** What is wrong with deploy files and what belongs to them, found without running them. @module */
import { withCompiler } from "./compiler.ts";
import { type Finding, inOrder } from "./finding.ts";
import { findPromises } from "./promises.ts";
import { readSources } from "./sources.ts";

export type { Finding } from "./finding.ts";

/** What is wrong, in order. `output` is what the compiler said beside mistakes, if it failed. */
export interface Checked {
  readonly findings: readonly Finding[];
  readonly output?: string;
}

/** Check programs: their types, and what becomes of their promises. Paths are absolute. */
export function checkPrograms(
  files: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Checked> {
  return withCompiler(environment, async workplace => {
    const [{ mistakes, output }, promises] = await Promise.all([
      workplace.compile("types", files),
      findPromises(readSources(files), workplace),
    ]);
    const types = mistakes.map(({ at, code, message }) => ({ at, code, message: `${message} (${code})` }));
    return {
      findings: inOrder([...types, ...promises]),
      ...(mistakes.length === 0 && output !== undefined ? { output } : {}),
    };
  });
}
