/** Our operations and facts, loaded module by module, so that one that does not load spoils only its own cases. @module */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Fact } from "../../src/core/fact.ts";
import type { OperationDefinition } from "../../src/core/operation.ts";

type Unit = OperationDefinition<object> | Fact<object, unknown>;
const SOURCE = join(import.meta.dir, "../../src");
const loaded = new Map<string, Promise<ReadonlyMap<string, Unit>>>();

/** The operation `module.name`, or `undefined` where there is none. */
export async function findOperation(name: string): Promise<OperationDefinition<object> | undefined> {
  const unit = (await load("operations", name)).get(name);
  return unit && "steps" in unit ? unit : undefined;
}

/** The fact `module.Name`, or `undefined` where there is none. */
export async function findFact(name: string): Promise<Fact<object, unknown> | undefined> {
  const unit = (await load("facts", name)).get(name);
  return unit && !("steps" in unit) ? unit : undefined;
}

function load(kind: "operations" | "facts", name: string): Promise<ReadonlyMap<string, Unit>> {
  const module = (name.split(".")[0] ?? "").replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
  const key = `${kind}/${module}`;
  const before = loaded.get(key);
  if (before) return before;
  const path = [`${SOURCE}/${key}.ts`, `${SOURCE}/${key}/index.ts`].find(existsSync);
  const loading = path ? import(path).then(exports => unitsOf(exports)) : Promise.resolve(new Map<string, Unit>());
  loaded.set(key, loading);
  return loading;
}

function unitsOf(exports: object): ReadonlyMap<string, Unit> {
  const found = new Map<string, Unit>();
  const visit = (value: unknown): void => {
    if (isUnit(value)) found.set(value.name, value);
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(visit);
  };
  Object.values(exports).forEach(value => {
    if (isUnit(value) || Object.prototype.toString.call(value) === "[object Module]") visit(value);
  });
  return found;
}

const isUnit = (value: unknown): value is Unit =>
  ((typeof value === "object" && value !== null) || typeof value === "function") &&
  "name" in value &&
  ("steps" in value || "parse" in value || "derive" in value);
