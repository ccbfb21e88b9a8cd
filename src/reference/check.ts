/** Arguments checked against what the types say, for those who write without types or get past them. @module */
import { GLOBAL_ARGUMENTS } from "../core/arguments.ts";
import { Secret, Shell } from "../core/command.ts";
import { OperationTypeError } from "../core/errors.ts";
import { memberPath } from "../core/member-path.ts";
import { didYouMean, nearest } from "../core/nearest.ts";
import type { ObjectType, Signature, Signatures, ValueType } from "./model.ts";
import { strayText, type StrayText, type Word } from "./stray-text.ts";
import { wanted } from "./wanted.ts";
import { hasKeys, kindOf } from "../core/kind.ts";

/**
 * Checks the arguments of an operation or a fact, by its name, before anything runs. Throws `OperationTypeError`.
 * Those that are not ours take what they like, but text that was made of a promise, of a function, of another object or of nothing nobody takes, as far as that can be told from the text;
 * neither in `globals`, whose types others check.
 */
export type CheckArguments = (name: string, args: object, globals?: object) => void;

/** A check that knows these signatures. */
export function argumentCheck({ operations, facts, aliases }: Signatures): CheckArguments {
  // Names of facts have capitals, those of operations have none.
  const find = (name: string): Signature | undefined => own(operations, name) ?? own(facts, name);
  return (name, args, globals = {}) => {
    const signature = find(name) ?? find(own(aliases, name) ?? "");
    check(name, signature, args);
    checkText(name, signature, args);
    checkText(name, undefined, globals);
  };
}

const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

function check(name: string, signature: Signature | undefined, args: object): void {
  if (!signature) return;
  if (!hasKeys(args)) {
    const { positional = [], required = [], fields } = signature;
    const [first] = [...positional, ...required, ...Object.keys(fields)];
    // What may be a secret is not shown.
    const found = Object.values(fields).some(holdsSecret) ? described(args) : shown(args);
    const object = first === undefined ? "{ … }" : `{ ${first}: … }`;
    throw new OperationTypeError(`The arguments of ${name} must be an object, found ${found}`, {
      hint: `Write ${signature.positional ? `${name}(${object})` : object}`,
    });
  }
  for (const key of Object.keys(args)) {
    if (own(signature.fields, key) === undefined && !signature.rest) throw unknownArgument(name, key, signature);
  }
  for (const key of signature.required ?? []) {
    if (Reflect.get(args, key) === undefined)
      throw new OperationTypeError(`Missing argument "${key}" of ${name}${wantedNote(signature.fields[key])}`, {
        hint: `tsinfra docs ${name} tells its arguments`,
      });
  }
  for (const [key, value] of Object.entries(args)) {
    const type = own(signature.fields, key) ?? signature.rest;
    const mismatch = type && value !== undefined ? mismatchOf(type, value) : undefined;
    if (type && mismatch) {
      const wrong = wrongArgument(name, key, type, mismatch);
      wrong.hint ??= contentHint(signature, mismatch.value);
      throw wrong;
    }
  }
}

/** Text that was made of what is none. What a program says is not judged: `x = undefined` is JavaScript. */
function checkText(name: string, signature: Signature | undefined, args: object): void {
  if (typeof args !== "object" || args === null) return;
  const entries = Object.entries(args);
  const isForProgram = entries.some(([, value]) => isProgram(value));
  for (const [key, value] of entries) {
    const found = strayText(value, isForProgram && !isProgram(value));
    if (!found) continue;
    const type = signature && (own(signature.fields, key) ?? signature.rest);
    throw strayArgument(name, key, found, key === "name" || (type !== undefined && !holdsSecret(type)));
  }
}

function strayArgument(
  name: string,
  argument: string,
  { path, stray, line }: StrayText,
  isShown: boolean,
): OperationTypeError {
  const place = `Argument "${argument}${path}" of ${name}`;
  const text = isShown && line !== undefined ? `: ${shown(line.trim())}` : "";
  switch (stray) {
    case "promise":
      return new OperationTypeError(`${place} is a promise`, { hint: AWAIT });
    case "promise text":
      return new OperationTypeError(`${place} holds a promise in place of its value${text}`, { hint: AWAIT });
    case "function text":
      return new OperationTypeError(`${place} holds a function in place of its result`, {
        hint: "Call it: write `()` behind it",
      });
    case "object text":
      return new OperationTypeError(`${place} holds an object in place of text${text}`, {
        hint: "Write which of its values is meant; an operation has its output in stdout, once it has run",
      });
    case "date":
      return new OperationTypeError(`${place} is an invalid date`, { hint: NO_DATE });
    default:
      return new OperationTypeError(`${place} holds "${stray}" in place of a value${text}`, {
        hint: WORD_HINTS[stray],
      });
  }
}
const AWAIT = "Put `await` before it";
const MISSING = 'Say what stands there when the value is missing: `value ?? "…"`';
const NO_NUMBER = "It was made of what is no number: ask `Number.isFinite(value)` before";
const NO_DATE = "It was made of what is no date: ask `Number.isNaN(date.getTime())` before";
const WORD_HINTS: Readonly<Record<Word, string>> = {
  undefined: MISSING,
  null: MISSING,
  NaN: NO_NUMBER,
  Infinity: NO_NUMBER,
  "Invalid Date": NO_DATE,
};

