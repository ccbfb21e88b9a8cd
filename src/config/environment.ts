/** Settings from `TSINFRA_*` environment variables. @module */
import { Secret } from "../core/command.ts";
import { ConfigError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import type { PartialSettings } from "./define.ts";
import { SETTINGS, SETTING_NAMES, type SettingKind, settingProblem } from "./schema.ts";

const PREFIX = "TSINFRA_";
/** Variables that are not settings: which config file and environment to take, `-y`, and what to show of internal errors. */
const OTHER_VARIABLES = ["TSINFRA_CONFIG", "TSINFRA_ENV", "TSINFRA_YES", "TSINFRA_DEBUG", "TSINFRA_FAST"] as const;

/** What the environment sets, and warnings about variables that look like settings and are none. */
export interface EnvironmentSettings {
  readonly settings: PartialSettings;
  readonly warnings: readonly string[];
}

/** `TSINFRA_SUDO_USER` sets `sudoUser`. Lists are separated by commas, `data` and `env` are JSON objects. An empty variable is as good as none. */
export function environmentSettings(environment: Readonly<Record<string, string | undefined>>): EnvironmentSettings {
  const settings: Record<string, unknown> = {};
  const warnings: string[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (
      !name.startsWith(PREFIX) ||
      text === undefined ||
      text === "" ||
      (OTHER_VARIABLES as readonly string[]).includes(name)
    )
      continue;
    const key = BY_VARIABLE.get(name);
    if (key === undefined) {
      const near = nearest(
        name.slice(PREFIX.length),
        [...BY_VARIABLE.keys(), ...OTHER_VARIABLES].map(known => known.slice(PREFIX.length)),
      );
      warnings.push(`Unknown environment variable ${name} is ignored${near ? `: did you mean ${PREFIX}${near}?` : ""}`);
      continue;
    }
    settings[key] = settingFromText(key, text, `Environment variable ${name}`);
  }
  return { settings, warnings };
}

/** `sudoUser` becomes `TSINFRA_SUDO_USER`. */
export const variableOf = (setting: string): string =>
  PREFIX + setting.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase();

const BY_VARIABLE = new Map(SETTING_NAMES.map(name => [variableOf(name), name] as const));

/** Turn text into a setting's value. Throws `ConfigError`, beginning with `what`. */
function settingFromText(key: string, text: string, what: string): unknown {
  const kind = (SETTINGS as Readonly<Record<string, SettingKind | undefined>>)[key] ?? "string";
  const value = READ[kind](text);
  const problem = settingProblem(key, value);
  if (problem) throw new ConfigError(`${what} is not usable: ${problem.message}`);
  return value;
}

const same = (text: string): unknown => text;
const number = (text: string): unknown => (text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text);
const boolean = (text: string): unknown => BOOLEANS[text.toLowerCase()] ?? text;
const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  "1": true,
  yes: true,
  on: true,
  false: false,
  "0": false,
  no: false,
  off: false,
};
const json = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

const READ: Readonly<Record<SettingKind, (text: string) => unknown>> = {
  boolean,
  string: same,
  secret: text => new Secret(text),
  count: number,
  seconds: number,
  percent: number,
  strings: text =>
    text
      .split(",")
      .map(part => part.trim())
      .filter(Boolean),
  env: json,
  data: json,
  shell: text => (["false", "none"].includes(text.toLowerCase()) ? false : text),
  output: same,
  // Nothing that text could say.
  connectors: same,
};

/** Whether an environment variable says yes. Throws `ConfigError` for what is neither yes nor no. */
export function flagVariable(name: string, text: string | undefined): boolean {
  if (text === undefined || text === "") return false;
  const value = boolean(text);
  if (typeof value !== "boolean")
    throw new ConfigError(`Environment variable ${name} must be true or false, found "${text}"`);
  return value;
}
