/** Questions to a host: which have the same answer, and whether it would be given again. Pure. @module */
import { quoted, sh, type Shell } from "../../core/command.ts";
import { keyOf, type ResolvedArguments } from "./arguments.ts";
import { inSurroundings } from "./escalation.ts";
import { factCommand, type PendingQuestion } from "./fact-batches.ts";

/** What has its own input or terminal travels in a channel of its own. */
export const travelsAlone = ({ all }: ResolvedArguments): boolean => Boolean(all._getPty) || all._stdin !== undefined;

/** Two facts may share a name when users write their own: the object decides. */
const factKeys = new WeakMap<object, number>();
let lastFactKey = 0;
function factKey(fact: object): number {
  let key = factKeys.get(fact);
  if (key === undefined) factKeys.set(fact, (key = ++lastFactKey));
  return key;
}

/** Equal for questions that have the same answer. */
export function questionKey(fact: object, args: object, how: ResolvedArguments): string {
  const { _getPty, _ignoreErrors, _stdin, _successExitCodes } = how.all;
  const own = _getPty || _ignoreErrors || _stdin !== undefined || _successExitCodes;
  const more = own ? keyOf([_getPty, _ignoreErrors, _successExitCodes, how.input && [...how.input]]) : "";
  return `${how.surroundingsKey} ${factKey(fact)} ${keyOf(args)} ${more}`;
}

/** A shell test that the host would print the same lines again. */
export function stillHolds(question: Pick<PendingQuestion, "fact" | "args" | "how">, lines: readonly string[]): Shell {
  const { fact, args, how } = question;
  const test =
    fact.still?.(lines, args) ??
    sh`[ "$(eval ${quoted(factCommand(question))} </dev/null 2>/dev/null; echo $?)" = ${[...lines, "0"].join("\n")} ]`;
  const inPlace = inSurroundings(test, how.surroundings);
  return inPlace === test ? test : sh`(eval ${quoted(inPlace)})`;
}
