/** Promises that nobody waits for, or that stand in place of their values, and text made of what is no text. @module */
import { existsSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join, parse, relative } from "node:path";
import type { Workplace } from "./compiler.ts";
import type { Finding } from "./finding.ts";
import { listCallOf } from "./places.ts";
import { type Asked, type Probe, probed, ROUNDS } from "./probes.ts";
import { DECLARATIONS, type Fault, givenType } from "./questions.ts";
import type { Source } from "./sources.ts";
import { bare, callOf, keyOf, memberName, type Node, ownerOf, placeIn, spanOf } from "./syntax.ts";
import { answerHint, isMeantToBeCalled } from "./uncalled.ts";
import { isGenerator } from "./usage.ts";
import { allHint, awaitHint, listHint, nameOf, quoted, SAME_HOST, shortened, waiting } from "./waiting.ts";

/** Ask the compiler about the values in a program, and judge its answers. */
export async function findPromises(asked: Omit<Asked, "round">, workplace: Workplace): Promise<readonly Finding[]> {
  const rounds = await Promise.all(ROUNDS.map(round => ask({ ...asked, round }, workplace)));
  const findings = rounds.flatMap(({ probes, faults }) =>
    probes.flatMap(probe => {
      const fault = faults.get(probe.id);
      const isGiven = probe.given === undefined || faults.has(probe.given);
      return (fault !== undefined && isGiven && judge(probe, fault, { probes, faults })) || [];
    }),
  );
  // A promise that nobody takes may be meant for its value as well: one is enough.
  const places = new Set<string>();
  return findings.toReversed().filter(({ at, code }) => {
    const place = JSON.stringify([at, code]);
    return !places.has(place) && places.add(place);
  });
}

/** The questions of a round, and what the compiler answered. */
interface Answers {
  readonly probes: readonly Probe[];
  readonly faults: ReadonlyMap<number, Fault>;
}

async function ask(asked: Asked, workplace: Workplace): Promise<Answers> {
  const { sources, round, given } = asked;
  const { files, probes } = probed(asked);
  if (probes.length === 0) return { probes, faults: new Map() };
  const top = join(workplace.directory, round);
  const copies = await Promise.all(
    files.map(async ({ source, text }) => {
      const copy = join(top, relative(parse(source.file).root, source.file));
      await mkdir(dirname(copy), { recursive: true });
      await writeFile(copy, text);
      return copy;
    }),
  );
  await linkPackages(sources, top);
  const declarations = join(workplace.directory, `${round}.d.ts`);
  await writeFile(declarations, DECLARATIONS + givenType(given));
  const roots = [...new Set(sources.map(({ file }) => parse(file).root)), top];
  const { mistakes } = await workplace.compile(round, [declarations, ...copies], {
    rootDirs: roots,
    checkJs: true,
    // Whether there is a promise under a key is a question that is right to ask.
    noUncheckedIndexedAccess: round === "values",
  });
  return { probes, faults: new Map(mistakes.flatMap(({ message }) => answerIn(message) ?? [])) };
}

/** The copies find the packages, and what package.json says, where the files themselves find them. */
async function linkPackages(sources: readonly Source[], top: string): Promise<void> {
  const directories = new Set(sources.flatMap(({ file }) => above(dirname(file))));
  for (const directory of directories)
    for (const name of ["node_modules", "package.json"]) {
      const path = join(directory, name);
      const copy = join(top, relative(parse(path).root, path));
      if (existsSync(path) && existsSync(dirname(copy))) await symlink(path, copy);
    }
}

const above = (directory: string): readonly string[] =>
  dirname(directory) === directory ? [directory] : [directory, ...above(dirname(directory))];

/** The compiler names the type that is wanted: a question's number and its answer. */
function answerIn(message: string): readonly [readonly [id: number, fault: Fault]] | undefined {
  const [, id, fault] = /parameter of type '"(\d+) (\w+)"'/.exec(message) ?? [];
  return id === undefined ? undefined : [[Number(id), fault as Fault]];
}

