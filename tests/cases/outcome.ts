/** What operations and facts make of a case, in the words of cases. @module */
import { TsinfraError } from "../../src/core/errors.ts";
import type { CommandFact } from "../../src/core/fact.ts";
import type { NamedFact } from "./host.ts";
import { CaseError, type Json, type JsonObject } from "./values.ts";

/** An error that the case states. One that is not meant for people is a crash, which no case can want. */
export function encodeError(
  error: unknown,
  what: string,
  isExpected: (error: Error) => boolean = () => false,
): JsonObject {
  if (error instanceof CaseError) throw error;
  if (error instanceof TsinfraError) {
    const { code, message, hint } = error;
    return { code, message, ...(hint === undefined ? {} : { hint }) };
  }
  if (error instanceof Error && isExpected(error)) return { message: error.message };
  throw new CaseError(`${what} crashes: ${error instanceof Error ? error.stack : String(error)}`);
}

/** The fact with a command that a derived one stands on, chosen by the kind of host that the case has, and the way from its answer to the wanted one. */
export function standsOn(
  fact: NamedFact,
  args: object,
  kind?: string,
): { readonly base: CommandFact<object, unknown>; derive(answer: unknown): unknown } {
  if ("derive" in fact) {
    const inner = standsOn(fact.from as unknown as NamedFact, args, kind);
    return { base: inner.base, derive: answer => fact.derive(inner.derive(answer) as never, args) };
  }
  if (kind === undefined) return { base: fact, derive: answer => answer };
  if (!fact.variant || fact.variant.when?.(args) === false)
    throw new CaseError(`${fact.name} asks every kind of host the same: leave out "kind"`);
  return { base: fact.variant.choose(kind, args) ?? fact, derive: answer => answer };
}

/** What a fact answers where its command prints nothing. */
export function emptyAnswer(fact: NamedFact, args: object): unknown {
  const { base, derive } = standsOn(fact, args);
  return derive(base.empty);
}

/** Why an answer cannot be one of this fact; `undefined` where it may be. */
export function misfit(fact: NamedFact, answer: unknown): string | undefined {
  if ("derive" in fact || answer === undefined) return undefined;
  const wanted = [Set, Map, Array].find(type => fact.empty instanceof type);
  if (wanted && !(answer instanceof wanted))
    return `${fact.name} answers a ${wanted.name}, not ${JSON.stringify(answer)}`;
  return undefined;
}

/** Only what is there. */
export const only = (fields: Readonly<Record<string, Json | undefined>>): JsonObject =>
  Object.fromEntries(Object.entries(fields).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
