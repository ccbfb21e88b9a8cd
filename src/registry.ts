/** Every operation and fact by name. @module */
import type { Fact } from "./core/fact.ts";
import type { Operation } from "./core/operation.ts";
import * as facts from "./facts/index.ts";
import { FACT_ALIASES } from "./facts/shared/aliases.ts";
import * as operations from "./operations/index.ts";
import { OPERATION_ALIASES } from "./operations/shared/aliases.ts";

/** Operations by name, in the order of the modules. Names used elsewhere or before are not among them. */
export const allOperations: ReadonlyMap<string, Operation<any>> = unitsOf(operations, isOperation);
/** Facts by name, in the order of the modules. */
export const allFacts: ReadonlyMap<string, Fact<any, any>> = unitsOf(facts, isFact);

/** The name to use for one that pyinfra has or that was used before; `undefined` where there is no such. */
export const newOperationName = (name: string): string | undefined => own(OPERATION_ALIASES, name);
/** The name to use for a fact's other or older name; `undefined` where there is no such. */
export const newFactName = (name: string): string | undefined => own(FACT_ALIASES, name);

const own = (names: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.hasOwn(names, name) ? names[name] : undefined;

/** The units in a tree of modules, by the name that each has. */
function unitsOf<Unit extends { readonly name: string }>(
  tree: object,
  isUnit: (value: unknown) => value is Unit,
): ReadonlyMap<string, Unit> {
  const units = Object.values(tree).flatMap((value: unknown): Unit[] =>
    isUnit(value) ? [value] : isModule(value) ? [...unitsOf(value, isUnit).values()] : [],
  );
  return new Map(units.map(unit => [unit.name, unit]));
}

/** In the executable a module within a module is a plain object. */
function isModule(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function isOperation(value: unknown): value is Operation<any> {
  return typeof value === "function" && "steps" in value;
}
function isFact(value: unknown): value is Fact<any, any> {
  return typeof value === "object" && value !== null && ("parse" in value || "derive" in value);
}
