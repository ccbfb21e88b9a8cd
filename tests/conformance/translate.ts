/**
 * The one table of differences between pyinfra's shapes and ours: names, values, errors.
 * Nothing here knows a case; an entry is about a name or a kind of value. @module
 */
import type { Fact } from "../../src/core/fact.ts";
import { HostDate } from "../../src/facts/server/host-date.ts";
import { FACT_ALIASES } from "../../src/facts/shared/aliases.ts";
import { OPERATION_ALIASES } from "../../src/operations/shared/aliases.ts";
import type { Json, JsonObject } from "./cases.ts";

/** Argument names that camelCasing alone does not give: MAPPING.md's "natural name". */
const NATURAL: Readonly<Record<string, string>> = {
  basedir: "baseDir",
  baseurl: "baseUrl",
  conffile: "confFile",
  createdb: "createDb",
  createrole: "createRole",
  fname: "fName",
  gpgcheck: "gpgCheck",
  gpgkey: "gpgKey",
  iname: "iName",
  keyid: "keyId",
  keyserver: "keyServer",
  maxdepth: "maxDepth",
  nobest: "noBest",
  reponame: "repoName",
  runlevel: "runLevel",
  sourcedir: "sourceDir",
  srvname: "srvName",
  srvstate: "srvState",
  svdir: "svDir",
  workdir: "workDir",
  _noCheckOwnerMode: "noCheckOwnerMode",
  _noFailOnLink: "noFailOnLink",
};
/** Our name of a camelCased pyinfra argument. */
export const argumentName = (camel: string): string => NATURAL[camel] ?? camel;

/** Names that compare equal: humps, underscores and case do not count. */
export const squash = (name: string): string => name.replaceAll("_", "").toLowerCase();
export const camel = (snake: string): string =>
  snake.replace(/(?<=[^_])_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
export const snake = (name: string): string => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);

/** `module.name` as the registry has it: camelCase, renamed modules and operations, aliases taken to what they stand for. */
export function registryName(module: string, name: string): string {
  const full = [...module.split("."), name].map(camel).join(".");
  return OPERATION_ALIASES[full] ?? FACT_ALIASES[full] ?? full;
}

/** Arguments that are maps of data, or whose keys are: their keys are never renamed. */
const KEYS_ARE_ARGUMENTS = new Set(["virtualenvKwargs"]);
/** Arguments whose numbers are octal modes. */
const IS_MODE = /^mode$|Mode$/;
/** Where names caught by `**` go. */
const REST_ARGUMENT: Readonly<Record<string, string>> = {
  "files.template": "data",
  "server.scriptTemplate": "data",
  "vzctl.set": "settings",
};

/** The arguments to call our operation or fact with. */
export function callArguments(
  target: string,
  bound: { readonly named: JsonObject; readonly varArgs?: readonly Json[]; readonly varKwargs?: JsonObject },
  options: { readonly truthyStrings: boolean },
): Record<string, unknown> {
  const args: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(bound.named)) {
    const ours = argumentName(name);
    const given = argumentValue(ours, value, options);
    if (given !== undefined) args[ours] = given;
  }
  const rest =
    bound.varKwargs &&
    Object.fromEntries(
      Object.entries(bound.varKwargs).map(([key, value]) => [key, argumentValue(key, value, options)]),
    );
  if (typeof args["function"] === "string" || typeof args["exception"] === "string" || bound.varArgs) {
    if (typeof args["function"] === "string")
      args["function"] = Object.defineProperty(() => {}, "name", { value: args["function"] });
    args["args"] = [...(bound.varArgs ?? []), ...(rest ? [rest] : [])];
  } else if (rest) {
    const into = REST_ARGUMENT[target] ?? "properties";
    args[into] = { ...(args[into] as object | undefined), ...rest };
  }
  return args;
}

