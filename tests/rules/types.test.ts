/** What the types of the deploy language forbid. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";

const ROOT = join(import.meta.dir, "../..");
const directory = mkdtempSync(`${tmpdir()}/types-`);
afterAll(() => rmSync(directory, { recursive: true }));

const MISTAKES: readonly [name: string, code: string, error: RegExp][] = [
  [
    "a handle as a condition",
    `if (files.file({ path: "/a" })) { console.log("always"); }`,
    /This condition will always return true/,
  ],
  ["a mode that is a number", `files.file({ path: "/a", mode: 644 });`, /Type 'number' is not assignable/],
  ["a misspelt argument", `files.file({ path: "/a", mod: "644" });`, /'mod' does not exist/],
  ["a missing argument", `files.file({ mode: "644" });`, /Property 'path' is missing/],
  ["a misspelt operation", `files.fille({ path: "/a" });`, /Property 'fille' does not exist/],
  ["a misspelt global argument", `files.file({ path: "/a", _sudoo: true });`, /'_sudoo' does not exist/],
  ["a fact without its arguments", `await host.getFact(File);`, /Expected 2 arguments/],
  [
    "a fact's answer used before asking what it is",
    `const found = await host.getFact(File, { path: "/a" }); found.size.toFixed();`,
    /Property 'size' does not exist/,
  ],
];

test("mistakes are type errors, and only they", () => {
  const imports = `import { host } from "tsinfra";\nimport { files } from "tsinfra/operations";\nimport { File } from "tsinfra/facts/files";\nvoid host; void files; void File;\n`;
  const fine = join(directory, "fine.ts");
  writeFileSync(
    fine,
    `${imports}const a = files.file({ path: "/a", mode: "644", _sudo: true });\nfiles.file({ path: "/b", _if: a.didChange });\nif (await a.willChange) files.file({ path: "/c" });\n`,
  );
  const wrong = MISTAKES.map(([, code], index) => {
    const file = join(directory, `wrong-${index}.ts`);
    writeFileSync(file, `${imports}${code}\n`);
    return file;
  });
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile).config,
    ts.sys,
    ROOT,
  );
  const program = ts.createProgram([fine, ...wrong], { ...options, typeRoots: [join(ROOT, "node_modules/@types")] });
  const errors = (file: string): string[] =>
    program
      .getSemanticDiagnostics(program.getSourceFile(file))
      .map(found => ts.flattenDiagnosticMessageText(found.messageText, " "));
  expect(errors(fine)).toEqual([]);
  MISTAKES.forEach(([name, , error], index) => expect(errors(wrong[index]!).join("; "), name).toMatch(error));
}, 120_000);
