/** Operations under the names they had before. @module */
import { type Operation, operation } from "../../core/operation.ts";

/** The same operation under an older name, which says what to use. */
export const renamed = <A extends object>(name: string, use: Operation<A>): Operation<A> => {
  const { positional, idempotent } = use;
  return operation<A>({
    name,
    ...(positional ? { positional } : {}),
    ...(idempotent === undefined ? {} : { idempotent }),
    deprecated: use.name,
    steps: (host, args) => use.steps(host, args),
  });
};
