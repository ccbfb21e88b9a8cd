/** From global arguments, as the user gave them, to how a command is run. @module */
import { type ConnectorArguments, GLOBAL_ARGUMENTS, type GlobalArguments } from "../../core/arguments.ts";
import { Secret } from "../../core/command.ts";
import type { Config } from "../../core/config.ts";
import { canChange, Copies } from "../../core/copy.ts";
import { GlobalArgumentError, OperationTypeError } from "../../core/errors.ts";
import { hasKeys, isPlainObject, kindOf } from "../../core/kind.ts";
import { memberPath } from "../../core/member-path.ts";
import { nearest } from "../../core/nearest.ts";
import type { Surroundings } from "./escalation.ts";

/** Global arguments with every layer applied. */
export interface ResolvedArguments {
  readonly all: GlobalArguments;
  readonly surroundings: Surroundings;
  /** Equal for equal surroundings. */
  readonly surroundingsKey: string;
  /** `_stdin` as bytes. */
  readonly input: Uint8Array | undefined;
}

/** What surrounds a call, strongest first. */
export interface ArgumentLayers {
  /** From `host.overrideArguments`, `host.when`, `deploy()`, merged already. */
  readonly context: GlobalArguments;
  /** Host data: its keys that are global arguments. */
  readonly host: GlobalArguments;
  readonly config: Readonly<Config>;
  /** Variables named by `config.inheritEnv`. */
  readonly inheritedEnv: Readonly<Record<string, string>>;
}

/** The arguments in force at a place: its blocks and deploys, then host data, then `config`. `_env` merges. */
export function resolveArguments({ context, host, config, inheritedEnv }: ArgumentLayers): ResolvedArguments {
  const all: Record<string, unknown> = {};
  for (const [name, { config: setting }] of GLOBAL_ENTRIES) {
    const value = context[name] ?? host[name] ?? (setting === undefined ? undefined : config[setting as keyof Config]);
    if (value !== undefined) all[name] = value;
  }
  all["_env"] = { ...inheritedEnv, ...config.env, ...host._env, ...context._env };
  return resolved(all);
}

/** The same with stronger arguments on top: variables merge, conditions add up. */
export function overrideArguments(base: ResolvedArguments, own: GlobalArguments): ResolvedArguments {
  const names = Object.keys(own);
  if (names.length === 0) return base;
  const all = mergeArguments(base.all, own);
  // Most calls say nothing about how to run: what that takes is then shared between them.
  return names.every(name => META_ARGUMENTS.has(name)) ? { ...base, all } : resolved(all);
}

/** Inner arguments win, conditions add up, variables merge. */
export function mergeArguments(outer: GlobalArguments, inner: GlobalArguments): GlobalArguments {
  const conditions =
    inner._if === undefined ? outer._if : [outer._if, inner._if].flat().filter(condition => condition !== undefined);
  return {
    ...outer,
    ...inner,
    ...(conditions === undefined ? {} : { _if: conditions }),
    ...(inner._env ? { _env: { ...outer._env, ...inner._env } } : {}),
  };
}

function resolved(all: GlobalArguments): ResolvedArguments {
  const surroundings = toSurroundings(all);
  return {
    all,
    surroundings,
    surroundingsKey: keyOf(surroundings),
    input: all._stdin === undefined ? undefined : toInput(all._stdin),
  };
}

/** Equal text for equal values, secrets included: for looking things up, never for output. */
export function keyOf(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, name, item) {
    // A secret has become `***` by the time it gets here; its holder still has it.
    const held = this[name];
    return held instanceof Secret ? { secret: held.reveal() } : item;
  });
}

