import { expect, test } from "bun:test";
import { loadSignatures } from "../../src/reference/index.ts";
import { allFacts, allOperations } from "../../src/registry.ts";
import { type FactCase, parseFactCase } from "../cases/fact-case.ts";
import { caseFiles, readCase, withCase } from "../cases/files.ts";
import { type OperationCase, parseOperationCase } from "../cases/operation-case.ts";
import type { Json } from "../cases/values.ts";

const { operations: signatures } = await loadSignatures();
const operationCases = await casesByName("operations", parseOperationCase);
const factCases = await casesByName("facts", parseFactCase);

const changes = ({ commands = [], error }: OperationCase): boolean => !error && commands.length > 0;

test("every operation has a case that changes something", () => {
  // What is made to fail fails in every case.
  const throws = (name: string): boolean => allOperations.get(name)?.idempotent === "it always throws";
  const acts = ({ commands = [] }: OperationCase): boolean => commands.length > 0;
  expect(operationsWithout(({ name, cases }) => cases.some(throws(name) ? acts : changes))).toEqual([]);
});

test("every operation that can be repeated has a case in which nothing is to be done", () => {
  const says = ({ commands = [], noop, error }: OperationCase): boolean =>
    !error && commands.length === 0 && noop !== undefined;
  expect(operationsWithout(({ name, cases }) => isRepeatedAlways(name) || cases.some(says))).toEqual([]);
});

test("every operation that takes something away has a case in which it does", () => {
  expect(
    operationsWithout(({ name, cases }) => {
      const [argument, value] = removalOf(name) ?? [];
      return argument === undefined || cases.some(one => changes(one) && one.args?.[argument] === value);
    }),
  ).toEqual([]);
});

test("every argument of every operation is used in a case", () => {
  const unused = [...allOperations.keys()].flatMap(name => {
    const used = new Set((operationCases.get(name) ?? []).flatMap(({ args = {} }) => Object.keys(args)));
    const missing = Object.keys(argumentsOf(name)).filter(argument => !used.has(argument));
    return missing.length > 0 ? [`${name}: ${missing.join(", ")}`] : [];
  });
  expect(unused).toEqual([]);
});

test("every fact has a case with output, one with none, and one that cannot be read", () => {
  const missing = [...allFacts.keys()].flatMap(name => {
    const cases = factCases.get(name) ?? [];
    const lacks = [
      ["with output", cases.some(one => !one.isUnreadable && (one.prints ?? []).length > 0 && says(one, cases))],
      ["empty", cases.some(one => one.prints?.length === 0)],
      ["unreadable", cases.some(one => one.isUnreadable && (one.prints ?? []).length > 0)],
    ].flatMap(([kind, isThere]) => (isThere ? [] : [kind]));
    return lacks.length > 0 ? [`${name}: ${lacks.join(", ")}`] : [];
  });
  expect(missing).toEqual([]);
});

test("every case is one of an operation or fact that exists", () => {
  const unknown = (cases: ReadonlyMap<string, unknown>, units: ReadonlyMap<string, unknown>) =>
    [...cases.keys()].filter(name => !units.has(name));
  expect([...unknown(operationCases, allOperations), ...unknown(factCases, allFacts)]).toEqual([]);
});

/** It answers something, and not the same as where nothing is printed. */
const says = ({ answer }: FactCase, cases: readonly FactCase[]): boolean =>
  answer !== undefined && !cases.some(one => one.prints?.length === 0 && Bun.deepEquals(one.answer, answer));

const argumentsOf = (name: string): object => signatures[name]?.fields ?? {};
/** What asks for a removal. */
function removalOf(name: string): readonly [argument: string, value: Json] | undefined {
  const fields = signatures[name]?.fields ?? {};
  if ("present" in fields) return ["present", false];
  const command = fields["command"];
  return typeof command === "object" && "is" in command && command.is.includes("del") ? ["command", "del"] : undefined;
}

/** It says itself that a second run changes something again. */
const isRepeatedAlways = (name: string): boolean => typeof allOperations.get(name)?.idempotent === "string";

function operationsWithout(
  has: (unit: { readonly name: string; readonly cases: readonly OperationCase[] }) => boolean,
): readonly string[] {
  return [...allOperations.keys()].filter(name => !has({ name, cases: operationCases.get(name) ?? [] }));
}

/** Cases by what they are of. */
async function casesByName<T extends OperationCase | FactCase>(
  kind: "operations" | "facts",
  parse: (json: Json) => T,
): Promise<ReadonlyMap<string, readonly (T & { readonly isUnreadable: boolean })[]>> {
  const found = new Map<string, (T & { readonly isUnreadable: boolean })[]>();
  for (const file of caseFiles(kind)) {
    const one = await withCase(file, () => parse(readCase(file)));
    const isUnreadable = file.situation.split("-")[0] === "unreadable";
    found.set(file.name, [...(found.get(file.name) ?? []), { ...one, isUnreadable }]);
  }
  return found;
}
