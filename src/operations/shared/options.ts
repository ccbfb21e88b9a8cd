/** Options of commands, and values that must not become more than a value. @module */
import { OperationValueError } from "../../core/errors.ts";

/** An option and its value, or nothing when there is no value. */
export const option = <T extends string | number>(name: string, value: T | undefined): readonly (string | T)[] =>
  value === undefined ? [] : [name, value];

/** Refuse a value that a command would take for an option, where nothing can be put before it that says it is none. */
export function notOption(argument: string, value: string): string {
  if (value.startsWith("-"))
    throw new OperationValueError(`\`${argument}\` cannot begin with a dash: got ${JSON.stringify(value)}`);
  return value;
}

/** Refuse a value that would become more than its line of a file. */
export function checkLine(argument: string, value: string): string {
  if (/[\r\n]/.test(value))
    throw new OperationValueError(`\`${argument}\` must not contain a newline: got ${JSON.stringify(value)}`);
  return value;
}
