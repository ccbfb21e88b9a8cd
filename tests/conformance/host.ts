/** The host that an operation of a case is given: it knows the case's facts and nothing else. @module */
import { Secret } from "../../src/core/command.ts";
import type { OperationHost } from "../../src/core/host.ts";
import { type FactArguments, fakeHost, type NamedFact, type Said } from "../cases/host.ts";
import type { GivenFact, OperationCase } from "./cases.ts";
import { caseFiles } from "./local.ts";
import { argumentName, decodeFact, NEWER_FACTS, PATH_FACT_NAMES, pathType, registryName, squash } from "./translate.ts";

export function caseHost(testCase: OperationCase): OperationHost & Said {
  const facts = testCase.x_facts.filter(given => !given.legacy && !given.stale_key);
  const falsySites = testCase.x_observed.falsy_empty_sites ?? [];

  const answer = (fact: NamedFact, given: GivenFact): unknown =>
    decodeFact(fact, given.value, { emptyIsFalse: falsySites.includes(`facts/${given.fact}/${given.key}`) });

  const ask = (fact: NamedFact, args: FactArguments): unknown => {
    const given = facts.find(entry => ourName(entry.fact) === fact.name && matches(entry, args));
    if (given) {
      const value = answer(fact, given);
      return given.value === false && pathType(fact.name) ? (askSibling(fact, args, true) ?? value) : value;
    }
    const sibling = askSibling(fact, args, false);
    if (sibling !== undefined) return sibling;
    if (fact.name === FIND_IN_FILE && findsNothingIn(args["path"])) return [];
    if (NEWER_FACTS.has(fact.name) && "empty" in fact) return fact.empty;
    if ("derive" in fact) return fact.derive(ask(fact.from, args) as never, args);
    throw new MissingFactError(
      `${fact.name} ${JSON.stringify(args)}; the case has ${facts.map(entry => `${entry.fact} ${JSON.stringify(entry.tsArgs)}`).join(", ") || "none"}`,
    );
  };

  /** Where every pattern of the case finds nothing in a file, a pattern of ours finds nothing either. */
  const findsNothingIn = (path: unknown): boolean => {
    const answers = facts.filter(entry => entry.fact === FIND_IN_FILE && entry.args["path"] === path);
    return answers.length > 0 && answers.every(({ value }) => Array.isArray(value) && value.length === 0);
  };

  /** What is at a path may be asked by any of the path facts: what one says of an existing thing answers the others. */
  const askSibling = (fact: NamedFact, args: FactArguments, existing: boolean): unknown => {
    if (!pathType(fact.name)) return undefined;
    for (const name of PATH_FACT_NAMES) {
      const given = facts.find(entry => entry.fact === name && name !== fact.name && matches(entry, args));
      if (given && given.value !== false && !(existing && given.value === null))
        return answer({ ...fact, name }, given);
    }
    return undefined;
  };

  return fakeHost({
    ask,
    local: caseFiles(testCase.local_files),
    tempDir: "_tempdir_",
    tempFile: () => "_tempfile_",
    timestamp: "a-timestamp",
  });
}

const FIND_IN_FILE = "files.FindInFile";

/** An operation asked what the case does not answer: it asks another question than pyinfra does. */
export class MissingFactError extends Error {}

const ourName = (pyinfra: string): string => {
  const [module = "", name = ""] = pyinfra.split(".");
  return registryName(module, name);
};

/** Each argument given has the case's value, and each one left out has pyinfra's default. */
function matches(entry: GivenFact, args: FactArguments): boolean {
  const given = new Map(
    Object.entries(args)
      .filter(([name, value]) => value !== undefined && !name.startsWith("_"))
      .map(([name, value]) => [squash(name), value]),
  );
  const known = new Map(Object.entries(entry.args).map(([name, value]) => [squash(argumentName(name)), value]));
  const differing = Object.keys(entry.tsArgs).map(name => squash(argumentName(name)));
  return (
    [...given].every(([name, value]) => (known.has(name) ? same(known.get(name), value) : value === false)) &&
    differing.every(name => given.has(name) || isNothing(known.get(name)))
  );
}

const same = (theirs: unknown, ours: unknown): boolean =>
  (isNothing(theirs) && isNothing(ours)) ||
  JSON.stringify(theirs) === JSON.stringify(ours instanceof Secret ? ours.reveal() : ours);
const isNothing = (value: unknown): boolean => value === null || value === undefined || value === false;
