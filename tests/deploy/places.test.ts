import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import fc from "fast-check";
import type { TsinfraError } from "../../src/core/errors.ts";
import { explained } from "../../src/cli/explain.ts";
import { installDeployModules, loadDeploy } from "../../src/deploy/index.ts";
import { fakeRun } from "../support/fake-run.ts";
import { own, program, TAKEN_APART, THROWS, written } from "./thrown-programs.ts";

let dir: string;
let programs = 0;
beforeAll(async () => {
  dir = realpathSync(mkdtempSync(`${tmpdir()}/places-`));
  await installDeployModules();
});
afterAll(() => rmSync(dir, { recursive: true }));

/** What a deploy file throws, as the command line tells it. */
async function told(file: string): Promise<TsinfraError> {
  const fake = fakeRun(
    ["a"],
    {},
    { cwd: dir, loadDeploy: (name, includedFrom) => loadDeploy(name, { cwd: dir, includedFrom }) },
  );
  await fake.run.connect();
  try {
    await fake.run.prepare([await loadDeploy(file, { cwd: dir })]);
  } catch (error) {
    return (await explained(error)) as TsinfraError;
  }
  throw new Error("Nothing was thrown");
}

describe("an error is told at the line and the column that threw", () => {
  for (const [index, thrower] of [...THROWS, ...TAKEN_APART].entries())
    test(`${index}: ${thrower.slice(0, 60).replaceAll(/\s+/g, " ")}`, async () => {
      const { file, at } = written({ "deploy.ts": own(thrower, 1000 + index) }, `${dir}/${programs++}`);
      expect((await told(file)).at).toEqual(at);
    });

  test("in random programs, with what called it", async () => {
    await fc.assert(
      fc.asyncProperty(program, async files => {
        const { file, at, caller } = written(files, `${dir}/${programs++}`);
        const error = await told(file);
        expect({ text: error.message, at: error.at }).toEqual({ text: error.message, at });
        if (caller) expect(error.callers).toContainEqual(caller);
      }),
      { numRuns: 300, seed: 7 },
    );
  }, 120_000);
});