const isProgram = (value: unknown): boolean => typeof value === "string" && /^\S+\.[cm]?[jt]sx?$/.test(value);

const wantedNote = (type: ValueType | undefined): string =>
  type === undefined || type === "unknown" ? "" : `: ${wanted(type)}`;

function unknownArgument(name: string, key: string, { fields }: Signature): OperationTypeError {
  const names = Object.keys(fields);
  if (Object.hasOwn(GLOBAL_ARGUMENTS, `_${key}`))
    return new OperationTypeError(`Unknown argument "${key}" of ${name}`, {
      hint: `The global argument is called "_${key}"`,
    });
  // A fact is called with a capital.
  const isFact = /(?:^|\.)[A-Z]\w*$/.test(name);
  const globals = Object.entries(GLOBAL_ARGUMENTS).flatMap(([global, { fact }]) => (fact || !isFact ? [global] : []));
  const near = nearest(key, [...names, ...globals]);
  const hint =
    near !== undefined && !names.includes(near)
      ? `Did you mean the global argument "${near}"?`
      : names.length === 0
        ? "It takes global arguments only, such as _sudo"
        : didYouMean(key, names);
  return new OperationTypeError(`Unknown argument "${key}" of ${name}`, hint === undefined ? {} : { hint });
}

/** Where in a value something is not as wanted. */
interface Mismatch {
  /** From the argument to the place: `[0].source`. */
  readonly path: string;
  readonly value: unknown;
  readonly type: ValueType;
  /** A key that is missing or has no place there. */
  readonly key?: { readonly name: string; readonly problem: "missing" | "unknown" };
}

function wrongArgument(
  name: string,
  argument: string,
  argumentType: ValueType,
  { path, value, type, key }: Mismatch,
): OperationTypeError {
  const place = `Argument "${argument}${path}" of ${name}`;
  if (key?.problem === "missing") return new OperationTypeError(`${place} needs "${key.name}"`);
  if (key) {
    const names = typeof type === "object" && "fields" in type ? Object.keys(type.fields) : [];
    const hint = didYouMean(key.name, names);
    return new OperationTypeError(`${place} has no "${key.name}"`, hint === undefined ? {} : { hint });
  }
  // What may be a secret is not shown even where it has a wrong type.
  const found = holdsSecret(argumentType) ? described(value) : shown(value);
  if (typeof value === "number" && isMode(argument) && accepts(type, "string")) {
    return new OperationTypeError(`${place} must be an octal string such as "644", found ${found}`, octalHint(value));
  }
  return new OperationTypeError(`${place} must be ${wanted(type)}, found ${found}`, hintFor(type, value));
}

/** Bytes in the place of a path, or of what holds them: where they go, and as what. */
function contentHint({ fields }: Signature, value: unknown): string | undefined {
  const made = bytesFrom(value);
  const taker = made === undefined ? undefined : Object.keys(fields).find(key => accepts(fields[key]!, "bytes"));
  return taker === undefined ? undefined : `Content goes into "${taker}": { ${taker}: ${made} }`;
}

/** How bytes are made of a value that holds content; `undefined` for any other. */
function bytesFrom(value: unknown): string | undefined {
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Blob) return "await blob.bytes()";
  if (value instanceof ArrayBuffer) return "new Uint8Array(buffer)";
  return value instanceof ReadableStream ? "await new Response(stream).bytes()" : undefined;
}

const isMode = (argument: string): boolean => /^mode$|Mode$/.test(argument);

/** The mode that was meant: 0o644 is the number 420, which makes no sense digit by digit; 644 does. */
function octalHint(value: number): { readonly hint?: string } {
  const meant = [String(value), value.toString(8)].find(isUsualMode);
  return meant === undefined ? {} : { hint: `Write "${meant}"` };
}

/** Nobody is usually allowed what the group is not, nor the group what the owner is not. */
function isUsualMode(digits: string): boolean {
  const [owner, group, others] = (/^[0-7]?([0-7])([0-7])([0-7])$/.exec(digits) ?? []).slice(1).map(Number);
  return (
    owner !== undefined &&
    group !== undefined &&
    others !== undefined &&
    (group & ~owner) === 0 &&
    (others & ~group) === 0
  );
}

