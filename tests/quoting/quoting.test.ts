import { describe, expect, test } from "bun:test";
import { LocalFileError } from "../../src/core/errors.ts";
import type { Fact } from "../../src/core/fact.ts";
import type { OperationDefinition } from "../../src/core/operation.ts";
import { loadReference, loadSignatures } from "../../src/reference/index.ts";
import { allFacts, allOperations } from "../../src/registry.ts";
import { bases } from "./bases.ts";
import { DOCUMENTED } from "./documented.ts";
import { HOSTILE, type Hostile, seededFor } from "./hostile.ts";
import { type Fault, type Finding, judgeOutcome, judgeRun } from "./judge.ts";
import { Sandbox, sandboxProblem, type ShellName, type Text } from "./sandbox.ts";
import { type Outcome, PLAIN, runFact, runOperation, type Trial, trialsOf, type Unit } from "./trials.ts";

/** What one text did in one trial. */
interface Attempt {
  readonly trial: Trial;
  readonly hostile: Hostile;
  readonly outcome: Outcome;
  /** With a text that nobody minds. */
  readonly usual: Outcome;
}

const units = await allUnits();
const { trials, unseen } = await allTrials();
const attempts = await allAttempts();

const needed = new Set<string>();
const faults = new Map<string, string>();

describe("hostile text given to any argument of any operation or fact", () => {
  test("every operation and fact is tried", () => {
    expect(units.length).toBeGreaterThan(380);
    const tried = new Set(trials.map(({ unit }) => unit));
    const untried = units.filter(
      ({ name, signature }) => !tried.has(name) && JSON.stringify(signature).match(/"(?:string|secret)"/),
    );
    expect(untried.map(({ name }) => name)).toEqual([]);
  });

  test("the places in which no text gets into a command are known", () => {
    expect(unseen.filter(place => !ACCEPTS_FEW_TEXTS.test(place))).toEqual([]);
  });

  test("is refused, or makes commands and files of which it is a part and no more", () => {
    for (const { trial, hostile, outcome, usual } of attempts) {
      for (const finding of judgeOutcome(hostile, outcome))
        if (!(finding.fault === "crash" && usual.error !== undefined)) note(trial, hostile, finding);
    }
    expect(found("line", "crash")).toEqual([]);
  });

  test.skipIf(sandboxProblem() !== undefined)(
    "stays data where the commands are run",
    async () => {
      await runAll();
      expect(found("ran", "broken", "split", "changed", "expanded", "option", "program")).toEqual([]);
      expect(
        DOCUMENTED.filter(({ reason, places }) => !needed.has(`${places} ${reason}`)).map(({ places }) =>
          String(places),
        ),
      ).toEqual([]);
    },
    300_000,
  );

  const problem = sandboxProblem();
  if (problem) console.warn(`NOT RUN: the commands of ${trials.length} trials, since ${problem}`);
});

