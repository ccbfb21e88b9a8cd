/** Find and read `infra.config.ts` and what it extends. @module */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { awaiting } from "../core/awaited.ts";
import { type CallSite, ConfigError, LocalFileError } from "../core/errors.ts";
import { furtherMistakes, isImportFailure, loadFailure } from "../core/load-error.ts";
import { nearest } from "../core/nearest.ts";
import type { PartialSettings } from "./define.ts";
import { layered } from "./merge.ts";
import { isRecord, problemOf, type SettingProblem } from "./schema.ts";

const EXTENSIONS = [".ts", ".mts", ".js", ".mjs", ".json", ".jsonc", ".yaml", ".yml", ".toml"];

export interface ConfigFileOptions {
  /** Directory to look in. */
  readonly cwd: string;
  /** A file to take instead; it must exist. */
  readonly file?: string | undefined;
  /** Which `$env` layer to apply. */
  readonly env?: string | undefined;
  /** Called before a config file is imported, so that it can import `tsinfra`. */
  readonly beforeImport?: ((file: string) => unknown) | undefined;
  /** Keys of host data that connectors read: none of them is a setting, and hints tell so. */
  readonly dataKeys?: readonly string[];
}

export interface ConfigFile {
  /** Absolute path. */
  readonly file: string;
  /** Settings of the file and of what it extends; paths are absolute. */
  readonly settings: PartialSettings;
}

/** `undefined` when there is no config file. Throws `ConfigError` with the place of the mistake. */
export async function loadConfigFile(options: ConfigFileOptions): Promise<ConfigFile | undefined> {
  const main =
    options.file === undefined ? findConfigFile(options.cwd) : requireConfigFile(resolve(options.cwd, options.file));
  if (main === undefined) return undefined;
  const { loadConfig } = await import("c12");
  const seen: string[] = [];
  const importConfig = async (file: string): Promise<unknown> => {
    seen.push(file);
    await options.beforeImport?.(file);
    const config = await importDefault(file);
    check(config, file, options);
    return config;
  };
  try {
    const loaded = await awaiting(`${main}, or what it imports or extends,`, ConfigError, () =>
      loadConfig<Record<string, unknown>>({
        name: "infra",
        cwd: dirname(main),
        configFile: basename(main),
        envName: options.env ?? false,
        dotenv: false,
        rcFile: false,
        globalRc: false,
        packageJson: false,
        giget: false,
        omit$Keys: true,
        merger: layered as never,
        jiti: { import: importConfig } as never,
        resolve: (source, { cwd }) => {
          if (source !== ".") requireExtended(source, cwd ?? options.cwd, seen.length > 0 ? seen : [main]);
          return undefined;
        },
      }),
    );
    const layers = loaded.layers ?? [];
    for (const layer of layers) check(layer.config, fileOf(layer.configFile, layer.cwd, main), options);
    const { extends: _, ...settings } = loaded.config;
    const homes = layers.map(layer => ({
      directory: dirname(fileOf(layer.configFile, layer.cwd, main)),
      config: layer.config,
    }));
    return { file: main, settings: absolutePaths(settings, homes, dirname(main)) };
  } catch (error) {
    if (error instanceof ConfigError || error instanceof LocalFileError) throw error;
    const file = seen.at(-1) ?? main;
    throw failure(await placedError(file, error), file);
  }
}

/** The config file of a directory, if it has one. */
export function findConfigFile(cwd: string): string | undefined {
  for (const [directory, names] of [
    [cwd, ["infra.config"]],
    [join(cwd, ".config"), ["infra", "infra.config"]],
  ] as const) {
    const files = list(directory);
    const found = names
      .flatMap(name => EXTENSIONS.map(extension => name + extension))
      .find(name => files.includes(name));
    if (found !== undefined) return join(directory, found);
  }
  return undefined;
}

function list(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** That file. Throws `ConfigError` when it is none. */
export function requireConfigFile(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat?.isFile()) return file;
  const near = nearest(basename(file), list(dirname(file)));
  throw new ConfigError(
    stat ? `Config "${file}" is not a file` : `Config file "${file}" does not exist`,
    near ? { hint: `Did you mean "${near}"?` } : {},
  );
}