/** Tell global arguments from an operation's own, as all of them are now, and check them. Throws `GlobalArgumentError`, and `OperationTypeError` for what is no object. */
export function splitArguments<A extends object>(
  what: string,
  given: A & GlobalArguments,
  forFact = false,
): { own: A; globals: GlobalArguments } {
  if (!hasKeys(given))
    throw new OperationTypeError(`The arguments of ${what} must be an object, found ${kindOf(given)}`);
  const own: Record<string, unknown> = {};
  const globals: Record<string, unknown> = {};
  let copies: Copies | undefined;
  for (const [name, value] of Object.entries(given)) {
    if (!name.startsWith("_") && (forFact || name !== "name")) {
      own[name] = canChange(value) ? (copies ??= new Copies()).of(value) : value;
      continue;
    }
    const known = (GLOBAL_ARGUMENTS as Record<string, { kind: string; fact: boolean }>)[name];
    if (!known || (forFact && !known.fact)) {
      const usable = GLOBAL_ENTRIES.filter(([, { fact }]) => fact || !forFact).map(([one]) => one);
      const near = nearest(name, usable);
      throw new GlobalArgumentError(`${what} has no global argument "${name}"`, {
        hint: near ? `The nearest is "${near}"` : "tsinfra docs global-arguments lists them",
      });
    }
    if (value === undefined) continue;
    checkKind(what, name, known.kind, value);
    globals[name] = canChange(value) ? (copies ??= new Copies()).of(value) : value;
  }
  return { own: own as A, globals };
}

/** Those keys of host data that are global arguments. */
export function globalsOfData(what: string, data: Readonly<Record<string, unknown>>): GlobalArguments {
  // By their names alone: reading a key of host data gives the host a copy of what it holds.
  const names = Reflect.ownKeys(data).filter(name => Object.hasOwn(GLOBAL_ARGUMENTS, name) && name !== "name");
  return splitArguments(what, Object.fromEntries(names.map(name => [name, data[name as string]]))).globals;
}

const GLOBAL_ENTRIES = Object.entries(GLOBAL_ARGUMENTS) as [
  keyof GlobalArguments,
  (typeof GLOBAL_ARGUMENTS)[keyof GlobalArguments],
][];

const META_ARGUMENTS: ReadonlySet<string> = new Set(
  GLOBAL_ENTRIES.filter(([, { kind, fact }]) => !fact || kind === "exit codes").map(([name]) => name),
);

function toSurroundings(all: GlobalArguments): Surroundings {
  const user = (name: string | undefined): { user?: string } => (name === undefined ? {} : { user: name });
  return {
    shell: all._shellExecutable ?? "sh",
    env: all._env ?? {},
    ...(all._chdir === undefined ? {} : { chdir: all._chdir }),
    ...(all._doas ? { doas: user(all._doasUser) } : {}),
    ...(all._dzdo ? { dzdo: user(all._dzdoUser) } : {}),
    ...(all._sudo
      ? {
          sudo: {
            ...user(all._sudoUser),
            login: all._useSudoLogin ?? false,
            preserveEnv: all._preserveSudoEnv ?? false,
            ...(all._sudoPassword === undefined ? {} : { password: toSecret(all._sudoPassword) }),
          },
        }
      : {}),
    ...(all._suUser !== undefined
      ? {
          su: {
            user: all._suUser,
            login: all._useSuLogin ?? false,
            preserveEnv: all._preserveSuEnv ?? false,
            ...(all._suShell === undefined ? {} : { shell: all._suShell }),
            ...(all._suPassword === undefined ? {} : { password: toSecret(all._suPassword) }),
          },
        }
      : {}),
  };
}

const toSecret = (value: string | Secret): Secret => (value instanceof Secret ? value : new Secret(value));

function toInput(input: NonNullable<ConnectorArguments["_stdin"]>): Uint8Array {
  if (input instanceof Uint8Array) return input;
  if (input instanceof Secret) return Buffer.from(input.reveal());
  return Buffer.from(typeof input === "string" ? input : input.map(line => `${line}\n`).join(""));
}

