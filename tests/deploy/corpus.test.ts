import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import ts from "typescript";
import { callSites, installDeployModules, loadDeploy } from "../../src/deploy/index.ts";
import { transpileOne } from "../../src/deploy/user-modules.ts";
import { wrapDeploy } from "../../src/deploy/wrap.ts";
import { fakeRun } from "../support/fake-run.ts";
import { PIECES, REJECTED, WITH_DEFAULT } from "./module-corpus.ts";

/** Files that were put together at random; the seed makes them the same each time. */
const MIXED = 150;
const SEED = 20_260_101;

/** What the pieces call: its number, and where the call stands. */
interface Probe {
  readonly id: number;
  readonly place: string;
}
let probes: Probe[] = [];
const globals = globalThis as { probe?: (id: number) => unknown };

let dir: string;
beforeAll(async () => {
  dir = realpathSync(mkdtempSync(`${tmpdir()}/corpus-`));
  for (const [name, text] of Object.entries(AROUND)) writeFileSync(`${dir}/${name}`, text);
  await installDeployModules();
  globals.probe = id => {
    const site = callSites().find(({ file }) => file.startsWith(dir));
    probes.push({ id, place: `${site?.line}:${site?.column}` });
    return true;
  };
});
afterAll(() => {
  delete globals.probe;
  rmSync(dir, { recursive: true });
});

const AROUND: Readonly<Record<string, string>> = {
  "dep.ts": `export const a = 1, b = 2;\nexport default () => {};\nexport type T = string;\nconst odd = 3;\nexport { odd as "odd name" };\n`,
  "main.ts": `export const main = () => {\n  probe(1);\n};\nexport default main;\n`,
  "effect.ts": `globalThis.name;\n`,
  "data.json": `{ "a": 1 }`,
  "data.txt": `text`,
  "globals.d.ts": `declare function probe(...x: any[]): any;\ndeclare function require(x: string): any;\ndeclare module "*.txt" { const x: string; export default x; }\n`,
  "tsconfig.json": JSON.stringify({
    compilerOptions: { module: "preserve", target: "esnext", moduleDetection: "force", strict: false, noEmit: true },
    include: ["*.ts"],
  }),
};

