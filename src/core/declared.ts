/** Where in the user's files operations and facts were declared. @module */
import type { CallSite } from "./errors.ts";
import { locate } from "./thrown.ts";

/** The stack on which each was declared: it is read when something is wrong, and not before. */
const stacks = new WeakMap<object, Error>();

/** Remember that it is declared here. */
export function declare<D extends object>(definition: D): D {
  stacks.set(definition, new Error());
  return definition;
}

/** Where it was declared; `undefined` for ours, and for what was never declared. */
export const declaredAt = (definition: object): CallSite | undefined => locate(stacks.get(definition));
