/** Names and kinds of all settings, and the check of a value against them. @module */
import { GLOBAL_ARGUMENTS } from "../core/arguments.ts";
import { Secret } from "../core/command.ts";
import type { Config } from "../core/config.ts";
import { nearest } from "../core/nearest.ts";
import type { InfraConfig } from "./define.ts";

export type SettingKind =
  | "boolean"
  | "string"
  | "secret"
  | "count"
  | "seconds"
  | "percent"
  | "strings"
  | "env"
  | "data"
  | "shell"
  | "output"
  | "connectors";

/** Every setting; `$…` layers and `extends` are the loader's. */
export const SETTINGS: Readonly<
  Record<keyof Config | Exclude<keyof InfraConfig, `$${string}` | "extends">, SettingKind>
> = {
  sudo: "boolean",
  sudoUser: "string",
  sudoPassword: "secret",
  useSudoLogin: "boolean",
  preserveSudoEnv: "boolean",
  suUser: "string",
  suPassword: "secret",
  useSuLogin: "boolean",
  preserveSuEnv: "boolean",
  suShell: "string",
  doas: "boolean",
  doasUser: "string",
  dzdo: "boolean",
  dzdoUser: "string",
  shell: "shell",
  env: "env",
  inheritEnv: "strings",
  ignoreErrors: "boolean",
  retry: "count",
  retryDelay: "seconds",
  tempDir: "string",
  diff: "boolean",
  parallel: "count",
  failPercent: "percent",
  connectTimeout: "seconds",
  factMaxAge: "seconds",
  factTimeout: "seconds",
  inventory: "string",
  groupData: "strings",
  limit: "strings",
  exclude: "strings",
  data: "data",
  serial: "boolean",
  noWait: "boolean",
  output: "output",
  verbosity: "count",
  connectors: "connectors",
};

export const SETTING_NAMES: readonly string[] = Object.keys(SETTINGS);
/** What stands beside settings in a config: the loader takes it. */
export const LAYER_KEYS: readonly string[] = ["extends", "$env", "$production", "$development", "$test"];

/** What is wrong with a setting. */
export interface SettingProblem {
  readonly key: string;
  readonly message: string;
  readonly hint?: string;
}

/** The first problem of a config object, `undefined` when it is usable. `dataKeys` are those of host data that connectors read. */
export function problemOf(
  config: unknown,
  dataKeys: readonly string[] = [],
  layers = true,
): SettingProblem | undefined {
  if (!isRecord(config)) return { key: "", message: `Config must be an object, found ${describe(config)}` };
  for (const [key, value] of Object.entries(config)) {
    const problem =
      layers && LAYER_KEYS.includes(key)
        ? layerProblem(key, value, dataKeys)
        : settingProblem(key, value, dataKeys, layers);
    if (problem) return problem;
  }
  return undefined;
}

/** The problem with one setting's value; `undefined` values are as good as absent. */
export function settingProblem(
  key: string,
  value: unknown,
  dataKeys: readonly string[] = [],
  layers = true,
): SettingProblem | undefined {
  const kind = (SETTINGS as Readonly<Record<string, SettingKind | undefined>>)[key];
  if (!kind) {
    const hint = settingHint(key, dataKeys, layers);
    return { key, message: `Unknown setting "${key}"`, ...(hint === undefined ? {} : { hint }) };
  }
  if (value === undefined) return undefined;
  const rule = RULES[kind];
  return rule.accepts(value)
    ? undefined
    : { key, message: `Setting "${key}" must be ${rule.wanted}, found ${rule.found?.(value) ?? describe(value)}` };
}

function settingHint(key: string, dataKeys: readonly string[], layers: boolean): string | undefined {
  // Before what is only spelled alike: `sshUser` is not meant for `suUser`.
  const datum = dataKeys.find(one => letters(one) === letters(SSH_WORDS[key] ?? key));
  if (datum !== undefined) return `"${datum}" is host data: for all hosts it stands in data: { ${datum}: … }`;
  const near = nearest(key, layers ? [...SETTING_NAMES, ...LAYER_KEYS] : SETTING_NAMES);
  if (near !== undefined) return `Did you mean "${near}"?`;
  const global = Object.hasOwn(GLOBAL_ARGUMENTS, key) ? key : nearest(key, Object.keys(GLOBAL_ARGUMENTS));
  return global?.startsWith("_") === true
    ? `"${global}" is a global argument: as a default for all operations it stands in data: { ${global}: … }`
    : undefined;
}

/** What other tools call the connection's. */
const SSH_WORDS: Readonly<Record<string, string>> = { user: "sshUser", port: "sshPort", key: "sshKey" };