const own = (piece: string, id: number): string => piece.replaceAll(/\$(?!\{)/g, String(id));

/** Pieces in a random order, with what may stand between statements. */
function mixed(random: () => number): string {
  const any = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const rest = [...PIECES];
  const chosen = Array.from({ length: 2 + Math.floor(random() * 8) }, () =>
    rest.splice(Math.floor(random() * rest.length), 1).join(),
  );
  const start = any(["", "", "#!/usr/bin/env tsinfra\n", "// a comment\n\n", "\n", "\u{FEFF}", "/* two\nlines */ "]);
  const text = chosen
    .map(
      (piece, index) => own(piece, index + 1) + any(["\n", "\n\n", "\n// export default 1\n", "\n/* ` */\n", "\n   "]),
    )
    .join("");
  return start + (any([false, false, true]) ? text.replaceAll("\n", "\r\n") : text);
}

/** Numbers from 0 to 1, the same for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The compiler's view of a module: what it imports and exports when it runs, and where it calls `probe`. */
function compiled(text: string) {
  const source = ts.createSourceFile("x.ts", text, ts.ScriptTarget.ESNext, true);
  const probePlaces: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText() === "probe") {
      const { line, character } = source.getLineAndCharacterOfPosition(node.getStart());
      // The byte order mark is no column.
      probePlaces.push(`${line + 1}:${character + 1 - (line === 0 && text.startsWith("\u{FEFF}") ? 1 : 0)}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { module: ts.ModuleKind.Preserve, target: ts.ScriptTarget.ESNext },
    fileName: "x.ts",
  });
  return { ...moduleParts(outputText), probePlaces };
}

/** Imports and exports of JavaScript, as the compiler reads it. */
function moduleParts(code: string): { readonly imports: string[]; readonly exports: string[] } {
  const imports: string[] = [];
  const exports: string[] = [];
  for (const statement of ts.createSourceFile("x.js", code, ts.ScriptTarget.ESNext).statements) {
    const isExported =
      ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    const isDefault =
      ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword);
    if (ts.isImportDeclaration(statement)) imports.push((statement.moduleSpecifier as ts.StringLiteral).text);
    if (ts.isExportDeclaration(statement)) {
      if (statement.moduleSpecifier) imports.push((statement.moduleSpecifier as ts.StringLiteral).text);
      if (statement.exportClause && ts.isNamedExports(statement.exportClause))
        exports.push(...statement.exportClause.elements.map(({ name }) => name.text));
      else if (statement.exportClause) exports.push(statement.exportClause.name.text);
      else exports.push("*");
    }
    if (ts.isExportAssignment(statement) || isDefault) exports.push("default");
    else if (isExported && ts.isVariableStatement(statement))
      exports.push(...statement.declarationList.declarations.flatMap(({ name }) => boundNames(name)));
    else if (isExported && "name" in statement) exports.push((statement.name as ts.Identifier).text);
  }
  const sorted = (names: readonly string[]): string[] =>
    [...new Set(names.map(name => name.replace(/^node:/, "")))].sort();
  return { imports: sorted(imports), exports: sorted(exports) };
}

const boundNames = (name: ts.BindingName): string[] =>
  ts.isIdentifier(name)
    ? [name.text]
    : name.elements.flatMap(element => (ts.isBindingElement(element) ? boundNames(element.name) : []));

/** Evaluate a file on two hosts. */
async function run(file: string): Promise<void> {
  const fake = fakeRun(["a", "b"], {}, { cwd: dir });
  await fake.run.connect();
  await fake.run.prepare([await loadDeploy(file, { cwd: dir })]);
}

const random = randomNumbers(SEED);
const scripts = [...PIECES.map(piece => own(piece, 1)), ...Array.from({ length: MIXED }, () => mixed(random))];
const modules = [...scripts, ...WITH_DEFAULT];
const nameOf = (index: number): string => `m${index}.ts`;

describe("what the compiler accepts is loaded and run", () => {
  for (const [index, text] of modules.entries()) {
    const name = nameOf(index);
    test(`${name}: ${text.slice(0, 70).replaceAll(/\s+/g, " ")}`, async () => {
      const file = `${dir}/${name}`;
      writeFileSync(file, text);
      const wanted = compiled(text);

      const module = await transpileOne(file, text);
      const isCommonJs = /__commonJS\(/.test(module.code);
      if (!isCommonJs) expect(moduleParts(module.code)).toEqual({ imports: wanted.imports, exports: wanted.exports });
      const wrapped = wrapDeploy(module);
      expect(wrapped.hasDefault).toBe(wanted.exports.includes("default") || isCommonJs);
      const { imports, exports } = moduleParts(wrapped.code);
      if (!isCommonJs) expect(imports).toEqual(wanted.imports);
      if (!wrapped.hasDefault) expect(exports.filter(entry => entry !== "*")).toEqual(["default"]);

      probes = [];
      await run(file);
      const ids = (text.match(/probe\(\d+/g) ?? ["probe(1"]).map(call => Number(call.slice(6)));
      expect(probes.map(({ id }) => id).sort()).toEqual([...new Set(ids)].flatMap(id => [id, id]).sort());
      if (!text.includes("./main"))
        expect([...new Set(probes.map(({ place }) => place))].sort()).toEqual(wanted.probePlaces.sort());
    });
  }

  test("the compiler that check runs accepts the same", async () => {
    const found = await checked([]);
    expect(found.filter(({ code }) => /^1\d{3}$/.test(code))).toEqual([]);
  });
});

/** What `bun check` finds. */
async function checked(files: readonly string[]): Promise<readonly { readonly line: number; readonly code: string }[]> {
  const check = Bun.spawn([process.execPath, "check", "--no-script", ...files], {
    cwd: dir,
    stdout: "pipe",
    stderr: "pipe",
  });
  const output = (await Promise.all([new Response(check.stdout).text(), new Response(check.stderr).text()])).join("");
  expect(output).toMatch(/error TS|No type errors/);
  return [...output.matchAll(/^\w+\.ts\((\d+),\d+\): error TS(\d+):/gm)].map(([, line, code = ""]) => ({
    line: Number(line),
    code,
  }));
}

describe("what the compiler does not accept is told at its line", () => {
  for (const [index, [text, line]] of REJECTED.entries()) {
    test(`${JSON.stringify(text)}`, async () => {
      const file = `${dir}/rejected${index}.ts`;
      writeFileSync(file, text);
      expect((await checked([file])).map(found => found.line)).toContain(line);
      const error = await loadDeploy(file, { cwd: dir }).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(error).toMatchObject({ code: "E_DEPLOY_LOAD", at: { file, line } });
    });
  }
});
