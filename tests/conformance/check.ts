/** One case run against one operation or fact of ours. @module */
import { TsinfraError } from "../../src/core/errors.ts";
import type { CommandFact, Fact } from "../../src/core/fact.ts";
import type { OperationDefinition } from "../../src/core/operation.ts";
import type { FactCase, OperationCase, Own } from "./cases.ts";
import { commandsDiffer, encodeCommand, sameShell, valuesDiffer } from "./compare.ts";
import { caseHost } from "./host.ts";
import { callArguments, encodePath, errorNames, plainMessage, registryName } from "./translate.ts";

/** Why the operation does not do what the case wants, or `undefined`. */
export async function checkOperation(
  testCase: OperationCase,
  operation: OperationDefinition<object>,
  own?: Own,
): Promise<string | undefined> {
  const host = caseHost(testCase);
  const wanted = { ...testCase, ...own };
  const args = callArguments(registryName(testCase.module, testCase.name), testCase.x_bound, {
    truthyStrings: testCase.x_tags.includes("py:bool-as-string"),
  });
  const commands: unknown[] = [];
  try {
    for await (const command of operation.steps(host, args)) commands.push(...encodeCommand(command));
  } catch (error) {
    if (wanted.exception && !own?.commands) return errorDiffers(wanted.exception, error);
    return `  - ${JSON.stringify(wanted.commands)}\n  + threw ${describeError(error)}`;
  }
  if (wanted.exception && !own?.commands)
    return `  - throws ${JSON.stringify(wanted.exception)}\n  + ${JSON.stringify(commands)}`;
  const difference = commandsDiffer(wanted.commands ?? [], commands);
  if (difference !== undefined) return difference;
  if (commands.length > 0 && !wanted.noop_description) return undefined;
  const noop = host.noops.at(-1);
  if (wanted.noop_description)
    return noop === wanted.noop_description
      ? undefined
      : `  - noop: ${wanted.noop_description}\n  + noop: ${noop ?? "(none)"}`;
  return noop === undefined ? "  - noop: any\n  + noop: (none)" : undefined;
}

function errorDiffers(wanted: NonNullable<OperationCase["exception"]>, error: unknown): string | undefined {
  const names = errorNames(wanted.names ?? [wanted.name ?? ""]);
  const sameMessage = error instanceof Error && plainMessage(error.message) === plainMessage(wanted.message);
  if (error instanceof TsinfraError && names.includes(error.name) && sameMessage) return undefined;
  return `  - throws ${names.join(" or ")}: ${wanted.message}\n  + threw ${describeError(error)}`;
}

const describeError = (error: unknown): string =>
  error instanceof TsinfraError
    ? `${error.name}: ${error.message}`
    : error instanceof Error
      ? (error.stack ?? error.message)
      : String(error);

/** Why the fact does not ask or answer what the case wants, or `undefined`. */
export function checkFact(testCase: FactCase, fact: Fact<object, unknown>, own?: Own): string | undefined {
  const wanted = { ...testCase, ...own };
  const args = callArguments(fact.name, testCase.x_bound, {
    truthyStrings: testCase.x_tags.includes("py:bool-as-string"),
  });
  const { base, derive } = derivation(fact, args);
  try {
    return (
      commandDiffers(wanted.command, base, args) ??
      requiresDiffers(testCase, base, args) ??
      answerDiffers(wanted, fact, base, args, derive)
    );
  } catch (error) {
    return `  + threw ${describeError(error)}`;
  }
}

/** The fact with a command that a derived one stands on, and how to get from its answer to the wanted one. */
function derivation(
  fact: Fact<object, unknown>,
  args: object,
): { base: CommandFact<object, unknown>; derive(answer: unknown): unknown } {
  if ("command" in fact) return { base: fact, derive: answer => answer };
  const inner = derivation(fact.from, args);
  return { base: inner.base, derive: answer => fact.derive(inner.derive(answer) as never, args) };
}

function commandDiffers(
  expected: FactCase["command"],
  base: CommandFact<object, unknown>,
  args: object,
): string | undefined {
  const command = base.command(args);
  const { raw, masked } = typeof expected === "string" ? { raw: expected, masked: undefined } : expected;
  if (!sameShell(raw, command.wire())) return `  - ${raw}\n  + ${command.wire()}`;
  if (masked !== undefined && !sameShell(masked, command.toString())) return `  - ${masked}\n  + ${command.toString()}`;
  return undefined;
}

function requiresDiffers(testCase: FactCase, base: CommandFact<object, unknown>, args: object): string | undefined {
  const theirs = testCase.requires_command;
  if (theirs === undefined || !testCase.x_observed.requires_command) return undefined;
  const ours = typeof base.requires === "function" ? base.requires(args) : base.requires;
  return ours === theirs ? undefined : `  - requires ${theirs}\n  + requires ${ours ?? "nothing"}`;
}

function answerDiffers(
  wanted: FactCase,
  fact: Fact<object, unknown>,
  base: CommandFact<object, unknown>,
  args: object,
  derive: (answer: unknown) => unknown,
): string | undefined {
  const lines =
    typeof wanted.output === "string" ? wanted.output.replace(/\r?\n$/, "").split(/\r?\n/) : (wanted.output ?? []);
  const printed = lines.some(line => line !== "");
  const sets = (wanted.x_observed.py_types?.set ?? []).length > 0;
  const compare = (answer: unknown) => {
    const value = derive(answer);
    if (wanted.fact === null && Bun.deepEquals(value, derive(base.empty))) return undefined;
    const encoded = encodePath(fact.name, value);
    return valuesDiffer(sets ? sortedLists(wanted.fact) : wanted.fact, sets ? sortedLists(encoded) : encoded);
  };
  if (!printed && compare(base.empty) === undefined) return undefined;
  // A host would answer `empty` here; some cases hand the parser nothing all the same.
  return compare(printed || wanted.output !== null ? base.parse(lines, args) : base.empty);
}

/** Lists of words sorted at every depth: where pyinfra has sets, order says nothing. */
function sortedLists(value: unknown): unknown {
  if (Array.isArray(value))
    return value.every(item => typeof item === "string") ? value.toSorted() : value.map(sortedLists);
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sortedLists(item)]));
  }
  return value;
}
