/** Values of cases: JSON, and a tagged spelling (`{"$secret": "text"}`) for what JSON cannot hold. @module */
import { raw, Secret, sh, Shell } from "../../src/core/command.ts";
import { HostDate, parseHostDate } from "../../src/facts/server/host-date.ts";

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

/** A case says something that cannot be. Names the file. */
export class CaseError extends Error {}

const TAGS: Readonly<Record<string, (content: Json) => unknown>> = {
  $secret: content => new Secret(text(content)),
  $regexp: content => {
    const [, source = "", flags = ""] = /^\/([^]*)\/([a-z]*)$/.exec(text(content)) ?? wrong(`"/source/flags"`);
    return new RegExp(source, flags);
  },
  $bytes: content => Uint8Array.from([...text(content)].map(letter => letter.charCodeAt(0))),
  $date: content => (text(content).endsWith("Z") ? new Date(text(content)) : parseHostDate(text(content))),
  $set: content => new Set(list(content).map(decode)),
  $map: content => new Map(list(content).map(pair => list(pair).map(decode) as [unknown, unknown])),
  $function: content => Object.defineProperty(() => undefined, "name", { value: text(content) }),
  $error: content => new Error(text(content)),
  $shell: content => sh`${raw(text(content))}`,
  $undefined: () => undefined,
};

/** The value that a case spells. Throws `CaseError` for a tag that does not exist. */
export function decode(json: Json): unknown {
  if (typeof json !== "object" || json === null) return json;
  if (isList(json)) return json.map(decode);
  const [tag, ...others] = Object.keys(json);
  if (tag?.startsWith("$")) {
    const make = TAGS[tag];
    if (!make || others.length > 0)
      throw new CaseError(`${JSON.stringify(json)} is no value; there are ${Object.keys(TAGS).join(", ")}, each alone`);
    return make(json[tag] ?? null);
  }
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, decode(value)]));
}

/** How a case spells a value. Of a set the order says nothing; a property that is `undefined` is left out. */
export function encode(value: unknown): Json {
  if (value === undefined) return { $undefined: true };
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value === "function") return { $function: value.name };
  if (typeof value !== "object") throw new CaseError(`No case can hold ${String(value)}`);
  if (value instanceof Secret) return { $secret: value.reveal() };
  if (value instanceof RegExp) return { $regexp: String(value) };
  if (value instanceof Uint8Array) return { $bytes: Array.from(value, byte => String.fromCharCode(byte)).join("") };
  if (value instanceof HostDate) return { $date: value.toJSON() };
  if (value instanceof Date) return { $date: value.toISOString() };
  if (value instanceof Set) return { $set: [...value].map(encode).toSorted(byText) };
  if (value instanceof Map) return { $map: [...value].map(pair => pair.map(encode)).toSorted(byText) };
  if (value instanceof Error) return { $error: value.message };
  if (value instanceof Shell) return { $shell: value.wire() };
  if (![Object.prototype, null].includes(Object.getPrototypeOf(value)))
    throw new CaseError(`No case can hold a ${value.constructor.name}`);
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, encode(item)]])),
  );
}

/** The one spelling of a value: sets sorted, nothing that says nothing. */
export const normal = (json: Json): Json => encode(decode(json));

const byText = (a: Json, b: Json): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

export const isList = (json: Json): json is readonly Json[] => Array.isArray(json);
export const isObject = (json: Json | undefined): json is JsonObject =>
  typeof json === "object" && json !== null && !Array.isArray(json);

const text = (json: Json): string => (typeof json === "string" ? json : wrong("a text"));
const list = (json: Json): readonly Json[] => (isList(json) ? json : wrong("a list"));
function wrong(wanted: string): never {
  throw new CaseError(`A value with a tag must hold ${wanted}`);
}

const WIDTH = 110;

/** JSON as the files have it: what fits into a line is one. */
export function layout(json: Json, indent = "", room = WIDTH): string {
  const flat = oneLine(json);
  if (flat.length + indent.length <= room || typeof json !== "object" || json === null) return flat;
  const inner = `${indent}  `;
  const items = isList(json)
    ? json.map(item => layout(item, inner))
    : Object.entries(json).map(
        ([key, item]) => `${JSON.stringify(key)}: ${layout(item, inner, WIDTH - key.length - 4)}`,
      );
  const [open, close] = isList(json) ? "[]" : "{}";
  return `${open}\n${inner}${items.join(`,\n${inner}`)}\n${indent}${close}`;
}

function oneLine(json: Json): string {
  if (isList(json)) return `[${json.map(oneLine).join(", ")}]`;
  if (!isObject(json)) return JSON.stringify(json);
  const entries = Object.entries(json).map(([key, item]) => `${JSON.stringify(key)}: ${oneLine(item)}`);
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
}
