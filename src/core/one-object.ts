/** What is called with one object of arguments. @module */
import { DeployError } from "./errors.ts";
import { hasKeys } from "./kind.ts";

/** Throws `DeployError` for a second object, which nobody would look at; what `map` and `forEach` add is no such. */
export function expectOneObject(what: string, given: readonly unknown[]): void {
  if (given.length > 1 && given.slice(1).some(hasKeys))
    throw new DeployError(`${what} with more than one object of arguments`, {
      hint: "Put all of it into one: global arguments such as _sudo stand beside the others",
    });
}
