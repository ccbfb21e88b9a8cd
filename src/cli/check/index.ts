/** What is wrong with deploy files and what belongs to them, found without running them. @module */
import { basename, extname } from "node:path";
import type { Connector } from "../../core/connector.ts";
import type { CallSite } from "../../core/errors.ts";
import { absentIncludeFindings } from "./absent-includes.ts";
import { withCompiler } from "./compiler.ts";
import { dataReads } from "./data-reads.ts";
import { defaultImportFindings } from "./default-imports.ts";
import { deployFindings, hasDefault, hostlessFindings, stepsFindings } from "./deploy-shape.ts";
import { type Finding, inOrder } from "./finding.ts";
import { givenKeys } from "./given-keys.ts";
import {
  configDataFindings,
  groupDataDocumentFindings,
  groupDataFindings,
  inventoryDocumentFindings,
  inventoryFindings,
  isInventory,
  isNamedInventory,
  knownKeys,
  looksLikeInventory,
} from "./host-data.ts";
import { emptinessFindings } from "./inventory-emptiness.ts";
import { certaintyOf, exportsGroups, type KnownConnectors, shapeFindings } from "./inventory-shape.ts";
import { ownerHints } from "./owners.ts";
import type { CheckPlan, InventoryFile } from "./plan.ts";
import { findPromises } from "./promises.ts";
import { encodingFindings, loadedBy, loadedFiles, PROGRAMS, readPrograms, type Source } from "./sources.ts";
import { typeHint } from "./type-hints.ts";

export type { Finding } from "./finding.ts";
export { type CheckPlan, planOfDirectory, planOfFiles } from "./plan.ts";

/** What is wrong, in order. `output` is what the compiler said beside mistakes, if it failed. */
export interface Checked {
  readonly findings: readonly Finding[];
  readonly output?: string;
}

