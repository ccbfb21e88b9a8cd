/** What operations on database servers have in common. @module */
import { remotePath, type Secret, type Shell, sh } from "../../core/command.ts";
import { OperationTypeError } from "../../core/errors.ts";
import type { OperationHost } from "../../core/host.ts";
import type { Command } from "../../core/steps.ts";

/** A change always asked for: what the statement does is not known. */
export const ALWAYS_RUNS = "The SQL is run every time: only the server knows what it changes";

/** Arguments of an operation that runs SQL. */
export interface SqlArguments {
  /** One or more statements. A `Secret` where a password is in it. */
  readonly sql: string | Secret;
}

/** Arguments of an operation that writes a database to a file. */
export interface DumpArguments {
  /** File on the host to write to; what it held is lost. */
  readonly dest: string;
}

/** Arguments of an operation that runs a file. */
export interface LoadArguments {
  /** File on the host with SQL in it. */
  readonly src: string;
}

/** Arguments of an operation on something that can be there or not. */
export interface PresentArguments {
  /** `false`: it must not be there; it is dropped. Default true. */
  readonly present?: boolean;
}

/** Write what a client prints to a file. */
export const dumpTo = (client: Shell, dest: string): Shell => sh`${client} > ${remotePath(dest)}`;

/** Have a client read a file. */
export const loadFrom = (client: Shell, src: string): Shell => sh`${client} < ${remotePath(src)}`;

/** Drop something that is not wanted, where it is there. */
export function* drop(host: OperationHost, what: string, exists: boolean, command: Shell): Generator<Command> {
  if (exists) yield command;
  else host.noop(`${what} does not exist`);
}

/** A limit is a whole number from `least` on. Throws `OperationTypeError`. */
export function checkLimit(argument: string, value: number | undefined, least = 0): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return;
  throw new OperationTypeError(`\`${argument}\` must be a whole number from ${least} on, not ${JSON.stringify(value)}`);
}
