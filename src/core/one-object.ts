/** What is called with one object of arguments. @module */
import { DeployError } from "./errors.ts";
import { hasKeys, kindOf } from "./kind.ts";

/** Throws `DeployError` for a second object, which nobody would look at; what `map` and `forEach` add is no such. */
export function expectOneObject(what: string, given: readonly unknown[]): void {
  if (given.length > 1 && given.slice(1).some(hasKeys))
    throw new DeployError(`${what} with more than one object of arguments`, {
      hint: "Put all of it into one: global arguments such as _sudo stand beside the others",
    });
}

/** The data of an object of options that has no other. Throws `DeployError` for anything else; `what` is what is given it. */
export function dataOption(what: string, options: unknown): Readonly<Record<string, unknown>> | undefined {
  if (options === undefined) return undefined;
  if (!hasKeys(options)) throw new DeployError(`The options of ${what} must be an object, found ${kindOf(options)}`);
  const { data, ...others } = options as { readonly data?: Readonly<Record<string, unknown>> };
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new DeployError(`${what} has no option "${unknown}"`, {
      hint: 'Its only option is "data"; global arguments stand in the call of a deploy',
    });
  if (data !== undefined && !hasKeys(data))
    throw new DeployError(`The data of ${what} must be an object, found ${kindOf(data)}`);
  return data;
}