function argumentValue(name: string, value: Json, { truthyStrings }: { readonly truthyStrings: boolean }): unknown {
  if (value === null) return undefined;
  if (typeof value === "string") {
    if (truthyStrings && /^true$/i.test(value)) return true;
    return value.replace(/^(?:datetime|path):/, "");
  }
  if (typeof value === "number" && IS_MODE.test(name)) return String(value);
  if (isList(value))
    return (value[0] === "set:" ? value.slice(1) : value).map(item => argumentValue("", item, { truthyStrings }));
  if (typeof value === "object") {
    const entries = Object.entries(value).map(([key, item]) => {
      const renamed = KEYS_ARE_ARGUMENTS.has(name) ? argumentName(camel(key)) : key;
      return [renamed, argumentValue(renamed, item, { truthyStrings })];
    });
    return Object.fromEntries(entries);
  }
  return value;
}

/** Keys of fact results that are names of ours, by module: camelCase here, snake_case there. Every other key is data. */
const SCHEMA_KEYS = new Set([
  "uid_hash",
  "newly_installed",
  "not_upgraded",
  "day_of_month",
  "day_of_week",
  "special_time",
  "link_target",
  "used_percent",
  "additional_ips",
  "mask_bits",
  "in_interface",
  "out_interface",
  "to_destination",
  "to_source",
  "to_ports",
  "log_prefix",
  "destination_port",
  "source_port",
  "not_in_interface",
  "not_out_interface",
  "not_protocol",
  "not_source",
  "not_destination",
  "character_set",
  "collation_name",
  "release_meta",
  "limit_type",
  "login_time",
]);
export const resultKey = (key: string): string => (SCHEMA_KEYS.has(key) ? camel(key) : key);

/**
 * Facts that the pyinfra of the cases has not: no case can answer them, so a host of a case knows nothing about them.
 * What an operation does then is what pyinfra did.
 */
export const NEWER_FACTS = new Set([
  "apt.AptDeb822Sources",
  "files.FindLinks",
  "files.SameFile",
  "files.TouchIsBusybox",
  "git.GitLocalCommit",
  "git.GitRemoteBranchCommit",
  "git.GitSubmodulesCurrent",
  "gpg.GpgKeyrings",
]);

/** Facts about a path, and the `type` of ours for which pyinfra gives an object (`false`: another type, `null`: nothing). */
const PATH_FACTS: Readonly<Record<string, string>> = {
  "files.File": "file",
  "files.Directory": "directory",
  "files.Link": "link",
  "files.Socket": "socket",
};
export const pathType = (fact: string): string | undefined => PATH_FACTS[fact];
export const PATH_FACT_NAMES = Object.keys(PATH_FACTS);
/** Facts that answer a path or nothing: pyinfra's data also says `true` and `false`. */
const TRUTH_MEANS_PATH = new Set(["server.Which"]);
/** Facts that are lists, which the data writes as objects: the key is this property of the entry. */
const LISTS_BY_KEY: Readonly<Record<string, string>> = { "crontab.Crontab": "command" };
const PACKAGE_FACT = /(?:Packages|Casks)$/;

/** Facts that tell a file which is not there (`null`) from one in which they find nothing. */
const NULL_IS_NO_FILE = new Set(["files.Block"]);

/** A fact's value as our operation gets it. */
export function decodeFact(
  fact: Fact<object, unknown> & { readonly name: string },
  raw: Json,
  options: { readonly emptyIsFalse: boolean },
): unknown {
  const type = pathType(fact.name);
  if (type) return decodePath(type, raw, options);
  const empty = "empty" in fact ? fact.empty : undefined;
  if (raw === null && NULL_IS_NO_FILE.has(fact.name)) return undefined;
  if (raw === null || (options.emptyIsFalse && isPlain(raw) && isEmptyContainer(raw))) return empty;
  if (TRUTH_MEANS_PATH.has(fact.name)) return raw === false ? empty : raw === true ? "/usr/bin/true" : raw;
  const value = decodeValue(raw);
  const key = LISTS_BY_KEY[fact.name];
  if (key && isPlain(value))
    return Object.entries(value).map(([name, entry]) => ({ [key]: name, ...(entry as object) }));
  if (isEmptyContainer(value) && empty !== undefined && Array.isArray(value) !== Array.isArray(empty))
    return empty instanceof Set ? new Set() : empty;
  if (empty instanceof Set && Array.isArray(value)) return new Set(value);
  if (isPlain(empty) && Array.isArray(value)) return Object.fromEntries(value.map(key => [String(key), {}]));
  if (PACKAGE_FACT.test(fact.name) && isPlain(value))
    return Object.fromEntries(Object.entries(value).map(([name, versions]) => [name, packageVersions(versions)]));
  return value;
}

