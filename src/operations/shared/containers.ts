/** What operations on containers and what belongs to them have in common. @module */
import { operand, type Shell, sh, type Word } from "../../core/command.ts";
import { OperationTypeError, OperationValueError } from "../../core/errors.ts";
import { shellWords } from "../../facts/shared/shell-words.ts";

/** `NAME=value` pairs, as a list of them or as a map. */
export type Pairs = readonly string[] | Readonly<Record<string, string | number>>;

/** An option for each value of a list. */
export const each = (option: string, values: string | readonly string[] | undefined): readonly Word[] =>
  values === undefined ? [] : [values].flat().map(value => sh`${option} ${value}`);

/** An option for each pair. */
export const eachPair = (option: string, pairs: Pairs | undefined): readonly Word[] => each(option, pairsOf(pairs));

/** `NAME=value`, as options have it. */
export const pairsOf = (pairs: Pairs = {}): readonly string[] =>
  isList(pairs) ? pairs : Object.entries(pairs).map(([name, value]) => `${name}=${value}`);
const isList = (pairs: Pairs): pairs is readonly string[] => Array.isArray(pairs);

/** `docker KIND VERB …` on something with a name. */
export const docker = (kind: string, verb: string, name: string): Shell => sh`docker ${kind} ${verb} ${operand(name)}`;

/** The words of a command that is given as a list, or as a line with quotes where they are needed. Throws `OperationValueError`. */
export function commandWords(argument: string, command: string | readonly string[]): readonly string[] {
  if (typeof command !== "string") return command;
  try {
    return shellWords(command);
  } catch (error) {
    throw new OperationValueError(`\`${argument}\` is ${JSON.stringify(command)}, in which a quote does not end`, {
      cause: error,
    });
  }
}

/** Throws `OperationTypeError` where a name is missing. */
export function checkName(operation: string, argument: string, value: string): void {
  if (typeof value !== "string" || value === "")
    throw new OperationTypeError(`${operation} requires \`${argument}\`, not ${JSON.stringify(value)}`);
}
