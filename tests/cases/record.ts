/**
 * Writes cases with what the operation or fact does today filled in: the author states what is asked and what the host
 * says, and reviews what comes back.
 *
 *   npm run case -- apt.packages/installs '{"args": {"packages": ["vim"]}, "answers": {"deb.DebPackages": {}}}'
 *   npm run case -- - <LINES        one JSON object a line, such as the one above, with "case" beside the rest
 *   npm run case -- FILE...         again, from what these files state
 *
 * @module
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import type { OperationDefinition } from "../../src/core/operation.ts";
import { loadArgumentCheck } from "../../src/reference/index.ts";
import { allFacts, allOperations } from "../../src/registry.ts";
import { type FactInput, INPUT_KEYS as FACT_KEYS, parseFactCase, runFactCase } from "./fact-case.ts";
import { caseFile, ROOT } from "./files.ts";
import type { NamedFact } from "./host.ts";
import { type GivenFact, INPUT_KEYS, type OperationInput, parseOperationCase, tryOperation } from "./operation-case.ts";
import { mapOf, object, anything } from "./shape.ts";
import { CaseError, isObject, type Json, type JsonObject, layout } from "./values.ts";

/** A case to write. */
interface Wanted {
  readonly path: string;
  readonly input: JsonObject;
}

const USAGE = `Usage: npm run case -- CASE ['{"args": ...}'] | - | FILE...`;
const check = await loadArgumentCheck();

/** What the command line names; each may throw. */
function wanted([first, ...rest]: readonly string[]): readonly (() => Wanted)[] {
  if (first === undefined) {
    console.error(USAGE);
    process.exit(2);
  }
  if (first === "-")
    return readFileSync(0, "utf8")
      .split("\n")
      .filter(line => line.trim() !== "")
      .map(line => () => {
        const { case: name, ...input } = JSON.parse(line) as Record<string, Json>;
        if (typeof name !== "string") throw new CaseError(`"case" is missing in ${line}`);
        return { path: pathOf(name), input };
      });
  if (first.endsWith(".json"))
    return [first, ...rest].map(name => () => {
      const path = relative(ROOT, resolve(name));
      return { path, input: inputOf(path, JSON.parse(readFileSync(join(ROOT, path), "utf8")) as JsonObject) };
    });
  return [
    () => {
      const given = JSON.parse(rest[0] ?? "{}") as Json;
      if (rest.length > 1 || !isObject(given)) throw new CaseError(USAGE);
      const path = pathOf(first);
      return { path, input: { ...stated(path), ...given } };
    },
  ];
}

/** What a case states that is there already: the rest is added to it. */
const stated = (path: string): JsonObject =>
  existsSync(join(ROOT, path)) ? inputOf(path, JSON.parse(readFileSync(join(ROOT, path), "utf8")) as JsonObject) : {};

/** `apt.packages/installs` in its folder: names of facts have a capital. */
const pathOf = (name: string): string =>
  `fixtures/${/\.[A-Z][^./]*\//.test(name) ? "facts" : "operations"}/${name}.json`;

/** A case without what comes of it. */
function inputOf(path: string, json: JsonObject): JsonObject {
  const keys = path.startsWith("fixtures/facts/") ? FACT_KEYS : INPUT_KEYS;
  return Object.fromEntries(Object.entries(json).filter(([key]) => Object.hasOwn(keys, key)));
}

/** Write a case; says what was recorded. */
async function record({ path, input }: Wanted): Promise<string> {
  const { name } = caseFile(path);
  try {
    const [operation, fact] = [allOperations.get(name), allFacts.get(name)];
    const found = operation
      ? await operationCase(operation as OperationDefinition<object>, input)
      : fact
        ? factCase(fact, input)
        : undefined;
    if (!found) throw new CaseError(`There is no operation and no fact ${name}`);
    const file = join(ROOT, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${layout(found.json)}\n`);
    return `${path}\n${found.notes.map(note => `  ! ${note}\n`).join("")}${told(found.json)}`;
  } catch (error) {
    throw error instanceof CaseError ? new CaseError(`${path}: ${error.message}`) : error;
  }
}

const told = (json: JsonObject): string =>
  ["command", "requires", "commands", "noop", "warnings", "diffs", "answer", "error"]
    .flatMap(key => (key in json ? [`  ${key}: ${layout(json[key] ?? null, "    ")}\n`] : []))
    .join("");

interface Recorded {
  readonly json: JsonObject;
  /** What the author should know. */
  readonly notes: readonly string[];
}

function factCase(fact: NamedFact, input: JsonObject): Recorded {
  object(FACT_KEYS)(input, "$");
  const json = { ...ordered(input, FACT_KEYS), ...runFactCase(fact, input as FactInput, check) };
  parseFactCase(json);
  return { json, notes: [] };
}

async function operationCase(
  operation: OperationDefinition<object>,
  { answers = {}, ...input }: JsonObject,
): Promise<Recorded> {
  object(INPUT_KEYS)(input, "$");
  mapOf(anything)(answers, "$.answers");
  const known = new Map(Object.entries(answers as JsonObject));
  const filled: string[] = [];
  const given = ((input["facts"] ?? []) as unknown as readonly GivenFact[]).filter(entry => !known.has(entry.fact));
  const { outcome, asked, unasked } = await tryOperation(
    operation,
    { ...(input as OperationInput), facts: given },
    check,
    (fact, args) => {
      const about = { fact: fact.name, ...(Object.keys(args).length > 0 ? { args } : {}) };
      const answer = known.get(fact.name);
      if (answer !== undefined) return { ...about, answer };
      filled.push(`${fact.name} ${JSON.stringify(args)}`);
      return { ...about, empty: true };
    },
  );
  const facts = asked as unknown as readonly Json[];
  const json = {
    ...ordered({ ...input, ...(facts.length > 0 ? { facts } : { facts: [] }) }, INPUT_KEYS),
    ...outcome,
  };
  if (facts.length === 0) Reflect.deleteProperty(json, "facts");
  parseOperationCase(json);
  const names = new Set(asked.map(({ fact }) => fact));
  const notes = [
    ...filled.map(one => `answered as empty: ${one}`),
    ...unasked.map(({ fact, args = {} }) => `never asked, left out: ${fact} ${JSON.stringify(args)}`),
    ...[...known.keys()].filter(name => !names.has(name)).map(name => `never asked: ${name}`),
  ];
  return { json, notes };
}

/** In the order in which cases have them. */
const ordered = (input: JsonObject, keys: object): JsonObject =>
  Object.fromEntries(Object.keys(keys).flatMap(key => (key in input ? [[key, input[key] ?? null]] : [])));

let failed = 0;
for (const make of wanted(process.argv.slice(2))) {
  try {
    console.log(await record(make()));
  } catch (error) {
    if (!(error instanceof CaseError || error instanceof SyntaxError)) throw error;
    failed++;
    console.error(`NOT WRITTEN: ${error.message}`);
  }
}
process.exitCode = failed > 0 ? 1 : 0;