function packageVersions(versions: unknown): unknown {
  if (typeof versions === "string") return [versions];
  return typeof versions === "boolean" ? [] : versions;
}

/** What is at a path: pyinfra's `{mode: 644}`, `false` and `null` become a union. */
function decodePath(type: string, raw: Json, { emptyIsFalse }: { readonly emptyIsFalse: boolean }): unknown {
  if (raw === null || (emptyIsFalse && isEmptyContainer(raw))) return { type: "absent" };
  if (raw === false)
    return { type: type === "directory" ? "file" : "directory", user: "", group: "", mode: "0000", size: 0 };
  const { mode, ...rest } = isPlain(raw) ? (decodeValue(raw) as Record<string, unknown>) : {};
  return { type, ...rest, ...(mode === undefined ? {} : { mode: String(mode).padStart(4, "0") }) };
}

function decodeValue(raw: Json): unknown {
  if (raw === null) return undefined;
  if (typeof raw === "string") return raw.startsWith("datetime:") ? instant(raw.slice(9)) : raw.replace(/^path:/, "");
  if (isList(raw)) return (raw[0] === "set:" ? raw.slice(1) : raw).map(decodeValue);
  if (typeof raw === "object")
    return Object.fromEntries(
      Object.entries(raw).map(([key, value]) => [
        resultKey(key),
        PAIR_LISTS.has(key) && isPlain(value) ? pairs(value) : decodeValue(value),
      ]),
    );
  return raw;
}

/** Keys of what a tool prints that hold lists of `NAME=value`, and maps in some cases. */
const PAIR_LISTS = new Set(["Env"]);
const pairs = (map: Readonly<Record<string, unknown>>): readonly string[] =>
  Object.entries(map).map(([name, value]) => `${name}=${value}`);

/** A date-time, which remembers its offset; without one it is UTC. */
export function instant(text: string): HostDate {
  const [, sign, hours = "0", minutes = "0"] = /([+-])(\d\d):?(\d\d)$/.exec(text) ?? [];
  const offset = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  return new HostDate(Date.parse(sign || text.endsWith("Z") ? text : `${text}Z`), offset);
}

/** Our value of a path fact as pyinfra has it. */
export function encodePath(fact: string, value: unknown): unknown {
  const type = pathType(fact);
  if (!type || !isPlain(value)) return value;
  if (value["type"] === "absent") return null;
  if (value["type"] !== type) return false;
  const { type: _, mode, ...rest } = value;
  return { ...rest, mode: Number(mode) };
}

/** Our error class for the classes that a case allows. */
const ERRORS: Readonly<Record<string, readonly string[]>> = {
  ValueError: ["OperationValueError"],
  TypeError: ["OperationTypeError"],
  OSError: ["LocalFileError"],
  IOError: ["LocalFileError"],
};
export const errorNames = (names: readonly string[]): readonly string[] =>
  names.flatMap(name => ERRORS[name] ?? [name]);

/** A message without what only grammar and spelling of names change: first letter, full stop, quotes, humps and underscores, `True`. */
export const plainMessage = (text: string): string =>
  text
    .replace(/\.$/, "")
    .replace(/["`']/g, "")
    .replace(/\b[a-z]+(?:_[a-z]+)+\b|\b[a-z]+(?:[A-Z][a-z]*)+\b/g, squash)
    .replace(/\b(?:True|False)\b/g, word => word.toLowerCase())
    .replace(/^./, letter => letter.toLowerCase());

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
export const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value));
const isEmptyContainer = (value: unknown): boolean =>
  Array.isArray(value) ? value.length === 0 : isPlain(value) && Object.keys(value).length === 0;
