import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { allFacts, allOperations } from "../../src/registry.ts";
import { sameDefault, saidDefault } from "../../src/reference/generate/definitions.ts";
import { type ArgumentReference, loadReference, type Reference } from "../../src/reference/index.ts";
import { factExample } from "../../src/reference/pages.ts";
import { ROOT } from "./sources.ts";

let reference: Reference;
beforeAll(async () => {
  reference = await loadReference();
}, 120_000);
const scratch: string[] = [];
afterAll(() => scratch.forEach(directory => rmSync(directory, { recursive: true })));

const entries = () => [...reference.operations, ...reference.facts];
const names = (of: readonly { readonly name: string }[]): readonly string[] => of.map(({ name }) => name).sort();

test("the reference has every operation and fact of the registry, and no other", () => {
  expect(reference.problems).toEqual([]);
  expect(names(reference.operations)).toEqual([...allOperations.keys()].sort());
  expect(names(reference.facts)).toEqual([...allFacts.keys()].sort());
});

test("what the definitions say of themselves is what the reference says of them", () => {
  for (const { name, positional, idempotent, arguments: all } of reference.operations) {
    expect([name, positional, idempotent]).toEqual([
      name,
      [...(allOperations.get(name)?.positional ?? [])],
      allOperations.get(name)?.idempotent ?? true,
    ]);
    expect([name, positional.filter(argument => !all.some(one => one.name === argument))]).toEqual([name, []]);
  }
});

test("every module and every entry is summarised", () => {
  expect(
    [...reference.operationModules, ...reference.factModules]
      .filter(({ summary }) => summary === "")
      .map(({ name }) => name),
  ).toEqual([]);
  expect(
    entries()
      .filter(({ summary }) => summary === "")
      .map(({ name }) => name),
  ).toEqual([]);
});

test("every argument is documented, and so is every field of one that is an object", () => {
  const undocumented = (prefix: string, all: readonly ArgumentReference[]): readonly string[] =>
    all.flatMap(({ name, text, fields = [] }) => [
      ...(text === "" ? [`${prefix}${name}`] : []),
      ...undocumented(`${prefix}${name}.`, fields),
    ]);
  expect(entries().flatMap(({ name, arguments: all }) => undocumented(`${name}: `, all))).toEqual([]);
});

test("the type of every argument is known, but for data of the user's own", () => {
  const unknown = entries().flatMap(({ name, arguments: all }) =>
    all.filter(({ type }) => type === "unknown" || type === "object").map(argument => `${name}: ${argument.name}`),
  );
  expect(unknown).toEqual([]);
});

test("what a text calls the default is what the code takes", () => {
  const wrong = entries().flatMap(({ name, arguments: all }) =>
    all.flatMap(({ name: argument, text, default: source }) => {
      const said = saidDefault(text);
      return said !== undefined && source !== undefined && !source.startsWith("[") && !sameDefault(source, said)
        ? [`${name}: ${argument} is ${source} in the code, and ${said} in its text`]
        : [];
    }),
  );
  expect(wrong).toEqual([]);
});

test("how a fact is asked for is right as it stands in a deploy file", () => {
  const directory = mkdtempSync(join(ROOT, "node_modules/.fact-examples-"));
  scratch.push(directory);
  reference.facts.forEach(fact =>
    writeFileSync(
      join(directory, `${fact.name}.ts`),
      `import { host } from "tsinfra";\n${factExample(fact)}\nvoid answer;\n`,
    ),
  );
  const paths = {
    tsinfra: [join(ROOT, "src/public/index.ts")],
    "tsinfra/facts/*": [join(ROOT, "src/facts/*"), join(ROOT, "src/facts/*/index.ts")],
  };
  writeFileSync(
    join(directory, "tsconfig.json"),
    JSON.stringify({
      extends: join(ROOT, "tsconfig.json"),
      compilerOptions: { paths, types: [join(ROOT, "node_modules/@types/bun")] },
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
