import { expect, test } from "bun:test";
import { loadArgumentCheck } from "../../src/reference/index.ts";
import { allFacts } from "../../src/registry.ts";
import { expectedOfFact, parseFactCase, runFactCase } from "../cases/fact-case.ts";
import { caseFiles, readCase, withCase } from "../cases/files.ts";
import { CaseError } from "../cases/values.ts";

const check = await loadArgumentCheck();

for (const file of caseFiles("facts")) {
  test(`${file.name}: ${file.situation}`, () =>
    withCase(file, async () => {
      const fact = allFacts.get(file.name);
      if (!fact) throw new CaseError(`there is no fact ${file.name}`);
      const wanted = parseFactCase(readCase(file));
      expect(runFactCase(fact, wanted, check), file.path).toEqual(expectedOfFact(wanted));
    }));
}
