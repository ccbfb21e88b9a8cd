/** Types in words. @module */
import type { NamedType, ValueType } from "./model.ts";

const WORDS: Readonly<Record<NamedType, string>> = {
  string: "a string",
  number: "a number",
  boolean: "true or false",
  null: "null",
  function: "a function",
  secret: "a secret",
  bytes: "bytes",
  date: "a date",
  shell: "a command made with sh",
  set: "a set",
  error: "an error",
  object: "an object",
  unknown: "anything",
};

/** What a value has to be: `a string or a list of strings`. */
export function wanted(type: ValueType): string {
  if (typeof type === "string") return WORDS[type];
  if ("is" in type)
    return listed(
      type.is.map(value => JSON.stringify(value)),
      type.is.length > 2 ? "one of " : "",
    );
  if ("any" in type) return listed(type.any.map(wanted));
  if ("list" in type) return `a list of ${plural(type.list)}`;
  if ("tuple" in type && new Set(type.tuple.map(wanted)).size === 1)
    return `a list of ${type.tuple.length} ${plural(type.tuple[0] ?? "unknown")}`;
  if ("tuple" in type) return `a list of ${type.tuple.length}: ${listed(type.tuple.map(wanted), "", "and")}`;
  if ("map" in type) return type.map === "unknown" ? "an object" : `an object whose values are ${plural(type.map)}`;
  const keys = Object.keys(type.fields).map(key => `"${key}"`);
  const required = (type.required ?? []).map(key => `"${key}"`);
  return required.length > 0
    ? `an object with ${listed(required, "", "and")}`
    : `an object with ${keys.length > 0 ? `some of ${keys.join(", ")}` : "anything in it"}`;
}

function plural(type: ValueType): string {
  if (typeof type === "string") return PLURALS[type];
  if ("any" in type) return listed(type.any.map(plural));
  if ("fields" in type) return wanted(type).replace(/^an object/, "objects");
  return "is" in type
    ? `values that are ${wanted(type)}`
    : wanted(type)
        .replace(/^a list/, "lists")
        .replace(/^an object/, "objects");
}

const PLURALS: Readonly<Record<NamedType, string>> = {
  string: "strings",
  number: "numbers",
  boolean: "true and false",
  null: "null",
  function: "functions",
  secret: "secrets",
  bytes: "bytes",
  date: "dates",
  shell: "commands made with sh",
  set: "sets",
  error: "errors",
  object: "objects",
  unknown: "anything",
};

const listed = (items: readonly string[], before = "", word = "or"): string =>
  items.length <= 1 ? items.join("") : `${before}${items.slice(0, -1).join(", ")} ${word} ${items.at(-1)}`;
