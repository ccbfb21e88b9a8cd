/** What a config file says, read without running it. @module */
import { readFileSync } from "node:fs";
import { dirname, extname } from "node:path";
import { isRecord, LAYER_KEYS, problemOf, requireExtended, settingProblem } from "../../config/index.ts";
import type { CallSite } from "../../core/errors.ts";
import { importUserFile } from "../../inventory/file.ts";
import { type Finding, placesIn, toldAs } from "./finding.ts";
import {
  COMPUTED,
  isComputed,
  literalOf,
  membersOf,
  type Module,
  moduleOf,
  type Property,
  returned,
  written,
} from "./literals.ts";
import { PROGRAMS } from "./sources.ts";
import { standIn } from "./stand-ins.ts";
import { isFunction, type Node, parseSource, placeIn, spanOf } from "./syntax.ts";

/** One setting, of the config itself or of one of its environments. */
export interface Setting {
  readonly key: string;
  /** `COMPUTED` where only running the config tells. */
  readonly value: unknown;
  readonly at: CallSite;
  /** It is not that of one environment alone. */
  readonly isAlways: boolean;
}

/** A config, read. */
export interface ConfigSettings {
  readonly settings: readonly Setting[];
  /** What is wrong with them. */
  readonly findings: readonly Finding[];
  /** It may bring connectors of the project's own. */
  readonly hasConnectors: boolean;
}

/** All settings of a config. `dataKeys` are those of host data that connectors read. */
export async function settingsIn(file: string, dataKeys: readonly string[] = []): Promise<ConfigSettings> {
  const findings: Finding[] = [];
  const settings: Setting[] = [];
  await toldAs(findings, { file, line: 1, column: 1 }, async () => {
    if (!PROGRAMS.includes(extname(file))) settings.push(...(await settingsOfDocument(file)));
    else {
      const read = settingsOfProgram(file);
      settings.push(...read.settings);
      findings.push(...read.findings);
    }
  });
  for (const { key, value, at } of settings) {
    const known = isComputed(value) ? undefined : value;
    if (key === "extends") await extendsFindings(findings, known, at);
    else {
      const problem = settingProblem(key, known, dataKeys);
      if (problem) findings.push(settingFinding(problem, at));
    }
  }
  return { settings, findings, hasConnectors: mayHaveConnectors(readFileSync(file, "utf8")) };
}

async function extendsFindings(findings: Finding[], value: unknown, at: CallSite): Promise<void> {
  const problem = value === undefined ? undefined : problemOf({ extends: value });
  if (problem) findings.push(settingFinding(problem, at));
  else
    for (const source of [value].flat())
      if (typeof source === "string")
        await toldAs(findings, at, () => requireExtended(source, dirname(at.file), [at.file]));
}

function settingFinding(
  { message, hint }: { readonly message: string; readonly hint?: string },
  at: CallSite,
): Finding {
  return { at, code: "E_CONFIG", message, ...(hint === undefined ? {} : { hint }) };
}

/** It says so, or takes settings from elsewhere. */
const mayHaveConnectors = (text: string): boolean =>
  /\b(?:connectors|extends|function|require)\b|\.\.\.|=>|\[\s*[`\w]+\s*\]\s*:|\bimport\b(?![^;\n]*["']tsinfra["'])/.test(
    text,
  );

/** Also what is none of those that there are: only the layers have settings of their own. */
const isSetting = (key: string): boolean => key === "extends" || !LAYER_KEYS.includes(key);
const LAYER = /^\$(?!env$)/;

function settingsOfProgram(file: string): Pick<ConfigSettings, "settings" | "findings"> {
  const text = readFileSync(file, "utf8");
  const program = parseSource(text);
  if (!program) return { settings: [], findings: [] };
  const module = moduleOf(program);
  const placeOf = (node: Node): CallSite => ({ file, ...placeIn(text, spanOf(node)[0]) });
  const standard = module.exports.find(({ name }) => name === "default");
  // Without a default export each export is a setting.
  if (!standard)
    return {
      settings: settingsAmong(
        module.exports.map(({ name, at, value }) => ({ key: name, at, value })),
        module,
        placeOf,
      ),
      findings: [],
    };
  const configs = configsOf(standard.value, module);
  const findings = configs.flatMap(config => {
    const value = membersOf(config, module) ? {} : standIn(config, module);
    const problem = value === COMPUTED || value instanceof Promise ? undefined : problemOf(value);
    return problem ? [settingFinding(problem, placeOf(standard.at))] : [];
  });
  return {
    settings: configs.flatMap(config => settingsAmong(membersOf(config, module) ?? [], module, placeOf)),
    findings,
  };
}

/** A function is called, a promise is waited for. */
function configsOf(node: Node, module: Module): readonly Node[] {
  const found = written(node, module);
  return isFunction(found) ? returned(found) : [found];
}

/** The settings among members, and those of each environment. */
function settingsAmong(
  all: readonly Property[],
  module: Module,
  placeOf: (node: Node) => CallSite,
): readonly Setting[] {
  const layers = all.flatMap(({ key, value }) =>
    key === "$env" ? (membersOf(value, module) ?? []).map(layer => layer.value) : LAYER.test(key) ? [value] : [],
  );
  const layered = layers.flatMap(layer => membersOf(layer, module) ?? []);
  return [...all.map(one => ({ ...one, isAlways: true })), ...layered.map(one => ({ ...one, isAlways: false }))]
    .filter(({ key }) => isSetting(key))
    .map(({ key, at, value, isAlways }) => ({
      key,
      isAlways,
      value: key === "connectors" ? connectorsOf(value, module) : literalOf(value, module),
      at: placeOf(at),
    }));
}

/** Connectors are made of functions, of which it is enough that they are there. */
function connectorsOf(node: Node, module: Module): unknown {
  const found = written(node, module);
  if (found.type !== "ArrayExpression") return literalOf(found, module);
  return found.elements.map(element => {
    const connector = element && written(element, module);
    if (connector?.type !== "ObjectExpression") return connector ? literalOf(connector, module) : undefined;
    const isWhole = connector.properties.every(
      property => property.type !== "SpreadElement" || membersOf(property.argument, module),
    );
    if (!isWhole || connector.properties.some(property => "computed" in property && property.computed)) return COMPUTED;
    const members = membersOf(connector, module) ?? [];
    return Object.fromEntries(members.map(({ key, value }) => [key, memberOf(value, module)]));
  });
}

/** A member of a connector. Of an object it is enough that it is one. */
function memberOf(node: Node, module: Module): unknown {
  const found = written(node, module);
  return found.type === "ObjectExpression" ? {} : standIn(found, module);
}

async function settingsOfDocument(file: string): Promise<readonly Setting[]> {
  const { default: standard, ...named } = await importUserFile(file, undefined);
  const config = isRecord(standard) ? standard : named;
  const place = placesIn(file);
  const environments = Object.entries(config).flatMap(([key, value]) =>
    key === "$env" && isRecord(value) ? Object.values(value) : LAYER.test(key) ? [value] : [],
  );
  return [config, ...environments.filter(isRecord)].flatMap(layer =>
    Object.entries(layer)
      .filter(([key]) => isSetting(key))
      .map(([key, value]) => ({ key, value, at: place(key), isAlways: layer === config })),
  );
}