function judge(probe: Probe, fault: Fault, { probes, faults }: Answers): Finding | undefined {
  switch (probe.standing) {
    case "statement":
    case "unused":
      if (fault === "generator") return generatorFinding(probe);
      if (fault === "command") return commandFinding(probe);
      if (fault === "function") return uncalledFinding(probe);
      return fault === "promises"
        ? found(probe, "E_PROMISE", "Nobody waits for these promises", allHint(probe))
        : found(probe, "E_PROMISE", "Nobody waits for this promise", awaitHint(probe));
    case "awaited":
      if (fault === "generator") return generatorFinding(probe);
      if (fault === "function") return uncalledFinding(probe);
      return found(probe, "E_PROMISE", "`await` waits for one promise, and this is a list of them", allHint(probe));
    case "each":
      return probes.some(({ given }) => given === probe.id) ? undefined : eachFinding(probe);
    case "eachResult": {
      const call = probes.find(({ id }) => id === probe.given);
      return call && eachFinding(call);
    }
    case "truth":
      return isFunctionFault(fault) ? answerFinding(probe, fault) : valueFinding(probe, fault);
    case "presence":
    case "content":
    case "depth":
    case "hosts":
      return valueFinding(probe, fault);
    case "compared":
      return comparedFinding(probe, fault, probe.given === undefined ? "plain" : faults.get(probe.given));
    case "asked":
      return probe.told && "async" in probe.told && probe.told.async ? listFinding(probe) : undefined;
    case "answer":
      if (isFunctionFault(fault)) return answerFinding(probe, fault);
      return fault !== "promise" ? undefined : probe.told ? listFinding(probe) : valueFinding(probe, fault);
    case "early":
      return earlyFinding(probe);
    case "deploy":
      return found(probe, "E_PROMISE", "Nobody waits for this deploy", awaitHint(probe));
    case "text":
      return textFinding(probe, fault);
  }
}
const STANDS = "A promise stands here in place of its value";

function valueFinding(probe: Probe, fault: Fault): Finding {
  if (fault === "handle")
    return found(
      probe,
      "E_PROMISE",
      "An operation stands here in place of its result",
      "What it did is known once it has run: pass its `didChange` to `_if`",
    );
  if (fault === "promises")
    return found(probe, "E_PROMISE", "Promises stand here in place of their values", allHint(probe));
  if (fault === "held")
    return found(
      probe,
      "E_PROMISE",
      "There are promises in here in place of their values",
      "Put `await` before each where it is made",
    );
  const reason =
    probe.standing === "truth" || probe.standing === "answer"
      ? ", and a promise is always true"
      : probe.standing === "presence"
        ? ", and a promise is never missing"
        : "";
  return found(probe, "E_PROMISE", `${STANDS}${reason}`, awaitHint(probe));
}

const isFunctionFault = (fault: Fault): boolean =>
  fault === "question" || fault === "promising" || fault === "function";

/** A function is taken for what it would answer. */
const answerFinding = (probe: Probe, fault: Fault): Finding | undefined =>
  isMeantToBeCalled(probe, fault)
    ? found(
        probe,
        "E_DEPLOY",
        "A function stands here in place of its answer, and a function is always true",
        answerHint(probe, fault),
      )
    : undefined;

function comparedFinding(probe: Probe, fault: Fault, other: Fault | undefined): Finding | undefined {
  if (other === undefined || other === "promise") return undefined;
  if (fault === "promise")
    return found(probe, "E_PROMISE", `${STANDS}, and a promise equals nothing else`, awaitHint(probe));
  return fault === "current" && other === "host"
    ? found(probe, "E_DEPLOY", "The current host is compared with another object, which it never is", SAME_HOST)
    : undefined;
}

/** A generator begins when somebody asks it for something. */
const generatorFinding = (probe: Probe): Finding =>
  found(
    probe,
    "E_PROMISE",
    "Nothing of this generator runs: nobody goes through what it gives",
    "Write `yield*` before it in the steps of an operation, and elsewhere `for await (const item of …)`",
  );

/** A command is a value, that somebody must run. */
const commandFinding = (probe: Probe): Finding =>
  found(
    probe,
    "E_DEPLOY",
    "A command that is only written down does nothing",
    isGenerator(ownerOf(probe.within)?.node)
      ? "Put `yield` before it"
      : "Yield it in the steps of an operation, or give it to one: `server.shell({ commands: [sh`…`] })`",
  );

/** Something that would be done, were it called. */
const uncalledFinding = (probe: Probe): Finding =>
  found(probe, "E_DEPLOY", "What is named and not called does nothing", `Call it: \`${shortened(probe)}(…)\``);

