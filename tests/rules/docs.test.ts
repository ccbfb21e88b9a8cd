import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { leafFile, leafModules, ROOT, sources } from "./sources.ts";

const LEAVES = (["operations", "facts"] as const).flatMap(layer =>
  leafModules(layer).map(module => ({ layer, module, file: join(ROOT, leafFile(layer, module)) })),
);
const PUBLIC = [...sources("src/core"), ...sources("src/public")].map(({ path }) => join(ROOT, path));

const program = ts.createProgram([...LEAVES.map(({ file }) => file), ...PUBLIC], {
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.Preserve,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ["lib.esnext.d.ts"],
  types: [],
  strict: true,
  allowImportingTsExtensions: true,
  noEmit: true,
});
const checker = program.getTypeChecker();

const scratch: string[] = [];
afterAll(() => scratch.forEach(directory => rmSync(directory, { recursive: true })));

/** A public thing without its documentation, and what is wrong with it. */
const undocumented: string[] = [];
const undocumentedArguments: string[] = [];
const withoutExample: string[] = [];
const examples: { readonly name: string; readonly code: string }[] = [];

for (const { layer, module, file } of LEAVES) {
  for (const { name, symbol } of named(module, exportsOf(file))) {
    check(undocumented, `${layer}: ${name}`, symbol);
    const type = typeOf(symbol);
    const steps = type?.getProperty("steps");
    const command = type?.getProperty("command") ?? type?.getProperty("derive");
    if (steps) {
      argumentsOf(steps, 1).forEach(argument => check(undocumentedArguments, `${name}: ${argument.name}`, argument));
      const found = symbol
        .getJsDocTags(checker)
        .filter(tag => tag.name === "example")
        .map(tag => ts.displayPartsToString(tag.text));
      if (found.length === 0) withoutExample.push(name);
      examples.push(...found.map(text => ({ name, code: text.replace(/^```\w*\n|```\s*$/g, "") })));
    }
    if (layer === "facts" && command)
      argumentsOf(command, command.name === "derive" ? 1 : 0).forEach(argument =>
        check(undocumentedArguments, `${name}: ${argument.name}`, argument),
      );
  }
}
for (const file of PUBLIC)
  for (const symbol of exportsOf(file)) check(undocumented, `${file.slice(ROOT.length + 1)}: ${symbol.name}`, symbol);

test("everything that operations, facts, core and public export is documented", () => {
  expect([...new Set(undocumented)]).toEqual([]);
});

test("every argument of every operation and fact is documented", () => {
  expect(undocumentedArguments).toEqual([]);
});

test("every operation has an example", () => {
  expect(withoutExample).toEqual([]);
});

test("every example is right as it stands in a deploy file", () => {
  if (examples.length === 0 || !existsSync(join(ROOT, "src/public/index.ts")))
    return console.warn("Not checked: there is no public module yet");
  const directory = mkdtempSync(join(ROOT, "node_modules/.examples-"));
  scratch.push(directory);
  const operations = leafModules("operations").filter(module =>
    examples.some(({ name }) => name.startsWith(`${module}.`)),
  );
  const header = [
    `import { anyChanged, allChanged, config, host, inventory, logger } from "tsinfra";`,
    `import { ${leafModules("operations").join(", ")} } from "tsinfra/operations";`,
    `void [anyChanged, allChanged, config, host, inventory, logger, ${operations.join(", ")}];`,
  ];
  // One module per example, since each may import and declare what it likes.
  examples.forEach(({ name, code }, index) =>
    writeFileSync(
      join(directory, `${name}.${index}.ts`),
      `${code.includes("import ") ? "" : header.join(" ")} {\n${code}\n}\nexport {};\n`,
    ),
  );
  writeFileSync(
    join(directory, "tsconfig.json"),
    JSON.stringify({
      extends: join(ROOT, "tsconfig.json"),
      compilerOptions: { paths: absolutePaths(), types: [join(ROOT, "node_modules/@types/bun")] },
      include: ["*.ts"],
      exclude: [],
    }),
  );
  const checked = Bun.spawnSync([process.execPath, "check", "--all", "-p", join(directory, "tsconfig.json")], {
    cwd: directory,
  });
  const errors = checked.stdout.toString() + checked.stderr.toString();
  expect(checked.exitCode, errors.replaceAll(`${directory}/`, "")).toBe(0);
}, 60_000);

function exportsOf(file: string): readonly ts.Symbol[] {
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  return module
    ? checker
        .getExportsOfModule(module)
        .map(symbol => ((symbol.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(symbol) : symbol))
    : [];
}

/** Exports by full name; those of a module that is exported whole are under its name. */
function named(
  module: string,
  symbols: readonly ts.Symbol[],
): readonly { readonly name: string; readonly symbol: ts.Symbol }[] {
  return symbols.flatMap(symbol => {
    const isModule = (symbol.flags & ts.SymbolFlags.ValueModule) !== 0;
    return isModule
      ? named(`${module}.${symbol.name.replace(/^.*\/|"$/g, "")}`, checker.getExportsOfModule(symbol))
      : [{ name: `${module}.${symbol.name}`, symbol }];
  });
}

function typeOf(symbol: ts.Symbol): ts.Type | undefined {
  return symbol.valueDeclaration && checker.getTypeOfSymbolAtLocation(symbol, symbol.valueDeclaration);
}

/** Properties of the parameter of a method that stands for the arguments. */
function argumentsOf(method: ts.Symbol, index: number): readonly ts.Symbol[] {
  const [signature] = typeOfMember(method).getCallSignatures();
  const parameter = signature?.parameters[index];
  if (!parameter) return [];
  const type = checker.getNonNullableType(typeOfMember(parameter));
  return (type.isUnion() ? type.types : [type]).flatMap(one => checker.getPropertiesOfType(one));
}

function typeOfMember(symbol: ts.Symbol): ts.Type {
  return checker.getTypeOfSymbol(symbol);
}

function check(list: string[], name: string, symbol: ts.Symbol): void {
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim();
  if (text === "") list.push(`${name} has no documentation`);
  else if (!/[.!?:…]$/.test(text.split("\n\n")[0]?.replace(/[)"`*_]+$/, "") ?? "") && !/[.!?:…][)"`*_]*$/.test(text))
    list.push(`${name}: documentation does not end with a full stop: ${JSON.stringify(text.slice(0, 60))}`);
}

function absolutePaths(): Record<string, string[]> {
  const config: { compilerOptions: { paths: Record<string, string[]> } } = ts.readConfigFile(
    join(ROOT, "tsconfig.json"),
    path => ts.sys.readFile(path),
  ).config;
  return Object.fromEntries(
    Object.entries(config.compilerOptions.paths).map(([key, values]) => [key, values.map(value => join(ROOT, value))]),
  );
}
