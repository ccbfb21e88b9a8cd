/** Operations: what brings one thing on a host into a wanted state. @module */
import type { GlobalArguments } from "./arguments.ts";
import type { OperationHandle } from "./handle.ts";
import type { Operation, OperationDefinition, StatedConditions } from "./operation-definition.ts";
import { declare } from "./declared.ts";
import { DeployError } from "./errors.ts";
import { kindOf } from "./kind.ts";
import { expectOneObject } from "./one-object.ts";
import { currentScope } from "./scope.ts";

export type * from "./operation-definition.ts";
export type { Command, Steps } from "./steps.ts";

/** Define an operation. Throws `DeployError` where there is no name, or no generator of commands. */
export function operation<A extends object>(definition: OperationDefinition<A> & StatedConditions<A>): Operation<A> {
  checkDefinition(definition);
  const call = (...given: readonly [args?: A & GlobalArguments]): OperationHandle => {
    expectOneObject(`The operation ${definition.name} is called`, given);
    return currentScope(`The operation ${definition.name}`).call(self, given[0] ?? ({} as A & GlobalArguments));
  };
  const self: Operation<A> = Object.defineProperties(
    call as unknown as Operation<A>,
    Object.getOwnPropertyDescriptors(definition),
  );
  return declare(self);
}

function checkDefinition(definition: unknown): void {
  const hint = 'Write operation({ name: "my.operation", async *steps(host, args) { yield sh`…`; } })';
  if (typeof definition !== "object" || definition === null)
    throw new DeployError(`operation() must be given a name and steps, found ${kindOf(definition)}`, { hint });
  const { name, steps } = definition as { readonly name?: unknown; readonly steps?: unknown };
  if (typeof name !== "string" || name === "")
    throw new DeployError(`An operation must have a name, found ${name === "" ? "an empty one" : kindOf(name)}`, {
      hint,
    });
  const kind = kindOf(steps);
  // A plain function may give the generator of another operation.
  if (kind !== "a generator function" && kind !== "a function")
    throw new DeployError(`The steps of the operation ${name} must be an async generator function, found ${kind}`, {
      hint: kind === "an async function" ? "Write a star before its name: async *steps(host, args) { … }" : hint,
    });
}
