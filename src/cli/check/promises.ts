/** Promises that nobody waits for, and text made of what is no text. @module */
import { existsSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join, parse, relative } from "node:path";
import type { Workplace } from "./compiler.ts";
import type { Finding } from "./finding.ts";
import { DECLARATIONS, probed, type Probe, type Round, type Fault } from "./probes.ts";
import type { Source } from "./sources.ts";
import { bare, callOf, memberName, type Node, placeIn, spanOf } from "./syntax.ts";

/** Ask the compiler about the values in a program, and judge its answers. */
export async function findPromises(sources: readonly Source[], workplace: Workplace): Promise<readonly Finding[]> {
  const rounds = await Promise.all((["promises", "text"] as const).map(round => ask(sources, round, workplace)));
  return rounds.flatMap(({ probes, faults }) =>
    probes.flatMap(probe => {
      const fault = faults.get(probe.id);
      const isGiven = probe.given === undefined || faults.has(probe.given);
      return (fault !== undefined && isGiven && judge(probe, fault, probes)) || [];
    }),
  );
}

async function ask(
  sources: readonly Source[],
  round: Round,
  workplace: Workplace,
): Promise<{ readonly probes: readonly Probe[]; readonly faults: ReadonlyMap<number, Fault> }> {
  const { files, probes } = probed(sources, round);
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
  await writeFile(declarations, DECLARATIONS);
  const roots = [...new Set(sources.map(({ file }) => parse(file).root)), top];
  const { mistakes } = await workplace.compile(round, [declarations, ...copies], { rootDirs: roots, checkJs: true });
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

function judge(probe: Probe, fault: Fault, probes: readonly Probe[]): Finding | undefined {
  switch (probe.standing) {
    case "statement":
    case "unused":
      return fault === "promises"
        ? found(probe, "E_PROMISE", "Nobody waits for these promises", allHint(probe))
        : found(probe, "E_PROMISE", "Nobody waits for this promise", awaitHint(probe));
    case "awaited":
      return found(probe, "E_PROMISE", "`await` waits for one promise, and this is a list of them", allHint(probe));
    case "each":
      return probes.some(({ given }) => given === probe.id) ? undefined : eachFinding(probe);
    case "eachResult": {
      const call = probes.find(({ id }) => id === probe.given);
      return call && eachFinding(call);
    }
    case "text":
      return textFinding(probe, fault);
  }
}

function eachFinding(probe: Probe): Finding {
  const callee = callOf(probe.node)?.callee;
  const list = callee && "object" in callee ? textOf(probe, callee.object as Node) : "list";
  const hint = `Write \`for (const item of ${short(list) ? list : "…"}) { await … }\`${asyncNote(probe)}`;
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

function missing(probe: Probe, word: "undefined" | "null"): Finding {
  const node = bare(probe.node);
  const object = "object" in node && typeof node.object === "object" ? (node.object as Node) : undefined;
  const key = memberName(node);
  const isData = key !== undefined && object !== undefined && memberName(bare(object)) === "data";
  return found(
    probe,
    "E_TEXT",
    isData
      ? `This text may say "${word}": there may be no host data "${key}"`
      : `This text may say "${word}": ${quoted(shortened(probe))} may be missing`,
    `Say what stands there then: \`${shortened(probe)} ?? "…"\``,
  );
}

const found = (probe: Probe, code: string, message: string, hint: string): Finding => ({
  at: { file: probe.source.file, ...placeIn(probe.source.text, spanOf(probe.node)[0]) },
  code,
  message,
  hint,
});

const allHint = (probe: Probe): string => `Write \`await Promise.all(${shortened(probe)})\`${asyncNote(probe)}`;

function awaitHint(probe: Probe): string {
  const code = shortened(probe);
  // `await` takes the first operand of these, not the whole.
  const isLoose = code !== ELSE && LOOSE.has(probe.node.type) && !probe.node.extra?.["parenthesized"];
  return `${isLoose ? `Write \`await (${code})\`` : `Put \`await\` before ${quoted(code)}`}${asyncNote(probe)}`;
}
const LOOSE: ReadonlySet<string> = new Set([
  "ConditionalExpression",
  "LogicalExpression",
  "AssignmentExpression",
  "SequenceExpression",
  "TSAsExpression",
  "TSSatisfiesExpression",
]);

/** Only an async function can wait. */
const asyncNote = ({ owner }: Probe): string =>
  owner && !owner.async ? ", and `async` before the function around it" : "";

const textOf = ({ source }: Probe, node: Node): string => source.text.slice(...spanOf(node));

const quoted = (code: string): string => (code === ELSE ? "it" : `\`${code}\``);
const ELSE = "…";

/** The user's own words if they are few. */
function shortened(probe: Probe): string {
  const text = textOf(probe, probe.node);
  if (short(text)) return text;
  const node = bare(probe.node);
  const callee = callOf(node)?.callee;
  // With the parentheses around it, without which a function is no callee.
  const close = callee?.extra?.["parenthesized"] ? ")" : "";
  const name = callee && `${probe.source.text.slice(spanOf(node)[0], spanOf(callee)[1])}${close}`;
  return name !== undefined && short(name) ? `${name}(…)` : ELSE;
}

const short = (text: string): boolean => text.length <= 40 && !text.includes("\n");
