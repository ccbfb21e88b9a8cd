import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createConnectors } from "../../src/connectors/index.ts";
import { createConfigFiles, hostSettings, type Sources } from "../../src/connectors/ssh/config/index.ts";
import { connectorTable } from "../../src/connectors/table.ts";
import { loadReference } from "../../src/reference/index.ts";
import { updateReadme } from "../../src/reference/readme.ts";
import { HONOURED, keywordTable, WARNED, WARNED_AT_LOGIN, WITHOUT_EFFECT } from "../../src/reference/ssh-keywords.ts";
import { sources } from "./sources.ts";

test("the README's tables say what there is: `bun build.ts readme` writes them", async () => {
  const readme = readFileSync(join(import.meta.dir, "../../README.md"), "utf8");
  expect(
    updateReadme(readme, await loadReference(), {
      connectors: connectorTable(createConnectors().values()),
      "ssh-config": keywordTable(),
    }),
  ).toBe(readme);
}, 120_000);

describe("the README's table of ssh_config", () => {
  const lower = (words: readonly string[]): string[] => words.map(word => word.toLowerCase()).sort();
  const warned = [...WARNED, ...WARNED_AT_LOGIN];
  const all = lower([...Object.values(HONOURED).flat(), ...warned, ...Object.values(WITHOUT_EFFECT).flat()]);

  test("has those keywords as honoured that the code asks for", () => {
    // Values that add up are kept whether or not somebody asks for them.
    const text = sources("src/connectors/ssh/config")
      .map(({ tree }) => tree.text.replace(/^const ADDING = [^;]*;$/m, ""))
      .join("\n");
    const asked = new Set(text.match(/(?<=["\s])[a-z0-9]+(?=["\s:])/g));
    expect(all.filter(word => asked.has(word))).toEqual(
      lower([...Object.values(HONOURED).flat(), ...warned, ...UNUSED]),
    );
  });

  test("has those as warned of that the code warns of", async () => {
    const directory = mkdtempSync(join(tmpdir(), "tsinfra-keywords-"));
    const file = join(directory, "config");
    const found: string[] = [];
    try {
      for (const word of all) {
        writeFileSync(file, `${word} yes\n`);
        const sources: Sources = {
          files: createConfigFiles(),
          surroundings: { home: directory, user: "ada", uid: 1000, env: {} },
          only: file,
          systemFile: file,
          resolve: async () => undefined,
          succeeds: async () => false,
        };
        // What cannot be "yes" is an error, and so is understood.
        const settings = await hostSettings({ host: "web" }, sources).catch(() => undefined);
        for (const setting of [
          ...(settings?.unsupported ?? []),
          ...(settings?.unsupportedLogins ?? []).map(login => login.setting),
        ])
          found.push(setting.split(" ")[0] ?? "");
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
    expect(found.sort()).toEqual(lower(warned));
  });
});

/** Read with the others, but nothing looks at them yet. */
const UNUSED = ["PubkeyAcceptedAlgorithms", "CASignatureAlgorithms"];