/** Throws `ConfigError` for a file or directory to extend that is not there. `importers` may name it. */
export function requireExtended(source: string, cwd: string, importers: readonly string[]): void {
  const target = resolve(cwd, source);
  if (existsSync(target) || EXTENSIONS.some(extension => existsSync(target + extension))) return;
  const at = importers.map(file => placeOf(file, JSON.stringify(source))).find(place => place !== undefined);
  throw new ConfigError(`Config extends "${source}", which does not exist in ${cwd}`, at ? { at } : {});
}

async function importDefault(file: string): Promise<unknown> {
  const module: unknown = await import(file, file.endsWith(".json") ? { with: { type: "jsonc" } } : {});
  return isRecord(module) && "default" in module ? module["default"] : module;
}

function check(config: unknown, file: string, { env, dataKeys }: ConfigFileOptions): void {
  // A function is called by the loader, and its result is checked as a layer.
  if (config === undefined || typeof config === "function") return;
  const problem = problemOf(config, dataKeys);
  if (problem) throw settingError(problem, file);
  if (!isRecord(config) || env === undefined) return;
  const environments = [
    ...(isRecord(config["$env"]) ? Object.keys(config["$env"]) : []),
    ...Object.keys(config).flatMap(key => /^\$(?!env$)(.+)$/.exec(key)?.[1] ?? []),
  ];
  const near = environments.includes(env) ? undefined : nearest(env, environments);
  if (near !== undefined)
    throw new ConfigError(`Environment "${env}" is not in ${file}`, { hint: `Did you mean "${near}"?` });
}

function settingError(problem: SettingProblem, file: string): ConfigError {
  return new ConfigError(problem.message, {
    at: keyPlace(file, problem.key) ?? { file, line: 1, column: 1 },
    ...(problem.hint ? { hint: problem.hint } : {}),
  });
}

/** Bun's parsers of YAML and TOML say where a mistake is, those of c12 say it in prose. */
async function placedError(file: string, error: unknown): Promise<unknown> {
  if (!/\.(?:ya?ml|toml)$/.test(file)) return error;
  return import(file).then(
    () => error,
    (placed: unknown) => placed,
  );
}

function failure(error: unknown, file: string): ConfigError {
  const { message, ...found } = loadFailure(error, { file, source: textOf });
  return new ConfigError([message, ...furtherMistakes(error)].join("\n"), {
    ...found,
    cause: isImportFailure(error) ? undefined : error,
  });
}

const fileOf = (configFile: string | undefined, cwd: string | undefined, main: string): string => {
  const file = resolve(cwd ?? dirname(main), configFile ?? main);
  return existsSync(file) ? file : main;
};

/** Paths mean the directory of the file that names them. */
function absolutePaths(
  settings: Record<string, unknown>,
  homes: readonly { readonly directory: string; readonly config: Readonly<Record<string, unknown>> | null }[],
  fallback: string,
): PartialSettings {
  const home = (key: string): string => homes.find(layer => layer.config?.[key] !== undefined)?.directory ?? fallback;
  const changed = { ...settings };
  const { inventory, groupData } = settings;
  if (typeof inventory === "string") {
    const [path = "", name] = inventory.split(/:(?=[A-Za-z_$][\w$]*$)/);
    const absolute = resolve(home("inventory"), path);
    if (existsSync(absolute) && !inventory.startsWith("@"))
      changed["inventory"] = name === undefined ? absolute : `${absolute}:${name}`;
  }
  if (groupData !== undefined)
    changed["groupData"] = [groupData].flat().map(path => resolve(home("groupData"), String(path)));
  return changed;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** Where a setting of a config file is written; `undefined` where another file that it extends has it. */
export function keyPlace(file: string, key: string): CallSite | undefined {
  const name = key.replace(/\W/g, "\\$&");
  return placeOf(file, new RegExp(`(?<![\\w$.])["']?${name}["']?\\s*[:=,}]`));
}

function placeOf(file: string, what: string | RegExp): CallSite | undefined {
  const lines = textOf(file)?.split("\n") ?? [];
  for (const [index, line] of lines.entries()) {
    const column = typeof what === "string" ? line.indexOf(what) : line.search(what);
    if (column >= 0) return { file, line: index + 1, column: column + 1 };
  }
  return undefined;
}
