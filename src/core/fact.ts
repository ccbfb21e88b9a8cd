/** Facts: questions about a host. @module */
import type { FactArguments } from "./arguments.ts";
import type { Shell } from "./command.ts";
import { declare } from "./declared.ts";
import { DeployError } from "./errors.ts";
import { kindOf } from "./kind.ts";
import { expectOneObject } from "./one-object.ts";

/** A fact that takes no arguments. */
export type NoArguments = Record<never, never>;

/** One question about a host: the command that asks it, and how to read the answer. */
export interface CommandFact<A extends object, T> {
  /** `module.Name`. */
  readonly name: string;
  /** Command without which the answer is `empty`: it is looked for first. */
  readonly requires?: string | ((args: A) => string | undefined);
  command(args: A): Shell;
  /**
   * Pure: lines of stdout in, value out. Never called when the command printed nothing.
   * Throws `SyntaxError` for output it cannot read; the host then fails with the line shown.
   */
  parse(lines: readonly string[], args: A): T;
  /** The answer when the command printed nothing, or `requires` is missing. */
  readonly empty: T;
  /** How to ask hosts of another kind, where one command cannot serve them all. */
  readonly variant?: FactVariant<A, T>;
  /** How to ask about many things at once, where each alone costs the host a process. */
  readonly together?: FactTogether<A>;
  /**
   * A shell test that the answer is still what these lines said, where that is cheaper to tell than by asking again,
   * or part of the answer changes by itself; `undefined`: ask again and compare.
   */
  still?(lines: readonly string[], args: A): Shell | undefined;
}

/** One command for several questions of the same fact. */
export interface FactTogether<A extends object> {
  /** Whether a question can be asked this way. */
  accepts(args: A): boolean;
  command(all: readonly A[]): Shell;
  /** The lines that `parse` takes for each, none where there is no answer; `undefined`: this host must be asked one by one. */
  split(lines: readonly string[], all: readonly A[]): readonly (readonly string[])[] | undefined;
}

/** Another way to ask the same question, chosen by what kind of host it is. */
export interface FactVariant<A extends object, T> {
  /** Says what kind of host it is. */
  readonly by: Fact<NoArguments, string>;
  /** With which arguments it matters; default: always. */
  when?(args: A): boolean;
  /** The fact to ask in place of this one; `undefined`: this one is right. */
  choose(kind: string, args: A): CommandFact<A, T> | undefined;
}

/** A fact computed from the answer to another one. */
export interface DerivedFact<A extends object, T> {
  readonly name: string;
  readonly from: Fact<A, never>;
  derive(answer: never, args: A): T;
}

/** Any fact: one with a command, or a view of another one. */
export type Fact<A extends object, T> = CommandFact<A, T> | DerivedFact<A, T>;

/** What `host.getFact(fact, …)` takes after the fact: nothing is required if all its arguments are optional. */
export type FactCallArguments<A extends object> =
  Record<never, never> extends A ? [args?: A & FactArguments] : [args: A & FactArguments];

/** Define a fact: `fact<Arguments, Answer>(…)`, `NoArguments` where it takes none. Throws `DeployError` for what cannot be one. */
export function fact<A extends object, T>(definition: CommandFact<A, T>): CommandFact<A, T> {
  checkFact(definition);
  return declare(definition);
}

/** Throws `DeployError` for a question that cannot be one: what is asked for is no fact, or it is given more than one object. */
export function checkQuestion(asked: unknown, given: readonly unknown[]): void {
  checkFact(asked);
  expectOneObject(`The fact ${(asked as { readonly name: string }).name} is asked`, given);
}

/** Throws `DeployError` for what cannot be a fact. */
function checkFact(asked: unknown): void {
  const hint = 'Write fact({ name: "my.Fact", command: () => sh`…`, parse: lines => …, empty: … })';
  if (typeof asked !== "object" || asked === null)
    throw new DeployError(`A fact must have a name, a command and a parse, found ${kindOf(asked)}`, { hint });
  const { name, ...members } = asked as Readonly<Record<string, unknown>>;
  if (typeof name !== "string" || name === "")
    throw new DeployError(`A fact must have a name, found ${name === "" ? "an empty one" : kindOf(name)}`, { hint });
  if ("from" in members) {
    checkFact(members["from"]);
    return expectFunction(name, "derive", members["derive"], "derive: answer => …");
  }
  expectFunction(name, "command", members["command"], "command: () => sh`…`");
  expectFunction(name, "parse", members["parse"], "parse: lines => …");
  if (!("empty" in members))
    throw new DeployError(`The fact ${name} has no "empty", its answer when the command prints nothing`, { hint });
}

function expectFunction(fact: string, member: string, found: unknown, hint: string): void {
  const kind = kindOf(found);
  if (kind !== "a function")
    throw new DeployError(`The ${member} of the fact ${fact} must be a function, found ${kind}`, {
      hint: kind === "an async function" ? `It is asked at once, and cannot be async: ${hint}` : `Write ${hint}`,
    });
}

/** Define a fact as a view of another one's answer, of type `B`: no command of its own. */
export const derivedFact = <A extends object, T, B>(definition: {
  readonly name: string;
  readonly from: Fact<A, B>;
  derive(answer: B, args: A): T;
}): DerivedFact<A, T> => {
  checkFact(definition);
  return declare(definition as unknown as DerivedFact<A, T>);
};
