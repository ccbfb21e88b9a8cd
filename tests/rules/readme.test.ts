import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createConnectors } from "../../src/connectors/index.ts";
import { connectorTable } from "../../src/connectors/table.ts";
import { loadReference } from "../../src/reference/index.ts";
import { updateReadme } from "../../src/reference/readme.ts";

test("the README's tables say what there is: `bun build.ts readme` writes them", async () => {
  const readme = readFileSync(join(import.meta.dir, "../../README.md"), "utf8");
  expect(updateReadme(readme, await loadReference(), { connectors: connectorTable(createConnectors().values()) })).toBe(readme);
}, 120_000);