function hintFor(type: ValueType, value: unknown): { readonly hint?: string } {
  if (value instanceof Promise) return { hint: AWAIT };
  if (accepts(type, "function") && typeof value === "object" && value !== null && "didChange" in value)
    return { hint: "Pass its didChange" };
  if (typeof value !== "string") return {};
  const literals = (typeof type === "object" && "any" in type ? type.any : [type]).flatMap(part =>
    typeof part === "object" && "is" in part ? part.is : [],
  );
  const near = nearest(value, literals.map(String));
  return near === undefined ? {} : { hint: `Did you mean "${near}"?` };
}

/** The first thing about a value that is not as its type says; `undefined` when all is. */
export function mismatchOf(type: ValueType, value: unknown): Mismatch | undefined {
  const wrong: Mismatch = { path: "", value, type };
  if (typeof type === "string") return isNamed(type, value) ? undefined : wrong;
  if ("is" in type) return type.is.some(one => one === value) ? undefined : wrong;
  if ("any" in type) return anyMismatch(type.any, wrong);
  if ("list" in type)
    return Array.isArray(value) ? firstOf(value.map((item, index) => [`[${index}]`, type.list, item])) : wrong;
  if ("tuple" in type)
    return Array.isArray(value) && value.length === type.tuple.length
      ? firstOf(type.tuple.map((item, index) => [`[${index}]`, item, value[index]]))
      : wrong;
  if (!isPlainObject(value)) return wrong;
  if ("map" in type) return firstOf(Object.entries(value).map(([key, item]) => [memberPath(key), type.map, item]));
  return objectMismatch(type, value, wrong);
}

/** The mismatch of the only part that is of the value's own kind, since it says most; else of the whole. */
function anyMismatch(parts: readonly ValueType[], wrong: Mismatch): Mismatch | undefined {
  const found = parts.map(part => mismatchOf(part, wrong.value));
  if (found.includes(undefined)) return undefined;
  const deeper = found.filter(one => one !== undefined && (one.path !== "" || one.key !== undefined));
  return deeper.length === 1 ? deeper[0] : wrong;
}

function firstOf(members: readonly (readonly [path: string, type: ValueType, value: unknown])[]): Mismatch | undefined {
  for (const [path, type, value] of members) {
    const inner = mismatchOf(type, value);
    if (inner) return { ...inner, path: `${path}${inner.path}` };
  }
  return undefined;
}

function objectMismatch(
  type: ObjectType,
  value: Readonly<Record<string, unknown>>,
  wrong: Mismatch,
): Mismatch | undefined {
  const missing = type.required?.find(key => value[key] === undefined);
  if (missing !== undefined) return { ...wrong, key: { name: missing, problem: "missing" } };
  const unknown = type.rest
    ? undefined
    : Object.keys(value).find(key => own(type.fields, key) === undefined && value[key] !== undefined);
  if (unknown !== undefined) return { ...wrong, key: { name: unknown, problem: "unknown" } };
  const given = Object.entries(value).filter(([, item]) => item !== undefined);
  return firstOf(given.map(([key, item]) => [memberPath(key), own(type.fields, key) ?? type.rest ?? "unknown", item]));
}

function isNamed(type: Extract<ValueType, string>, value: unknown): boolean {
  switch (type) {
    case "unknown":
      return true;
    case "string":
    case "boolean":
    case "function":
      return typeof value === type;
    case "number":
      return typeof value === "number" && !Number.isNaN(value);
    case "null":
      return value === null;
    case "secret":
      return value instanceof Secret;
    case "shell":
      return value instanceof Shell;
    case "bytes":
      return value instanceof Uint8Array;
    case "date":
      return value instanceof Date && !Number.isNaN(value.getTime());
    case "set":
      return value instanceof Set;
    case "error":
      return value instanceof Error;
    case "object":
      return (typeof value === "object" && value !== null) || typeof value === "function";
  }
}

const isPlainObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Secret) &&
  !(value instanceof Shell) &&
  !(value instanceof Uint8Array) &&
  !(value instanceof Date) &&
  !(value instanceof Promise);

const parts = (type: ValueType): readonly ValueType[] =>
  typeof type === "object" && "any" in type ? type.any : [type];
const accepts = (type: ValueType, name: ValueType): boolean => parts(type).includes(name);
const holdsSecret = (type: ValueType): boolean => JSON.stringify(type).includes('"secret"');

const LONGEST = 60;

/** A value as people read it in a message; secrets inside are `***`. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value);
  if (typeof value === "number" || typeof value === "bigint") return `the number ${value}`;
  if (typeof value === "boolean" || value === null) return String(value);
  if (
    Array.isArray(value) ||
    (isPlainObject(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value)))
  ) {
    const text = jsonOf(value);
    if (text !== undefined && text.length <= LONGEST)
      return `${Array.isArray(value) ? "the list" : "the object"} ${text}`;
  }
  return described(value);
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** What kind of thing a value is. */
function described(value: unknown): string {
  if (value instanceof Secret) return "a secret";
  if (value instanceof Shell) return "a command";
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "an invalid date" : "a date";
  if (value instanceof Uint8Array) return "bytes";
  return kindOf(value);
}
