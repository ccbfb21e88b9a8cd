/** Every way in which a text given to an operation or fact gets into its commands. @module */
import type { ConnectorArguments } from "../../src/core/arguments.ts";
import { Secret, Shell } from "../../src/core/command.ts";
import type { Fact } from "../../src/core/fact.ts";
import type { OperationDefinition } from "../../src/core/operation.ts";
import type { Command } from "../../src/core/steps.ts";
import { type Arguments, type Place, places, sample, variations } from "./places.ts";
import type { Base } from "./bases.ts";
import { controlIn, everything, hostIn, nothing, only, renamed, type World } from "./worlds.ts";
import type { ObjectType } from "../../src/reference/index.ts";

/** What came of some arguments. */
export interface Outcome {
  readonly shells: readonly Shell[];
  /** What reaches the host without a shell: files, where and what; standard input. */
  readonly files: readonly { readonly dest: string; readonly content: string | Secret }[];
  /** Everything that people may see: commands, notes, warnings, diffs. */
  shown(): readonly string[];
  readonly error?: unknown;
}

/** An operation or fact in a situation where a text in a place gets into the commands. */
export interface Trial {
  /** `operation place`. */
  readonly name: string;
  readonly unit: string;
  readonly place: Place;
  /** What the text begins with: nothing, or what makes it a path or URL. */
  readonly form: string;
  /** The other arguments. */
  readonly args: Arguments;
  run(text: string): Promise<Outcome>;
}

/** Text that no operation refuses for what is in it. */
export const PLAIN = "qx1qx2";
/** What makes a text one that an argument may be at all. */
const FORMS = ["", "/qx/", "https://qx.example/"];
const OWN_FORMS: ReadonlyMap<string, string> = new Map([
  ["brew.tap src", "qx/"],
  ["files.block marker", "# {mark} "],
  ["files.Block marker", "# {mark} "],
]);
const WORLDS: readonly (readonly [(args: Arguments) => World, "file" | "directory"])[] = [
  [() => nothing, "file"],
  [() => everything, "file"],
  [({ src, dest }) => only([src, dest]), "file"],
  [({ src }) => only([src]), "directory"],
];

/** A unit with all that is needed to try it. */
export interface Unit {
  readonly name: string;
  readonly signature: ObjectType;
  readonly bases: readonly Base[];
  run(args: Arguments, world: World, local: "file" | "directory"): Promise<Outcome>;
}

/** The places of a unit that no situation was found for, where the text is accepted at all; and the trials. */
export async function trialsOf(
  unit: Unit,
): Promise<{ readonly trials: readonly Trial[]; readonly unseen: readonly string[] }> {
  const trials: Trial[] = [];
  const unseen: string[] = [];
  const bases = unit.bases.length > 0 ? unit.bases : [{ args: sample(unit.signature) as Arguments }];
  for (const place of places(unit.signature)) {
    const known = new Set<string>();
    for (const form of [...FORMS, OWN_FORMS.get(`${unit.name} ${place.name}`) ?? ""]) {
      for (const base of bases) {
        for (const args of form === FORMS[0] ? variations(unit.signature, base.args) : [base.args]) {
          for (const [make, local] of worldsOf(base)) {
            const run = (text: string): Promise<Outcome> => {
              const given = place.put(args, form + text);
              const [from, to] = difference(args, given) ?? [];
              const world = make(given);
              return unit.run(given, from !== undefined && to !== undefined ? renamed(world, from, to) : world, local);
            };
            const found = signatures(await run(PLAIN), form);
            if (found.every(one => known.has(one))) continue;
            found.forEach(one => known.add(one));
            trials.push({ name: `${unit.name} ${place.name}`, unit: unit.name, place, form, args, run });
          }
        }
      }
    }
    if (known.size > 0) continue;
    unseen.push(`${unit.name} ${place.name}`);
    for (const base of bases)
      for (const [make, local] of worldsOf(base))
        trials.push({
          name: `${unit.name} ${place.name}`,
          unit: unit.name,
          place,
          form: "",
          args: base.args,
          run: text => {
            const args = place.put(base.args, text);
            return unit.run(args, make(args), local);
          },
        });
  }
  return { trials, unseen };
}

const worldsOf = ({ world }: Base): typeof WORLDS =>
  world
    ? [
        [() => world, "file"],
        [() => world, "directory"],
      ]
    : WORLDS;

/** In what company the text stands in the commands and files. */
function signatures({ shells, files }: Outcome, form: string): readonly string[] {
  // As it is written, since quotes are part of the company.
  const inShells = shells.flatMap(shell => {
    const text = shell.wire().replaceAll(form + PLAIN, PLAIN);
    return contexts(text).map(context => `${/^\S*/.exec(text)?.[0]} ${context}`);
  });
  const inFiles = files.flatMap(({ dest, content }) =>
    [dest, textOf(content)]
      .flatMap(text => contexts(text.replaceAll(form + PLAIN, PLAIN)))
      .map(context => `file ${context}`),
  );
  return [...inShells, ...inFiles];
}

