/** Operations and facts by the names that people type. @module */
import type { GlobalArguments } from "../core/arguments.ts";
import { OperationTypeError } from "../core/errors.ts";
import type { Fact } from "../core/fact.ts";
import { didYouMean, nearest } from "../core/nearest.ts";
import type { OperationHandle } from "../core/handle.ts";
import { ArgumentError } from "./parse.ts";
import { keyText, readValue } from "./values.ts";

/** An operation whose arguments are known at run time only. */
export interface NamedOperation {
  (args: Readonly<Record<string, unknown>> & GlobalArguments): OperationHandle;
  readonly name: string;
  readonly positional?: readonly string[];
}
/** A fact whose arguments are known at run time only. */
export type NamedFact = Fact<Record<string, unknown>, unknown>;

/** Throws `ArgumentError` with the nearest name. */
export async function operationNamed(name: string): Promise<NamedOperation> {
  const { allOperations, newOperationName } = await import("../registry.ts");
  return (
    (allOperations.get(newOperationName(name) ?? name) as NamedOperation | undefined) ??
    unknown("operation", name, [...allOperations.keys()])
  );
}

/** Throws `ArgumentError` with the nearest name. */
async function factNamed(name: string): Promise<NamedFact> {
  const { allFacts, newFactName } = await import("../registry.ts");
  return (
    (allFacts.get(newFactName(name) ?? name) as NamedFact | undefined) ?? unknown("fact", name, [...allFacts.keys()])
  );
}

function unknown(kind: "operation" | "fact", name: string, known: readonly string[]): never {
  throw new ArgumentError(`There is no ${kind} "${name}"`, { hint: hintFor(kind, name, known) });
}

/** The module may be right and the name wrong, or the module left out, or both nearly right. */
function hintFor(kind: "operation" | "fact", name: string, known: readonly string[]): string | undefined {
  const plural = kind === "fact" ? "Facts" : "Operations";
  if (!name.includes(".")) {
    const last = (candidate: string): string => candidate.slice(candidate.lastIndexOf(".") + 1).toLowerCase();
    const bare = known.find(candidate => last(candidate) === name.toLowerCase());
    return bare === undefined
      ? `${plural} are written MODULE.NAME, deploy files end in .ts`
      : `Did you mean "${bare}"?`;
  }
  const module = name.slice(0, name.lastIndexOf(".") + 1);
  const ofModule = known.filter(candidate => candidate.startsWith(module));
  if (ofModule.length > 0) return didYouMean(name, ofModule);
  const near =
    nearest(name, known) ??
    nearest(
      module,
      known.map(candidate => candidate.slice(0, candidate.lastIndexOf(".") + 1)),
    );
  return near === undefined
    ? `There is no module "${module.slice(0, -1)}" of ${plural.toLowerCase()}`
    : `Did you mean "${near.replace(/\.$/, "")}"?`;
}

/**
 * Arguments of an operation from words: by position, `key=value`, or one word of JSON `[[…], {…}]`.
 * Words are read as what the arguments take. Throws `ArgumentError`.
 */
export async function operationArguments(operation: NamedOperation, words: readonly string[]): Promise<Arguments> {
  const { name, positional = [] } = operation;
  const read = await reader("operations", name);
  const [list, named] = jsonArguments(words) ?? [
    words.filter(word => !keyText(word)),
    Object.fromEntries(
      words.flatMap(word =>
        [keyText(word)].filter(pair => pair !== undefined).map(([key, text]) => [key, read.value(key, text)]),
      ),
    ),
  ];
  // More words than places: the last place takes a list, as in apt.packages vim git.
  const places = positional.length;
  if (list.length > 0 && places === 0)
    throw new ArgumentError(`Operation ${name} takes no arguments by position, found ${JSON.stringify(list[0])}`, {
      hint: "Write key=value",
    });
  const byPosition = Object.fromEntries(
    positional.flatMap((key, index) => {
      if (index >= list.length) return [];
      const isRest = index === places - 1 && list.length > places;
      return [
        [
          key,
          isRest ? list.slice(index) : typeof list[index] === "string" ? read.value(key, list[index]) : list[index],
        ],
      ];
    }),
  );
  const twice = Object.keys(byPosition).find(key => key in named);
  if (twice !== undefined) throw new ArgumentError(`Argument "${twice}" of ${name} is given twice`);
  return read.checked({ ...byPosition, ...named });
}

type Arguments = Readonly<Record<string, unknown>>;

/** How the arguments of an operation or a fact are read and checked. */
async function reader(kind: "operations" | "facts", name: string) {
  const { argumentCheck, argumentFromText, loadSignatures } = await import("../reference/index.ts");
  const signatures = await loadSignatures();
  const signature = signatures[kind][name];
  const check = argumentCheck(signatures);
  const isGlobal = (key: string): boolean => key.startsWith("_") || (kind === "operations" && key === "name");
  return {
    value(key: string, text: string): unknown {
      const type = isGlobal(key) ? signatures.globals[key] : (signature?.fields[key] ?? signature?.rest);
      return type === undefined ? readValue(text) : argumentFromText(key, type, text);
    },
    checked(args: Arguments): Arguments {
      try {
        check(name, Object.fromEntries(Object.entries(args).filter(([key]) => !isGlobal(key))));
      } catch (error) {
        throw error instanceof OperationTypeError ? new ArgumentError(error.message, { hint: error.hint }) : error;
      }
      return args;
    },
  };
}

function jsonArguments(
  words: readonly string[],
): readonly [readonly unknown[], Readonly<Record<string, unknown>>] | undefined {
  if (words.length !== 1 || !words[0]?.trimStart().startsWith("[[")) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(words[0]);
  } catch (error) {
    throw new ArgumentError(`Arguments are not JSON: ${error instanceof Error ? error.message : String(error)}`, {
      hint: 'Write \'[["vim"], {"present": true}]\'',
    });
  }
  const [list, named = {}, ...others] = parsed as readonly unknown[];
  if (
    !Array.isArray(list) ||
    others.length > 0 ||
    typeof named !== "object" ||
    named === null ||
    Array.isArray(named)
  ) {
    throw new ArgumentError("JSON arguments must be a list of positional ones and an object of named ones", {
      hint: 'Write \'[["vim"], {"present": true}]\'',
    });
  }
  return [list, named as Readonly<Record<string, unknown>>];
}

/** A fact and its arguments. */
export interface FactRequest {
  readonly fact: NamedFact;
  /** The fact's name, and its arguments if it has some. */
  readonly label: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** `server.Users files.File path=/etc/hosts` are two facts. Throws `ArgumentError`. */
export async function factRequests(words: readonly string[]): Promise<readonly FactRequest[]> {
  const requests: { name: string; pairs: (readonly [key: string, text: string])[]; written: string[] }[] = [];
  for (const word of words) {
    const pair = keyText(word);
    const last = requests.at(-1);
    if (!pair) requests.push({ name: word, pairs: [], written: [] });
    else if (last) {
      last.pairs.push(pair);
      last.written.push(word);
    } else throw new ArgumentError(`"${word}" stands before the name of a fact`);
  }
  return Promise.all(
    requests.map(async ({ name, pairs, written }) => {
      const fact = await factNamed(name);
      const read = await reader("facts", fact.name);
      const args = read.checked(Object.fromEntries(pairs.map(([key, text]) => [key, read.value(key, text)])));
      return { fact, label: written.length === 0 ? name : `${name} (${written.join(", ")})`, args };
    }),
  );
}
