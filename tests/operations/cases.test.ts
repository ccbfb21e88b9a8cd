import { expect, test } from "bun:test";
import type { OperationDefinition } from "../../src/core/operation.ts";
import { loadArgumentCheck } from "../../src/reference/index.ts";
import { allOperations } from "../../src/registry.ts";
import { expectedOfOperation, parseOperationCase, runOperationCase } from "../cases/operation-case.ts";
import { caseFiles, readCase, withCase } from "../cases/files.ts";
import { CaseError } from "../cases/values.ts";

const check = await loadArgumentCheck();

for (const file of caseFiles("operations")) {
  test(`${file.name}: ${file.situation}`, () =>
    withCase(file, async () => {
      const operation = allOperations.get(file.name);
      if (!operation) throw new CaseError(`there is no operation ${file.name}`);
      const wanted = parseOperationCase(readCase(file));
      expect(await runOperationCase(operation as OperationDefinition<object>, wanted, check), file.path).toEqual(
        expectedOfOperation(wanted),
      );
    }));
}