/** What stands around each occurrence of the text. */
const contexts = (text: string): readonly string[] =>
  [...text.matchAll(new RegExp(`[^\n]{0,12}${PLAIN}[^\n]{0,12}`, "g"))].map(([context]) => context);

export const textOf = (content: string | Secret): string => (content instanceof Secret ? content.reveal() : content);

/** The first text that differs. */
function difference(before: unknown, after: unknown): readonly [string, string] | undefined {
  if (typeof before === "string" && typeof after === "string") return before === after ? undefined : [before, after];
  if (
    typeof before !== "object" ||
    typeof after !== "object" ||
    before === null ||
    after === null ||
    after instanceof Secret
  )
    return undefined;
  for (const key of Object.keys(after)) {
    const found = difference(Reflect.get(before, key), Reflect.get(after, key));
    if (found) return found;
  }
  const [was] = Object.keys(before).filter(key => !(key in after));
  const [is] = Object.keys(after).filter(key => !(key in before));
  return was !== undefined && is !== undefined && !Array.isArray(after) ? [was, is] : undefined;
}

/** Run an operation to its end. */
export async function runOperation(
  operation: OperationDefinition<object>,
  args: Arguments,
  world: World,
  local: "file" | "directory",
): Promise<Outcome> {
  const host = hostIn(world, local);
  const commands: Command[] = [];
  const inner: Shell[] = [];
  const finish = (error?: unknown): Outcome => {
    const shells = [...commands.flatMap(shellsOf), ...inner];
    const broken = shells.find(shell => !canRender(shell));
    if (broken)
      return {
        shells: [],
        files: [],
        shown: () => [],
        error: new TypeError(`A hole is not filled: ${broken.parts.join("…")}`),
      };
    const shown = () => [
      ...host.noops,
      ...host.warnings,
      ...host.diffs.map(({ path, before, after }) => [path, before ?? "", String(after ?? "")].join("\n")),
      ...commands.map(command => (command.kind === "function" ? command.name : JSON.stringify(command))),
      ...shells.map(String),
    ];
    return { shells, files: commands.flatMap(filesOf), shown, ...(error === undefined ? {} : { error }) };
  };
  try {
    for await (const command of operation.steps(host, args)) {
      commands.push(command);
      if (command.kind === "function")
        await Promise.resolve(command.run(controlIn(world, shell => inner.push(shell)))).catch(() => {});
    }
    return finish();
  } catch (error) {
    return finish(error);
  }
}

function canRender(shell: Shell): boolean {
  try {
    shell.wire();
    return true;
  } catch {
    return false;
  }
}

const shellsOf = (command: Command): readonly Shell[] =>
  command instanceof Shell ? [command] : command.kind === "configured" ? shellsOf(command.command) : [];

function filesOf(command: Command): Outcome["files"] {
  if (command.kind === "configured") return [...filesOf(command.command), ...stdinOf(command.arguments._stdin)];
  if (command.kind === "download") return [{ dest: command.src, content: "" }];
  if (command.kind === "rsync")
    return [
      { dest: command.dest, content: "" },
      ...[command.src, ...command.flags].map(dest => ({ dest, content: "" })),
    ];
  if (command.kind !== "upload") return [];
  if ("path" in command.source) return [{ dest: `${command.source.path} ${command.dest}`, content: "" }];
  const { content } = command.source;
  return [{ dest: command.dest, content: content instanceof Uint8Array ? new TextDecoder().decode(content) : content }];
}

function stdinOf(stdin: ConnectorArguments["_stdin"]): Outcome["files"] {
  if (stdin === undefined || stdin instanceof Uint8Array) return [];
  return [
    {
      dest: "standard input",
      content: typeof stdin === "string" || stdin instanceof Secret ? stdin : stdin.join("\n"),
    },
  ];
}

/** Ask a fact for its command. */
export async function runFact(fact: Fact<object, unknown>, args: Arguments): Promise<Outcome> {
  try {
    let base = fact;
    while ("derive" in base) base = base.from as unknown as Fact<object, unknown>;
    const requires = typeof base.requires === "function" ? base.requires(args) : undefined;
    const variant = base.variant?.when?.(args) === false ? undefined : base.variant;
    const variants = variant ? KINDS.flatMap(kind => variant.choose(kind, args) ?? []) : [];
    const together = base.together?.accepts(args) ? [base.together.command([args, args])] : [];
    const shells = [...[base, ...variants].map(one => one.command(args)), ...together];
    return { shells, files: [], shown: () => [...shells.map(String), ...(requires === undefined ? [] : [requires])] };
  } catch (error) {
    return { shells: [], files: [], shown: () => [], error };
  }
}

/** What hosts may be, for facts that ask each kind differently. */
const KINDS = [
  "Linux",
  "FreeBSD",
  "OpenBSD",
  "Darwin",
  "busybox",
  "GNU",
  "BSD",
  "sockstat",
  "netstat",
  "missing",
  "unreachable",
];