test("a refusal names the argument and the value", () => {
  const silent = attempts.flatMap(({ trial: { name, place }, hostile, outcome, usual }) => {
    const message = messageOf(outcome);
    if (
      message === undefined ||
      message === messageOf(usual) ||
      hostile.text === "" ||
      NAMES_ANOTHER.test(name) ||
      outcome.error instanceof LocalFileError
    )
      return [];
    // What sort of thing it is will do where several arguments of one sort are checked together.
    if (/^(?:A package name|A quote does not end in the options) /.test(message)) return [];
    const value = JSON.stringify(hostile.text).slice(1, -1);
    const shown =
      [hostile.text, value].some(text => message.toLowerCase().includes(text.toLowerCase())) || place.secret;
    const words = place.argument
      .replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`)
      .replace(/s$/, "")
      .split(" ");
    const named = message.includes(place.argument) || words.every(word => message.toLowerCase().includes(word));
    return shown && named ? [] : [`${name}: ${message}`];
  });
  expect([...new Set(silent)]).toEqual([]);
});

test("a secret is in nothing that people see", async () => {
  const secret = trials.filter(({ place }) => place.secret);
  expect(secret.length).toBeGreaterThan(20);
  const shown = await Promise.all(secret.map(async ({ name, run }) => ({ name, outcome: await run(PLAIN) })));
  expect(
    shown
      .filter(({ outcome }) => [...outcome.shown(), messageOf(outcome) ?? ""].some(text => text.includes(PLAIN)))
      .map(({ name }) => name),
  ).toEqual([]);
});

test("a password that is given as plain text is in nothing that people see", async () => {
  const passwords = trials.filter(({ place }) => /password|passphrase/i.test(place.argument));
  const shown = await Promise.all(
    passwords.map(async ({ name, run }) => ({ name, texts: (await run(PLAIN)).shown() })),
  );
  expect(shown.filter(({ texts }) => texts.some(text => text.includes(PLAIN))).map(({ name }) => name)).toEqual([]);
});

/** Arguments for which few texts will do, which are looked up elsewhere, or which stay on the control machine. */
const ACCEPTS_FEW_TEXTS =
  /^(?:\S+ (?:mode|dirMode|specialTime|signal|keyId(?:\[\])?|(?:userPrivileges|privileges)(?:\[\])?)|files\.(?:download extra\w+\{key\}|flags flags(?:\[\])?|put [am]time|get dest|sync (?:src|exclude(?:Dir)?(?:\[\])?)|template .*|Find\w+ (?:size|minSize|maxSize))|files\.unarchive (?:src|creates)|gpg\.key workingDirs\[\]|(?:python|ts)\..*|s6\.service reloadSignal|server\.(?:locale locale|scriptTemplate .*)|ufw\.rule (?:port|fromIp|toIp)|openrc\.OpenrcEnabled runLevel)$/;

/** Refusals by an operation within the operation, in its words; and those of what the user himself throws. */
const NAMES_ANOTHER =
  /^(?:(?:ts\.throwError|python\.raiseException) exception|mysql\.database userPrivileges|opkg\.packages packages|server\.scriptTemplate src|files\.unarchive src|files\.download extra\w+Args\{key\})/;

const messageOf = ({ error }: Outcome): string | undefined => (error instanceof Error ? error.message : undefined);

async function allUnits(): Promise<readonly Unit[]> {
  const [reference, signatures] = await Promise.all([loadReference(), loadSignatures()]);
  const known = await bases(reference);
  const unit = (name: string, run: Unit["run"]): Unit => ({
    name,
    signature: signatures.operations[name] ?? signatures.facts[name] ?? { fields: {} },
    bases: known.get(name) ?? [],
    run,
  });
  return [
    ...[...allOperations].map(([name, operation]) =>
      unit(name, (args, world, local) => runOperation(operation as OperationDefinition<object>, args, world, local)),
    ),
    ...[...allFacts].map(([name, fact]) => unit(name, args => runFact(fact as Fact<object, unknown>, args))),
  ];
}

async function allTrials(): Promise<{ readonly trials: readonly Trial[]; readonly unseen: readonly string[] }> {
  const each: Awaited<ReturnType<typeof trialsOf>>[] = [];
  for (const unit of units) each.push(await trialsOf(unit));
  return { trials: each.flatMap(one => one.trials), unseen: each.flatMap(one => one.unseen) };
}

async function allAttempts(): Promise<readonly Attempt[]> {
  const made: Attempt[] = [];
  for (const trial of trials) {
    const usual = await trial.run(PLAIN);
    for (const hostile of [...HOSTILE, ...seededFor(trial.name)])
      made.push({ trial, hostile, outcome: await trial.run(hostile.text), usual });
  }
  return made;
}

/** One command to run. */
interface Job extends Text {
  readonly shell: ShellName;
  readonly trial: Trial;
  readonly hostile: Hostile;
}

const BATCH = 200;

/** Run each command once, some in another shell too, and some as if all programs failed. */
async function runAll(): Promise<void> {
  const jobs = new Map<string, Job>();
  const usual = new Set(attempts.flatMap(attempt => attempt.usual.shells.map(shell => shell.wire())));
  for (const { trial, hostile, outcome } of attempts) {
    for (const text of outcome.shells.map(shell => shell.wire())) {
      if (jobs.has(text) || usual.has(text)) continue;
      const job: Job = { text, shell: "dash", trial, hostile };
      jobs.set(text, job);
      if (jobs.size % 5 === 0) jobs.set(`${text}\nbusybox`, { ...job, shell: "busybox" });
      // What would wait for success would wait for ever.
      if (hostile === SUBSTITUTES && /\|\||\bif\b/.test(text) && !/\b(?:while|until)\b/.test(text))
        jobs.set(`${text}\nfails`, { ...job, fails: true });
    }
  }
  const sandbox = new Sandbox(programsIn(usual), ["etc/apt", "root", "home"]);
  const queue = [...Map.groupBy(jobs.values(), ({ shell }) => shell).values()].flatMap(batches);
  const work = async (): Promise<void> => {
    for (let batch = queue.pop(); batch; batch = queue.pop()) {
      const ran = await sandbox.run(batch, batch[0]?.shell ?? "dash");
      batch.forEach(({ trial, hostile, text }, index) => {
        for (const finding of judgeRun(hostile, ran[index] ?? { started: [], stderr: "" }, trial.args))
          note(trial, hostile, { ...finding, evidence: `${finding.evidence}\n    ${text.slice(0, 300)}` });
      });
    }
  };
  try {
    await Promise.all([work(), work()]);
  } finally {
    sandbox.remove();
  }
}

const SUBSTITUTES = HOSTILE.find(({ name }) => name === "substitutes");

const batches = (jobs: readonly Job[]): readonly (readonly Job[])[] =>
  Array.from({ length: Math.ceil(jobs.length / BATCH) }, (_, index) => jobs.slice(index * BATCH, (index + 1) * BATCH));

/** Every word that could be a program; that more are there than there would be harms nobody. */
const programsIn = (texts: Iterable<string>): ReadonlySet<string> =>
  new Set(
    [...texts]
      .flatMap(text => text.match(/(?<![\w./-])[A-Za-z_][\w.+-]*/g) ?? [])
      .filter(word => word !== "PWNED" && word !== "GLOBBED"),
  );

/** Keep what is no documented behaviour of the place. */
function note(trial: Trial, hostile: Hostile, { fault, evidence }: Finding): void {
  const reason = DOCUMENTED.find(
    ({ places, faults: allowed, when }) =>
      allowed.includes(fault) &&
      places.test(`${trial.unit} ${trial.place.name}`) &&
      (when === undefined || (Boolean(trial.args[when]) && /[$`]/.test(hostile.text))),
  );
  if (reason) needed.add(`${reason.places} ${reason.reason}`);
  else faults.set(`${fault} ${trial.name}`, `${fault}: ${trial.name}, which ${hostile.name}: ${evidence}`);
}

const found = (...kinds: readonly Fault[]): readonly string[] =>
  [...faults.values()].filter(text => kinds.some(kind => text.startsWith(`${kind}:`)));
