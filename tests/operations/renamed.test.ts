import { expect, test } from "bun:test";
import { allFacts, allOperations, newFactName, newOperationName } from "../../src/registry.ts";
import { FACT_ALIASES } from "../../src/facts/shared/aliases.ts";
import { OPERATION_ALIASES } from "../../src/operations/shared/aliases.ts";

test("every older name stands for an operation or fact that exists", () => {
  expect(Object.values(OPERATION_ALIASES).filter(name => !allOperations.has(name))).toEqual([]);
  expect(Object.values(FACT_ALIASES).filter(name => !allFacts.has(name))).toEqual([]);
  expect([newOperationName("python.call"), newFactName("zfs.Pools"), newOperationName("toString")]).toEqual([
    "ts.call",
    "zfs.ZfsPools",
    undefined,
  ]);
});

test("an operation under an older name is the same, and says what to use", () => {
  for (const [old, use] of Object.entries(OPERATION_ALIASES))
    expect(allOperations.get(old)).toMatchObject({
      name: old,
      deprecated: use,
      positional: allOperations.get(use)?.positional ?? [],
    });
});

test("the registry calls every operation and fact by module and name", () => {
  expect([...allOperations.keys()].filter(name => !/^[a-z][A-Za-z0-9]*(\.[a-z][A-Za-z0-9]*)+$/.test(name))).toEqual([]);
  expect([...allFacts.keys()].filter(name => !/^[a-z][A-Za-z0-9]*\.[A-Z][A-Za-z0-9]*$/.test(name))).toEqual([]);
});
