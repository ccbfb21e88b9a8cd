import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { dependencies } from "../../package.json";
import { loadLicences } from "../../src/reference/index.ts";
import { executable } from "../support/executable.ts";
import { spawn } from "../support/test-host.ts";

const ROOT = join(import.meta.dir, "../..");

test("every package that the executable is made from is there with its licence, and Bun with what is linked into it", async () => {
  const text = await loadLicences();
  const titles = [...text.matchAll(/^={80}\n(.+)\n={80}\n\n(?=\S)/gm)].map(([, title = ""]) => title);
  for (const name of [...Object.keys(dependencies), "bcrypt-pbkdf", "asap", "bun-types", "bun"])
    expect(titles.filter(title => title.startsWith(`${name} `))).toHaveLength(1);
  expect(text).toStartWith(`${"=".repeat(80)}\ntsinfra\n`);
  expect(text).toContain(readFileSync(join(ROOT, "node_modules/ssh2/LICENSE"), "utf8").trim());
  for (const linked of ["JavaScriptCore", "mimalloc", "GNU LESSER GENERAL PUBLIC LICENSE"])
    expect(text).toContain(linked);
});

test("the executable shows them, and the build leaves them beside it, byte by byte", async () => {
  const tsinfra = await executable();
  const shown = await spawn([tsinfra, "docs", "licenses"], undefined, { PATH: "/nonexistent" });
  expect([shown.exitCode, shown.stderr]).toEqual([0, ""]);
  expect(shown.stdout.trimEnd()).toBe((await loadLicences()).trimEnd());
  expect(readFileSync(join(ROOT, "dist/THIRD-PARTY-LICENSES"), "utf8")).toBe(await loadLicences());
}, 300_000);
