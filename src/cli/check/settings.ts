/** What a config file says, read without running it. @module */
import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { isRecord, settingProblem } from "../../config/index.ts";
import type { CallSite } from "../../core/errors.ts";
import { importUserFile } from "../../inventory/file.ts";
import { type Finding, placesIn, toldAs } from "./finding.ts";
import { COMPUTED, isComputed, literalOf, membersOf, type Module, moduleOf, written } from "./literals.ts";
import { PROGRAMS } from "./sources.ts";
import { standIn } from "./stand-ins.ts";
import { type Node, parseSource, placeIn, spanOf } from "./syntax.ts";

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

/** All settings of a config. */
export async function settingsIn(file: string): Promise<ConfigSettings> {
  const findings: Finding[] = [];
  const settings: Setting[] = [];
  await toldAs(findings, { file, line: 1, column: 1 }, async () => {
    settings.push(...(PROGRAMS.includes(extname(file)) ? settingsOfProgram(file) : await settingsOfDocument(file)));
  });
  for (const { key, value, at } of settings) {
    const problem = isComputed(value) ? undefined : settingProblem(key, value);
    if (problem)
      findings.push({
        at,
        code: "E_CONFIG",
        message: problem.message,
        ...(problem.hint === undefined ? {} : { hint: problem.hint }),
      });
  }
  return { settings, findings, hasConnectors: mayHaveConnectors(readFileSync(file, "utf8")) };
}

/** It says so, or takes settings from elsewhere. */
const mayHaveConnectors = (text: string): boolean =>
  /\b(?:connectors|extends|function|require)\b|\.\.\.|=>|\[\s*[`\w]+\s*\]\s*:|\bimport\b(?![^;\n]*["']tsinfra["'])/.test(
    text,
  );

const LAYER = /^\$(?!env$)/;

function settingsOfProgram(file: string): readonly Setting[] {
  const text = readFileSync(file, "utf8");
  const program = parseSource(text);
  if (!program) return [];
  const module = moduleOf(program);
  const config = module.exports.find(({ name }) => name === "default")?.value;
  const all = (config && membersOf(config, module)) ?? [];
  const layers = all.flatMap(({ key, value }) =>
    key === "$env" ? (membersOf(value, module) ?? []).map(layer => layer.value) : LAYER.test(key) ? [value] : [],
  );
  const layered = layers.flatMap(layer => membersOf(layer, module) ?? []);
  return [...all.map(one => ({ ...one, isAlways: true })), ...layered.map(one => ({ ...one, isAlways: false }))]
    .filter(({ key }) => !key.startsWith("$") && key !== "extends")
    .map(({ key, at, value, isAlways }) => ({
      key,
      isAlways,
      value: key === "connectors" ? connectorsOf(value, module) : literalOf(value, module),
      at: { file, ...placeIn(text, spanOf(at)[0]) },
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
      .filter(([key]) => !key.startsWith("$") && key !== "extends")
      .map(([key, value]) => ({ key, value, at: place(key), isAlways: layer === config })),
  );
}
