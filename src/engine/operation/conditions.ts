/** Conditions, which are asked when an operation's turn comes. @module */
import type { Condition } from "../../core/arguments.ts";
import { DeployError, TsinfraError } from "../../core/errors.ts";
import { inCondition } from "../../core/scope.ts";
import { threw } from "../report.ts";
import type { OperationDefinition } from "../../core/operation.ts";

/** An operation and its arguments, as they were given. */
interface Given {
  readonly operation: Pick<OperationDefinition<object>, "name" | "conditions">;
  readonly args: object;
}

/** True if all of these are; without any, too. Throws `DeployError` for one that is neither true nor false. */
export const allHold = (conditions: Condition | readonly Condition[] | undefined): boolean =>
  [conditions ?? []].flat().every(condition => answerOf("The condition in `_if`", condition));

/** Names of the arguments that are conditions. Throws `DeployError` for what is neither one nor true or false. */
export function conditionsIn({ operation, args }: Given): readonly string[] {
  if (!operation.conditions) return NONE;
  return Object.keys(operation.conditions).filter(name => {
    const value: unknown = Reflect.get(args, name);
    if (value === undefined || typeof value === "boolean") return false;
    if (typeof value === "function") return true;
    throw new DeployError(`Argument "${name}" of ${operation.name} must be true, false or a condition`, {
      hint: typeof value === "object" && value !== null && "didChange" in value ? "Pass its didChange" : undefined,
    });
  });
}
const NONE: readonly string[] = [];

/** The arguments with conditions answered: as they are now, or all with the same answer. */
export function decided(given: Given, answer?: boolean): object {
  if (!given.operation.conditions) return given.args;
  const names = conditionsIn(given);
  if (names.length === 0) return given.args;
  const answers = names.map(name => [
    name,
    answer ?? answerOf(`The condition in \`${name}\``, Reflect.get(given.args, name) as Condition),
  ]);
  return { ...given.args, ...Object.fromEntries(answers) };
}

/** What a condition answers now. Throws `DeployError` for one that throws, or is neither true nor false. */
export function answerOf(what: string, condition: Condition): boolean {
  let answer: unknown;
  try {
    answer = inCondition(what.replace(/^The /, "the "), condition);
  } catch (error) {
    throw error instanceof TsinfraError ? error : new DeployError(threw(what, error), { cause: error });
  }
  if (typeof answer === "boolean") return answer;
  // It is told as what it is: what becomes of it is nobody's any more.
  if (answer instanceof Promise) answer.catch(() => undefined);
  const found = answer instanceof Promise ? "a promise" : typeof answer === "object" ? "an object" : String(answer);
  throw new DeployError(`${what} must give true or false, found ${found}`, {
    hint: answer instanceof Promise ? "A condition is asked at once: it cannot be async" : undefined,
  });
}