/** What a check needs to know of its surroundings. */
export interface CheckOptions {
  readonly cwd: string;
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Check types, promises, settings and host data. */
export function checkPlan(plan: CheckPlan, { cwd, connectors, environment }: CheckOptions): Promise<Checked> {
  const programs = plannedFiles(plan).filter(file => PROGRAMS.includes(extname(file)));
  const sources = readPrograms(programs, cwd);
  // Files that are included are programs of their own; those that nobody could read the compiler speaks of.
  const compiled = [...new Set([...programs, ...sources.map(({ file }) => file)])];
  const inventories = inventoriesOf(plan, sources);
  // What the compiler says of such a file is about letters that nobody wrote.
  const garbled = encodingFindings(compiled);
  if (garbled.length > 0) return withoutCompiler(plan, sources, connectors, garbled);
  return withCompiler(environment, async workplace => {
    const [{ mistakes, output }, promises, data, defaults] = await Promise.all([
      compiled.length === 0 ? { mistakes: [], output: undefined } : workplace.compile("types", compiled),
      givenKeys(plan, inventories, sources).then(given => findPromises({ sources, given, inventories }, workplace)),
      dataFindings(plan, sources, connectors),
      Promise.all(sources.map(defaultImportFindings)).then(found => found.flat()),
    ]);
    const imported = new Set(defaults.map(({ at }) => placeOf(at)));
    const owners = await ownerHints(mistakes, workplace);
    // It knows settings by their letters only: what is said of one that there is not is kept.
    const unknown = new Set(
      plan.findings.filter(({ message }) => /^Unknown setting/.test(message)).map(({ at }) => placeOf(at)),
    );
    const types = mistakes
      .filter(
        ({ at, code }) =>
          code !== UNTYPED && !imported.has(placeOf(at)) && !(UNKNOWN_KEY.has(code) && unknown.has(placeOf(at))),
      )
      .map(mistake => {
        const { at, code, message } = mistake;
        const hint = owners.get(mistake) ?? typeHint(mistake, sources);
        return { at, code, message: `${message} (${code})`, ...(hint === undefined ? {} : { hint }) };
      });
    // Where the compiler has found something, it has found the same: at a setting's own place, in data somewhere on the line.
    const places = new Set(types.flatMap(({ at }) => [lineOf(at), placeOf(at)]));
    // Of promises it knows more, where it says something of them.
    const promised = new Set(types.filter(({ hint }) => hint !== undefined).map(({ at }) => placeOf(at)));
    const judged = new Set(promises.map(({ at }) => placeOf(at)));
    const others = [
      ...defaults,
      ...promises.filter(({ at }) => !promised.has(placeOf(at))),
      ...plan.findings.filter(({ at }) => !places.has(placeOf(at))),
      ...data.filter(({ at }) => !places.has(lineOf(at))),
    ];
    return {
      // That what is there is always true is but half of what is wrong with it.
      findings: inOrder([
        ...types.filter(
          ({ at, code, hint }) => hint !== undefined || !ALWAYS_TRUE.has(code) || !judged.has(placeOf(at)),
        ),
        ...others,
      ]),
      ...(mistakes.length === 0 && output !== undefined ? { output } : {}),
    };
  });
}

/** What is found where a file is none that the compiler can be shown. */
async function withoutCompiler(
  plan: CheckPlan,
  sources: readonly Source[],
  connectors: ReadonlyMap<string, Connector>,
  garbled: readonly Finding[],
): Promise<Checked> {
  const broken = new Set(garbled.map(({ at }) => at.file));
  const readable = sources.filter(({ file }) => !broken.has(file));
  const others = [...plan.findings, ...(await dataFindings(plan, readable, connectors))];
  return { findings: inOrder([...garbled, ...others.filter(({ at }) => !broken.has(at.file))]) };
}

/** An object has a key that its type does not know, with or without one that is similar. */
const UNKNOWN_KEY: ReadonlySet<string> = new Set(["TS2353", "TS2561"]);
/** A promise, and a function. */
const ALWAYS_TRUE: ReadonlySet<string> = new Set(["TS2801", "TS2774"]);
/** A package without types: it runs all the same, and what it gives may be anything. */
const UNTYPED = "TS7016";

const lineOf = ({ file, line }: CallSite): string => `${file}:${line}`;
const placeOf = (at: CallSite): string => `${lineOf(at)}:${at.column}`;

/** Every file of a plan, once. */
export const plannedFiles = ({ config, inventories, groupData, programs }: CheckPlan): readonly string[] => [
  ...new Set([
    ...(config === undefined ? [] : [config]),
    ...inventories.map(({ file }) => file),
    ...groupData,
    ...programs,
  ]),
];

/** Those that the plan names, and programs that can be nothing else. */
const inventoriesOf = (
  { inventories, programs, entries }: CheckPlan,
  sources: readonly Source[],
): readonly InventoryFile[] => [
  ...inventories,
  ...sources
    .filter(source => (programs.includes(source.file) && isInventory(source)) || isNamedInventory(source, entries))
    .map(({ file }) => ({ file })),
];

/** Of what must be a deploy, by its name or as it is of no use as an inventory either; or of an inventory that is wrong, by its shape. */
function entryFindings(source: Source, usable: KnownConnectors): readonly Finding[] | Promise<readonly Finding[]> {
  if (/^deploy\b/.test(basename(source.file))) return deployFindings(source);
  const found = shapeFindings(source, { ...usable, certainty: "named" });
  // Lists by name may be those of a module.
  if (found.length === 0) return hasDefault(source) ? emptinessFindings(source) : [];
  if (exportsGroups(source)) return found;
  return deployFindings(source);
}

async function dataFindings(
  plan: CheckPlan,
  sources: readonly Source[],
  connectors: ReadonlyMap<string, Connector>,
): Promise<readonly Finding[]> {
  const { settings, hasConnectors, inventories, groupData, programs, entries } = plan;
  const sourceOf = (file: string): Source | undefined => sources.find(source => source.file === file);
  const isProgram = (file: string): boolean => PROGRAMS.includes(extname(file));
  const { names, isOpen } = dataReads(sources);
  const usable: KnownConnectors = { connectors, hasMore: hasConnectors };
  // What cannot be read may read anything.
  const known = knownKeys(usable, { names, isOpen: isOpen || programs.some(file => !sourceOf(file)) });
  const fromInventories = inventories.map(({ file, function: name }) => {
    const source = sourceOf(file);
    const shape = { ...usable, function: name, certainty: "named" } as const;
    if (source)
      return [
        ...inventoryFindings(source, known, name),
        ...shapeFindings(source, shape),
        ...emptinessFindings(source, name),
      ];
    return isProgram(file) ? [] : inventoryDocumentFindings(file, known);
  });
  const fromGroupData = groupData.map(file => {
    const source = sourceOf(file);
    if (source) return groupDataFindings(source, known);
    return isProgram(file) ? [] : groupDataDocumentFindings(file, known);
  });
  const imported = new Set(sources.flatMap(({ imports }) => imports));
  const included = sources.flatMap(({ includes }) => includes.map(({ file }) => file));
  const deploys = new Set([...entries, ...included]);
  const loadable = new Set(sources.flatMap(loadedFiles));
  const run = plannedFiles(plan).filter(file => !loadable.has(file));
  const loaded = loadedBy([...run, ...included], sources);
  // What a run reads before it has hosts.
  const early = new Set([plan.config, ...groupData, ...inventoriesOf(plan, sources).map(({ file }) => file)]);
  const fromModules = sources.flatMap(source => {
    if (early.has(source.file)) return hostlessFindings(source, "early");
    const isDeploy = deploys.has(source.file) && !loaded.has(source.file);
    if (isDeploy ? !hasDefault(source) : !loaded.has(source.file)) return [];
    return hostlessFindings(source, isDeploy ? "deploy" : "module");
  });
  // What fails while it is loaded is not yet looked at as a whole.
  const failing = new Set(fromModules.map(({ at }) => at.file));
  const fromPrograms = programs.map(async file => {
    const source = sourceOf(file);
    if (!source) return [];
    const hasGroups = looksLikeInventory(source);
    const isEntry = entries.includes(file) && !imported.has(file) && !failing.has(file);
    const certainty = certaintyOf(source, hasGroups);
    const isInventory = certainty === "likely" ? !imported.has(file) : isEntry && hasGroups;
    return [
      ...(isInventory ? emptinessFindings(source) : []),
      ...(hasGroups || certainty ? inventoryFindings(source, known) : []),
      ...(certainty ? shapeFindings(source, { ...usable, certainty }) : []),
      ...(isEntry && !hasGroups && !certainty ? await entryFindings(source, usable) : []),
    ];
  });
  const all = await Promise.all([...fromInventories, ...fromGroupData, ...fromPrograms]);
  return [
    ...configDataFindings(settings, known),
    ...all.flat(),
    ...fromModules,
    ...sources.flatMap(stepsFindings),
    ...sources.flatMap(absentIncludeFindings),
  ];
}
