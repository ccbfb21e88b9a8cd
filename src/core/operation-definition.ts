/** What operations are. Types alone. @module */
import type { Condition, GlobalArguments } from "./arguments.ts";
import type { OperationHandle } from "./handle.ts";
import type { OperationHost } from "./host.ts";
import type { Steps } from "./steps.ts";

/** Arguments as `steps` gets them: with an answer in place of every condition. */
export type Decided<A> = { [K in keyof A]: boolean | Condition extends A[K] ? Exclude<A[K], Condition> : A[K] };

/** Names of the arguments whose type is `boolean | Condition`. */
export type ConditionName<A> = keyof {
  [K in keyof A as unknown extends A[K] ? never : boolean | Condition extends A[K] ? K : never]: true;
} &
  string;

/** What an operation is. Making one does nothing. */
export interface OperationDefinition<A extends object> {
  /** `module.name`. */
  readonly name: string;
  /** Arguments that the command line accepts by position. */
  readonly positional?: readonly (keyof A & string)[];
  /** `true` (default) when a second run changes nothing; else why it always changes something. */
  readonly idempotent?: true | string;
  /** After a change, commands run as after a fresh login: what it gives (groups, limits) may be another. */
  readonly freshLogin?: true;
  /**
   * Its commands depend on nothing but its arguments, the facts it asks and the local files it reads, so that they may be
   * sent to the host while the operation before it still runs there; the host runs them if those facts still hold.
   * What it changes there: at most what its arguments name, or anything. Default: it waits.
   */
  readonly changes?: "what it names" | "anything";
  /**
   * Names of the arguments whose type is `boolean | Condition`. A condition is asked when the operation's turn comes, before `steps`;
   * for the forecast it may be either.
   */
  readonly conditions?: Readonly<Record<string, true>>;
  /** What to use in place of this operation. */
  readonly deprecated?: string;
  /** Compare the host with the arguments and yield the commands that are missing. Awaits nothing but `host`. */
  steps(host: OperationHost, args: Decided<A>): Steps;
}

/** What a call takes: nothing is required if all arguments are optional. */
export type OperationCallArguments<A extends object> =
  Record<never, never> extends A ? [args?: A & GlobalArguments] : [args: A & GlobalArguments];

/**
 * Calling it in a deploy file declares the operation for the current host, with its arguments as they are then: lists, plain objects,
 * bytes, maps, sets and dates are copied, anything else is what was given. Inside another operation use `yield* it.steps(host, args)`.
 */
export interface Operation<A extends object> extends OperationDefinition<A> {
  (...args: OperationCallArguments<A>): OperationHandle;
}

/** What a definition must say of its conditions: all their names, or nothing where there are none. */
export type StatedConditions<A> = [ConditionName<A>] extends [never]
  ? unknown
  : { readonly conditions: Readonly<Record<ConditionName<A>, true>> };