const isText = (value: unknown): boolean => typeof value === "string";
const LONGEST_SECONDS = 2_147_483;
/** What a kind of argument takes. */
interface Kind {
  readonly wanted: string;
  accepts(value: unknown): boolean;
  /** What each item takes, where the value is a list or an object. */
  readonly item?: { readonly wanted: string; accepts(value: unknown): boolean };
}
const isFunction = (value: unknown): boolean => typeof value === "function";
const itemsOf = (value: unknown): readonly (readonly [path: string, item: unknown])[] => {
  if (Array.isArray(value)) return value.map((item, index) => [`[${index}]`, item] as const);
  return isPlainObject(value) ? Object.entries(value).map(([key, item]) => [memberPath(key), item] as const) : [];
};

const KINDS: Readonly<Record<string, Kind>> = {
  boolean: { wanted: "true or false", accepts: value => typeof value === "boolean" },
  string: { wanted: "a string", accepts: isText },
  secret: { wanted: "a string or a Secret", accepts: value => isText(value) || value instanceof Secret },
  count: { wanted: "a whole number of 0 or more", accepts: value => Number.isInteger(value) && Number(value) >= 0 },
  // Longer ones no timer of this machine can measure.
  seconds: {
    wanted: `a number of seconds from 0 to ${LONGEST_SECONDS}`,
    accepts: value => typeof value === "number" && value >= 0 && value <= LONGEST_SECONDS,
  },
  function: { wanted: "a function", accepts: isFunction },
  shell: { wanted: "the name of a shell, or false", accepts: value => isText(value) || value === false },
  condition: {
    wanted: "a function or a list of functions",
    accepts: value => isFunction(value) || Array.isArray(value),
    item: { wanted: "a function", accepts: isFunction },
  },
  "exit codes": {
    wanted: "a list of numbers",
    accepts: Array.isArray,
    item: { wanted: "a number", accepts: code => typeof code === "number" },
  },
  input: {
    wanted: "a string, a list of strings, bytes or a Secret",
    accepts: value => isText(value) || value instanceof Uint8Array || value instanceof Secret || Array.isArray(value),
    item: { wanted: "a string", accepts: isText },
  },
  env: {
    wanted: "an object of variables",
    accepts: isPlainObject,
    item: {
      wanted: "a string, a number or a Secret",
      accepts: item => isText(item) || typeof item === "number" || item instanceof Secret,
    },
  },
};

function checkKind(what: string, name: string, kind: string, value: unknown): void {
  const { accepts, wanted, item } = KINDS[kind]!;
  if (!accepts(value)) throw wrongKind(what, name, wanted, value);
  for (const [path, found] of item ? itemsOf(value) : [])
    if (item && !item.accepts(found)) throw wrongKind(what, `${name}${path}`, item.wanted, found);
  const variable =
    kind === "env" && isPlainObject(value) && Object.keys(value).find(key => !/^[A-Za-z_]\w*$/.test(key));
  if (typeof variable === "string")
    throw new GlobalArgumentError(
      `${what} was given "${name}${memberPath(variable)}": names of variables are letters, digits and underscores`,
    );
}

function wrongKind(what: string, place: string, wanted: string, found: unknown): GlobalArgumentError {
  return new GlobalArgumentError(`${what} was given "${place}" as ${describe(found)}: it takes ${wanted}`, {
    hint: hintFor(wanted, found),
  });
}

function hintFor(wanted: string, found: unknown): string | undefined {
  const takesFunction = wanted.startsWith(KINDS["function"]!.wanted);
  if (found instanceof Promise)
    return takesFunction
      ? "It takes a function: wait for the value before it, and write `() => …`"
      : "Put `await` before it";
  const isHandle = typeof found === "object" && found !== null && "didChange" in found;
  return takesFunction && isHandle ? "Pass its didChange" : undefined;
}

function describe(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (value instanceof Promise) return "a promise";
  if (value instanceof Secret) return "a Secret";
  if (typeof value === "object" && value !== null && !Array.isArray(value) && !isPlainObject(value)) return "an object";
  return jsonOf(value) ?? String(value);
}

/** `undefined` for what holds itself. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return typeof value === "object" ? "an object" : undefined;
  }
}
