/** Cases of facts: what a fact asks, and what it makes of what the host prints. @module */
import type { CheckArguments } from "../../src/reference/index.ts";
import type { NamedFact } from "./host.ts";
import { encodeShell } from "./commands.ts";
import { encodeError, only, standsOn } from "./outcome.ts";
import { anything, listOf, object, text, textOr, someObject } from "./shape.ts";
import { decode, encode, type Json, type JsonObject, normal } from "./values.ts";

/** What the author of a case states. */
export interface FactInput {
  readonly note?: string;
  readonly args?: JsonObject;
  /** What the fact that tells kinds of hosts apart answers: `"FreeBSD"`. */
  readonly kind?: string;
  /** Lines of standard output. */
  readonly prints?: readonly string[];
}

/** A case: the input, and what comes of it. */
export interface FactCase extends FactInput {
  readonly command?: Json;
  readonly requires?: string;
  readonly answer?: Json;
  readonly error?: JsonObject;
}

export const INPUT_KEYS = { note: text, args: someObject, kind: text, prints: listOf(text) };
const shape = object({
  ...INPUT_KEYS,
  command: textOr({ command: { command: text, shown: text } }),
  requires: text,
  answer: anything,
  error: object({ code: text, message: text, hint: text }, ["message"]),
});

/** Throws `CaseError`. */
export function parseFactCase(json: Json): FactCase {
  shape(json, "$");
  return json as unknown as FactCase;
}

/** What a case says that comes of its input, in the one spelling. */
export const expectedOfFact = ({ command, requires, answer, error }: FactCase): JsonObject =>
  only({ command, requires, answer: answer === undefined ? undefined : normal(answer), error });

/** What comes of the input. Throws `CaseError` where the fact crashes. */
export function runFactCase(fact: NamedFact, input: FactInput, check: CheckArguments): JsonObject {
  let said: JsonObject = {};
  try {
    const args = decode(input.args ?? {}) as object;
    check(fact.name, args);
    const { base, derive } = standsOn(fact, args, input.kind);
    const requires = typeof base.requires === "function" ? base.requires(args) : base.requires;
    said = only({ command: encodeShell(base.command(args)), requires });
    const lines = input.prints ?? [];
    return { ...said, answer: encode(derive(lines.length === 0 ? base.empty : base.parse(lines, args))) };
  } catch (error) {
    return { ...said, error: encodeError(error, fact.name, one => one instanceof SyntaxError) };
  }
}
