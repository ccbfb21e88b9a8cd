import { describe, expect, test } from "bun:test";
import { GlobalArgumentError } from "../../src/core/errors.ts";
import { hintFor } from "../../src/core/hints.ts";
import { splitArguments } from "../../src/engine/host/arguments.ts";

/** The message and the hint of what is thrown. */
function refusal(args: object, forFact = false): readonly [message: string, hint: string | undefined] {
  try {
    splitArguments("test.shell", args, forFact);
  } catch (error) {
    if (error instanceof GlobalArgumentError) return [error.message, error.hint ?? hintFor(error.code)];
    throw error;
  }
  return ["", undefined];
}

describe("a global argument of a wrong type says which part of it is wrong, and what to do:", () => {
  const promise = Promise.resolve("a");
  const AWAIT = "Put `await` before it";
  const WAIT_FIRST = "It takes a function: wait for the value before it, and write `() => …`";
  const handle = { didChange: () => true };
  const cases: readonly (readonly [args: object, message: string, hint?: string])[] = [
    [{ _env: { A: "a", H: promise } }, '"_env.H" as a promise: it takes a string, a number or a Secret', AWAIT],
    [{ _env: { H: undefined } }, '"_env.H" as undefined: it takes a string, a number or a Secret'],
    [{ _env: { H: true } }, '"_env.H" as true: it takes a string, a number or a Secret'],
    [{ _env: { "a-b": "x" } }, '"_env["a-b"]": names of variables are letters, digits and underscores'],
    [{ _env: promise }, '"_env" as a promise: it takes an object of variables', AWAIT],
    [{ _env: ["A=a"] }, '"_env" as ["A=a"]: it takes an object of variables'],
    [{ _if: promise }, '"_if" as a promise: it takes a function or a list of functions', WAIT_FIRST],
    [{ _if: [() => true, promise] }, '"_if[1]" as a promise: it takes a function', WAIT_FIRST],
    [{ _if: handle }, '"_if" as {}: it takes a function or a list of functions', "Pass its didChange"],
    [{ _if: true }, '"_if" as true: it takes a function or a list of functions'],
    [{ _retryUntil: promise }, '"_retryUntil" as a promise: it takes a function', WAIT_FIRST],
    [{ _sudoUser: promise }, '"_sudoUser" as a promise: it takes a string', AWAIT],
    [{ _stdin: ["a", promise] }, '"_stdin[1]" as a promise: it takes a string', AWAIT],
    [{ _sudo: "yes" }, '"_sudo" as "yes": it takes true or false'],
    [{ _timeout: "5" }, '"_timeout" as "5": it takes a number of seconds from 0 to 2147483'],
  ];
  test.each(cases.map(([args, message, hint]) => ({ args, message, hint })))("$message", ({ args, message, hint }) =>
    expect(refusal(args)).toEqual([`test.shell was given ${message}`, hint]),
  );
});

test("the variables of this process are variables", () => {
  expect(refusal({ _env: process.env })).toEqual(["", undefined]);
});

test("one that does not exist is told with the nearest that does, or with what they are", () => {
  expect(refusal({ _sudoo: true })).toEqual(['test.shell has no global argument "_sudoo"', 'The nearest is "_sudo"']);
  expect(refusal({ _whatever: true })).toEqual([
    'test.shell has no global argument "_whatever"',
    "tsinfra docs global-arguments lists them",
  ]);
});
