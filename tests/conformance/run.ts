/**
 * Run conformance cases against our operations and facts.
 * `bun run conformance FILE.jsonl... [--report out.json] [--deviations FILE] [--own FILE] [--module apt]` @module
 */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { OperationTypeError } from "../../src/core/errors.ts";
import { loadArgumentCheck } from "../../src/reference/index.ts";
import { type Case, type Deviation, type Own, readLines } from "./cases.ts";
import { checkFact, checkOperation } from "./check.ts";
import { findFact, findOperation } from "./modules.ts";
import { callArguments, registryName } from "./translate.ts";

/** How a case ended. */
interface Outcome {
  readonly id: string;
  readonly module: string;
  readonly kind: Case["kind"];
  readonly status: "passed" | "failed" | "not built" | "skipped";
  /** Passed by an expectation of ours. */
  readonly own: boolean;
  readonly difference?: string;
}

/** What pyinfra's cases give for a number or a truth value, and no type of ours has. */
const NONSENSE = /must be (?:a number, found "(?:myport|portname)"|true or false, found "")$/;
/** Part of the runnable cases of a kind that may have an own expectation which no deviation allows. */
const OWN_LIMIT = 0.02;

const { values: options, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    report: { type: "string" },
    deviations: { type: "string" },
    own: { type: "string", default: join(import.meta.dir, "own.jsonl") },
    module: { type: "string", multiple: true },
  },
});
if (files.length === 0) {
  console.error(
    "Usage: bun run conformance FILE.jsonl... [--report OUT.json] [--deviations FILE] [--own FILE] [--module NAME]...",
  );
  process.exit(2);
}

const deviations = Map.groupBy(
  options.deviations ? await readLines<Deviation>(options.deviations) : [],
  deviation => deviation.id,
);
const owns = new Map((existsSync(options.own) ? await readLines<Own>(options.own) : []).map(own => [own.id, own]));
const inModules = (testCase: Case) =>
  !options.module ||
  options.module.includes(testCase.module.split(".")[0] ?? "") ||
  options.module.includes(testCase.module);
const cases = (await Promise.all(files.map(file => readLines<Case>(file)))).flat().filter(inModules);

const checkArguments = await loadArgumentCheck();
const outcomes: Outcome[] = [];
for (const testCase of cases) outcomes.push(await run(testCase));

for (const { id, status, difference } of outcomes) {
  if (status === "failed") console.log(`FAIL ${id}\n${difference}`);
}
const missing = outcomes.filter(outcome => outcome.status === "not built").map(({ id }) => id.split("/")[0]);
if (missing.length > 0) console.log(`\nNot built: ${[...new Set(missing)].join(", ")}`);
console.log(`\n${table(outcomes)}\n`);

const failures = outcomes.filter(({ status }) => status === "failed" || status === "not built").length;
const tooManyOwn = (["operation", "fact"] as const).map(kind => ownSummary(kind)).filter(over => over).length > 0;
if (options.report) await writeFile(options.report, JSON.stringify(report(), undefined, 2));
console.log(`${count("passed")} passed, ${failures} failed`);
process.exitCode = failures > 0 || tooManyOwn ? 1 : 0;

async function run(testCase: Case): Promise<Outcome> {
  const { id, kind } = testCase;
  const outcome = { id, kind, module: testCase.module.split(".")[0] ?? "", own: false };
  const tolerances = deviations.get(id)?.map(deviation => deviation.tolerance) ?? [];
  if (tolerances.includes("skip") || testCase.x_tags.includes("platform:windows-only"))
    return { ...outcome, status: "skipped" };
  const name = registryName(testCase.module, testCase.name);
  const refusal = refusedArguments(testCase, name);
  if (refusal !== undefined) return { ...outcome, status: "failed", difference: `  + ${refusal}` };
  const check = async (own?: Own): Promise<string | undefined | null> => {
    if (testCase.kind === "operation") {
      const operation = await findOperation(name);
      return operation ? checkOperation(testCase, operation, own) : null;
    }
    const fact = await findFact(name);
    return fact ? checkFact(testCase, fact, own) : null;
  };
  try {
    const difference = await check();
    if (difference === null) return { ...outcome, status: "not built" };
    if (difference === undefined) return { ...outcome, status: "passed" };
    const own = owns.get(id);
    const ownDifference = own ? await check(own) : difference;
    if (ownDifference === undefined) return { ...outcome, status: "passed", own: true };
    return { ...outcome, status: "failed", difference: own ? `  (own expectation)\n${ownDifference}` : difference };
  } catch (error) {
    return { ...outcome, status: "failed", difference: `  + ${error instanceof Error ? error.stack : error}` };
  }
}

/** Why the arguments are not of our types, where the case is not about wrong ones. */
function refusedArguments(testCase: Case, name: string): string | undefined {
  if (testCase.kind === "operation" && testCase.exception) return undefined;
  const truthyStrings = testCase.x_tags.includes("py:bool-as-string");
  try {
    checkArguments(name, callArguments(name, testCase.x_bound, { truthyStrings }));
  } catch (error) {
    if (!(error instanceof OperationTypeError)) throw error;
    if (!NONSENSE.test(error.message)) return error.message;
  }
  return undefined;
}

function count(status: Outcome["status"]): number {
  return outcomes.filter(outcome => outcome.status === status).length;
}

/** Whether the own expectations that no deviation allows are too many; says so. */
function ownSummary(kind: Case["kind"]): boolean {
  const runnable = outcomes.filter(outcome => outcome.kind === kind && outcome.status !== "skipped");
  const used = runnable.filter(outcome => outcome.own);
  const beyond = used.filter(
    ({ id }) => !deviations.get(id)?.some(({ tolerance }) => tolerance === "semantic" || tolerance === "adapt"),
  );
  if (used.length === 0) return false;
  const limit = Math.floor(runnable.length * OWN_LIMIT);
  // Of a few modules 2 % is no case at all: the limit is one of the whole.
  const over = !options.module && beyond.length > limit;
  console.log(
    `${used.length} ${kind} cases pass by an expectation of ours, ${beyond.length} of them beyond the deviations (at most ${limit})${beyond.length > 0 ? `: ${beyond.map(({ id }) => id).join(", ")}` : ""}`,
  );
  return over;
}

function table(all: readonly Outcome[]): string {
  const columns = ["passed", "failed", "not built", "skipped", "own"] as const;
  const row = (label: string, some: readonly Outcome[]) => [
    label,
    ...columns
      .map(column => some.filter(outcome => (column === "own" ? outcome.own : outcome.status === column)).length)
      .map(number => (number === 0 ? "." : String(number))),
  ];
  const groups = [...Map.groupBy(all, outcome => outcome.module)].sort(([a], [b]) => (a < b ? -1 : 1));
  const rows = [["module", ...columns], ...groups.map(([module, some]) => row(module, some)), row("all", all)];
  return rows
    .map(cells => cells.map((cell, index) => (index === 0 ? cell.padEnd(16) : cell.padStart(10))).join(""))
    .join("\n");
}

function report(): object {
  const modules = Object.fromEntries(
    [...Map.groupBy(outcomes, outcome => outcome.module)].map(([module, some]) => [
      module,
      { passed: some.filter(({ status }) => status === "passed").length, of: some.length },
    ]),
  );
  return { passed: count("passed"), failed: failures, skipped: count("skipped"), modules, cases: outcomes };
}
