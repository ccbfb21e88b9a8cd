/**
 * Whether the tests notice a changed command: in operations chosen by chance one word of one command is changed, one at a
 * time, in a copy of the repository that stands alone, and the tests run there that would notice.
 *
 *   npm run test:mutations -- [--seed N] [--operations N] [NAME...]
 *
 * A seed gives the same choice for the same sources; without one, a new one is taken and printed. With names, every word of
 * those operations is changed in turn. Exit code 1: fewer than 95 % were noticed.
 *
 * @module
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { allOperations } from "../../src/registry.ts";
import { ROOT } from "../rules/sources.ts";
import { changed, type Word, wordsByOperation } from "./words.ts";

const CASES = ["tests/operations/cases.test.ts"];
/** What is run in the copy, one after the other until one notices: most do at once. */
const TESTS: readonly (readonly string[])[] = [CASES, ["tests/operations"]];
/** Of the mutants, at least this many have to be noticed. */
const ENOUGH = 38 / 40;
/** A copy each, since a changed file is seen by whatever runs there. */
const AT_ONCE = 2;
/** Only a hang takes longer. */
const TIMEOUT = 600_000;

interface Mutant {
  readonly operation: string;
  readonly word: Word;
}

const { seed, operations, names } = settings();
const random = randomFrom(seed);
const mutants = names.length > 0 ? ofOperations(names) : chosen(operations);

const queue = [...mutants];
const missed: string[] = [];
let count = 0;
await Promise.all(Array.from({ length: AT_ONCE }, work));
console.log(`${mutants.length - missed.length} of ${mutants.length} noticed`);
for (const one of missed) console.log(`  not: ${one}`);
process.exitCode = mutants.length - missed.length < Math.ceil(mutants.length * ENOUGH) ? 1 : 0;

function settings(): { readonly seed: number; readonly operations: number; readonly names: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { seed: { type: "string" }, operations: { type: "string", default: "40" } },
    });
    const [seed, operations] = [values.seed ?? `${Math.floor(Math.random() * 1_000_000)}`, values.operations];
    for (const number of [seed, operations]) if (!/^\d+$/.test(number)) throw new Error(`${number} is not a number`);
    return { seed: Number(seed), operations: Number(operations), names: positionals };
  } catch (error) {
    return refuse(`${error instanceof Error ? error.message : error}
Usage: npm run test:mutations -- [--seed N] [--operations N] [NAME...]`);
  }
}

function refuse(why: string): never {
  console.error(why);
  process.exit(2);
}

/** One word of each of some operations. */
function chosen(wanted: number): readonly Mutant[] {
  const words = [...wordsByOperation(allOperations.keys())].filter(([, some]) => some.length > 0);
  const without = allOperations.size - words.length;
  console.log(
    `Seed ${seed}: ${wanted} of ${words.length} operations; ${without} others have no word in a command of theirs`,
  );
  return shuffled(words)
    .slice(0, wanted)
    .flatMap(([operation, some]) => {
      const word = some[Math.floor(random() * some.length)];
      return word ? [{ operation, word }] : [];
    });
}

function ofOperations(wanted: readonly string[]): readonly Mutant[] {
  const unknown = wanted.filter(name => !allOperations.has(name));
  if (unknown.length > 0) refuse(`There is no operation ${unknown.join(", ")}`);
  const words = wordsByOperation(allOperations.keys());
  const found = wanted.flatMap(operation => (words.get(operation) ?? []).map(word => ({ operation, word })));
  return found.length > 0 ? found : refuse(`There is no word in a command of ${wanted.join(", ")}`);
}

/** Try mutants until there are none left, in a copy of one's own. */
async function work(): Promise<void> {
  const copy = copyOfRepository();
  try {
    const red = await firstFailure(copy, CASES);
    if (red !== undefined) throw new Error(`The tests fail without a change: ${red}`);
    for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
      const by = await noticedBy(mutant, copy);
      const { operation, word } = mutant;
      const what = `${operation}: ${word.file}:${word.line} ${word.text} → ${changed(word.text)}`;
      if (by === undefined) missed.push(what);
      console.log(
        `${String(++count).padStart(3)} ${by === undefined ? "NOT NOTICED" : "noticed"} ${what}${by === undefined ? "" : `, by "${by}"`}`,
      );
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** The repository, with nothing beside it. */
function copyOfRepository(): string {
  const copy = mkdtempSync(join(tmpdir(), "mutations-"));
  for (const name of ["src", "tests", "fixtures", "package.json", "tsconfig.json", "bunfig.toml"])
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  // What is made from the sources is kept in there, and is not the same as here.
  mkdirSync(join(copy, "node_modules"));
  for (const name of readdirSync(join(ROOT, "node_modules")))
    if (name !== ".cache") symlinkSync(join(ROOT, "node_modules", name), join(copy, "node_modules", name));
  return copy;
}

async function noticedBy({ word }: Mutant, copy: string): Promise<string | undefined> {
  const path = join(copy, word.file);
  const source = readFileSync(path, "utf8");
  const end = word.offset + word.text.length;
  writeFileSync(path, source.slice(0, word.offset) + changed(word.text) + source.slice(end));
  try {
    for (const files of TESTS) {
      const failed = await firstFailure(copy, files);
      if (failed !== undefined) return failed;
    }
    return undefined;
  } finally {
    writeFileSync(path, source);
  }
}

/** The first test that fails, or what went wrong in place of tests. */
async function firstFailure(copy: string, files: readonly string[]): Promise<string | undefined> {
  const ran = Bun.spawn([process.execPath, "test", ...files, "--bail", "--timeout=120000"], {
    cwd: copy,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    timeout: TIMEOUT,
  });
  const [output, exitCode] = await Promise.all([ran.stderr.text(), ran.exited]);
  if (exitCode === 0) return undefined;
  return /^\(fail\) (.*?)(?: \[[\d.]+m?s\])?$/m.exec(output)?.[1] ?? `exit code ${exitCode}: ${output.slice(-300)}`;
}

function shuffled<T>(items: readonly T[]): readonly T[] {
  return items
    .map(item => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** Numbers from 0 to 1, the same for the same seed. */
function randomFrom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
