/** Operations: what brings one thing on a host into a wanted state. @module */
import type { GlobalArguments } from "./arguments.ts";
import type { OperationHandle } from "./handle.ts";
import type { Operation, OperationDefinition, StatedConditions } from "./operation-definition.ts";
import { currentScope } from "./scope.ts";

export type * from "./operation-definition.ts";
export type { Command, Steps } from "./steps.ts";

/** Define an operation. */
export function operation<A extends object>(definition: OperationDefinition<A> & StatedConditions<A>): Operation<A> {
  const declare = (args?: A & GlobalArguments): OperationHandle =>
    currentScope(`The operation ${definition.name}`).call(self, args ?? ({} as A & GlobalArguments));
  const self: Operation<A> = Object.defineProperties(
    declare as unknown as Operation<A>,
    Object.getOwnPropertyDescriptors(definition),
  );
  return self;
}