/** What is left of a name where neither case nor underscores count. */
const letters = (key: string): string => key.replaceAll("_", "").toLowerCase();

/** A value as a person would name it; text is shown, a secret is not. */
export function describe(value: unknown): string {
  if (typeof value === "string") return `"${value}"`;
  if (Array.isArray(value)) return "a list";
  if (value === null || typeof value === "number" || typeof value === "boolean" || typeof value === "undefined")
    return String(value);
  if (value instanceof Secret) return "a secret";
  return typeof value === "function" ? "a function" : "an object";
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Secret);

function layerProblem(key: string, value: unknown, dataKeys: readonly string[]): SettingProblem | undefined {
  if (key === "extends") {
    if (!RULES.strings.accepts(value))
      return { key, message: `Setting "extends" must be ${RULES.strings.wanted}, found ${describe(value)}` };
    const remote = [value].flat().find(source => typeof source === "string" && REMOTE.test(source));
    if (remote === undefined) return undefined;
    return {
      key,
      message: `Config cannot extend "${String(remote)}"`,
      hint: "Only files and directories of this machine can be extended",
    };
  }
  if (key !== "$env") return problemOf(value, dataKeys, false);
  if (!isRecord(value))
    return { key, message: `Setting "$env" must be an object of environments, found ${describe(value)}` };
  return Object.values(value)
    .map(layer => problemOf(layer, dataKeys, false))
    .find(problem => problem !== undefined);
}
const REMOTE = /^[a-z][a-z0-9+.-]*:/i;

interface Rule {
  readonly wanted: string;
  accepts(value: unknown): boolean;
  /** What is wrong with such a value, where more can be said than what it is. */
  found?(value: unknown): string | undefined;
}
const isText = (value: unknown): value is string => typeof value === "string";
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value) && value >= 0;
const isVariable = (value: unknown): boolean => isText(value) || typeof value === "number" || value instanceof Secret;
/** What is missing of a connector, `undefined` of one that is whole. */
function missingOfConnector(value: unknown): string | undefined {
  if (!isRecord(value)) return describe(value);
  if (!isText(value["name"])) return "one without a name";
  if (!CONNECTOR_NAME.test(value["name"]))
    return `one named "${value["name"]}": a name has small letters, digits and dashes, and begins with a letter`;
  const missing = [
    ...["can", "dataKeys"].filter(key => !isRecord(value[key])),
    ...(["connect", "hosts"].some(key => typeof value[key] === "function") ? [] : ["connect or hosts"]),
  ];
  const member = ["hosts", "connect", "expect", "explain", "close"].find(
    key => value[key] !== undefined && typeof value[key] !== "function",
  );
  if (missing.length === 0 && member !== undefined)
    return `"${value["name"]}" whose "${member}" is ${describe(value[member])}`;
  return missing.length === 0 ? undefined : `"${value["name"]}" without ${missing.join(", and without ")}`;
}
const CONNECTOR_NAME = /^[a-z][a-z0-9-]*$/;
const OUTPUTS = ["pretty", "plain", "json"];

const RULES: Readonly<Record<SettingKind, Rule>> = {
  boolean: { wanted: "true or false", accepts: value => typeof value === "boolean" },
  string: { wanted: "a string", accepts: isText },
  secret: { wanted: "a string or a secret", accepts: value => isText(value) || value instanceof Secret },
  count: { wanted: "a whole number, 0 or more", accepts: value => isNumber(value) && Number.isInteger(value) },
  seconds: { wanted: "a number of seconds, 0 or more", accepts: isNumber },
  percent: { wanted: "a number from 0 to 100", accepts: value => isNumber(value) && value <= 100 },
  strings: { wanted: "a string or a list of strings", accepts: value => [value].flat().every(isText) },
  env: {
    wanted: "an object of strings and numbers",
    accepts: value => isRecord(value) && Object.values(value).every(isVariable),
    found: value => {
      if (!isRecord(value)) return undefined;
      const [name, wrong] = Object.entries(value).find(([, item]) => !isVariable(item)) ?? [];
      return name === undefined ? undefined : `${name}: ${describe(wrong)}`;
    },
  },
  data: { wanted: "an object", accepts: isRecord },
  shell: { wanted: "the name of a shell, or false", accepts: value => isText(value) || value === false },
  connectors: {
    wanted: "a list of connectors, each with name, can, dataKeys, and connect or hosts",
    accepts: value => Array.isArray(value) && value.every(one => missingOfConnector(one) === undefined),
    found: value => (Array.isArray(value) ? value.map(missingOfConnector).find(one => one !== undefined) : undefined),
  },
  output: { wanted: `one of ${OUTPUTS.join(", ")}`, accepts: value => isText(value) && OUTPUTS.includes(value) },
};