/** What an operation gave is read before it has run. */
function earlyFinding(probe: Probe): Finding {
  const told = probe.told ?? probe.node;
  const name = memberName(told) ?? keyOf(told) ?? "";
  const isNested = /^(?:VariableDeclarator|AssignmentExpression)$/.test(probe.within?.node.type ?? "");
  return found(
    probe,
    "E_DEPLOY",
    `\`${name}\` is not known before the operation has run`,
    isNested
      ? awaitHint(probe)
      : name.startsWith("did")
        ? `To decide when an operation's turn comes pass \`${name}\` to its \`_if\`, or use \`ts.call\``
        : "Operations run once the whole deploy is prepared: read it in `ts.call`",
  );
}

/** What a list's function is given answers by promises. */
function listFinding(probe: Probe): Finding {
  const { name = "", list = probe.node } = (probe.within && listCallOf(probe.within.node)) ?? {};
  const message = name.endsWith("ort")
    ? `\`${name}\` waits for no answer`
    : `\`${name}\` waits for no answer, and a promise is always true`;
  return found(probe, "E_PROMISE", message, listHint(nameOf(probe, list), name));
}

function eachFinding(probe: Probe): Finding {
  const callee = callOf(probe.node)?.callee;
  const list = callee && "object" in callee ? nameOf(probe, callee.object as Node) : "list";
  const hint = waiting(probe, `Write \`for (const item of ${list}) { await … }\``);
  return found(probe, "E_PROMISE", "`forEach` waits for nothing that its function does", hint);
}

function textFinding(probe: Probe, fault: Fault): Finding | undefined {
  switch (fault) {
    case "promise":
      return found(probe, "E_TEXT", "This text holds a promise in place of its value", awaitHint(probe));
    case "promises":
      return found(probe, "E_TEXT", "This text holds promises in place of their values", allHint(probe));
    case "handle":
      return found(
        probe,
        "E_TEXT",
        "This text holds an operation's handle",
        "Its output is in stdout, to be read once it has run, in a callback",
      );
    case "function":
      return found(
        probe,
        "E_TEXT",
        "This text holds a function in place of its result",
        /^did[A-Z]/.test(memberName(bare(probe.node)) ?? "")
          ? "Pass it to `_if`: the answer is known once the operation has run"
          : `Write \`${shortened(probe)}()\``,
      );
    case "missing":
      return probe.mayMiss ? undefined : missing(probe, "undefined");
    case "null":
      return probe.mayMiss ? undefined : missing(probe, "null");
    default:
      return undefined;
  }
}

function missing(probe: Probe, word: "undefined" | "null"): Finding | undefined {
  const node = bare(probe.node);
  const object = "object" in node && typeof node.object === "object" ? (node.object as Node) : undefined;
  const key = memberName(node);
  const isData = key !== undefined && object !== undefined && memberName(bare(object)) === "data";
  if (isData && isEnsured(probe, key)) return undefined;
  return found(
    probe,
    "E_TEXT",
    isData
      ? `This text may say "${word}": there may be no host data "${key}"`
      : `This text may say "${word}": ${quoted(shortened(probe))} may be missing`,
    `Say what stands there then: \`${shortened(probe)} ?? "…"\`${isData ? `, or declare that hosts have it, with the type of its value: \`interface HostData { ${key}: … }\`` : ""}`,
  );
}

/** The file has set the key of host data, or asked for it, before this place: of data without a type the compiler does not keep that in mind. */
const isEnsured = ({ source, node: place }: Probe, key: string): boolean =>
  source.branches.some(({ node }) => {
    if (spanOf(node)[0] >= spanOf(place)[0]) return false;
    if (node.type === "AssignmentExpression")
      return memberName(node.left) === key && "object" in node.left && memberName(bare(node.left.object)) === "data";
    return (
      node.type === "BinaryExpression" &&
      node.operator === "in" &&
      node.left.type === "StringLiteral" &&
      node.left.value === key &&
      memberName(bare(node.right)) === "data"
    );
  });

const found = (probe: Probe, code: string, message: string, hint: string): Finding => ({
  at: { file: probe.source.file, ...placeIn(probe.source.text, spanOf(probe.told ?? probe.node)[0]) },
  code,
  message,
  hint,
});
