/** Values that are typed on a command line, read as what an argument takes. @module */
import { Secret } from "../core/command.ts";
import type { ValueType } from "./model.ts";

/** Read a word as an argument: what is named as a password and may be a secret is one. */
export function argumentFromText(name: string, type: ValueType, text: string): unknown {
  const value = valueFromText(type, text);
  const mayBeSecret = type === "secret" || (typeof type === "object" && "any" in type && type.any.includes("secret"));
  return typeof value === "string" &&
    mayBeSecret &&
    (type === "secret" || /pass(?:word|phrase)|secret|token/i.test(name))
    ? new Secret(value)
    : value;
}

/**
 * Read a word as a value of a type; a word that cannot be one stays text, for the check to complain about.
 * Text stays text: `"true"`, `"007"` and `"3.10"` are read as something else only where text will not do.
 * A list is `a,b`, a map or an object JSON; where both a text and a list will do, `a,b` of plain words is a list.
 * JSON in double quotes is a text whatever is in it: `'"a,b"'`.
 */
export function valueFromText(type: ValueType, text: string): unknown {
  const parts = typeof type === "object" && "any" in type ? type.any : [type];
  const takesText = parts.some(part => part === "string" || part === "unknown");
  const json = /^\s*[[{"]/.test(text) ? parsed(text) : undefined;
  if (
    json !== undefined &&
    (!takesText || parts.some(part => isStructure(part) || (part === "string" && typeof json === "string")))
  )
    return json;
  for (const part of parts) {
    const value = exactly(part, text);
    if (value !== undefined) return value;
  }
  const list = parts.find(part => typeof part === "object" && ("list" in part || "tuple" in part));
  if (list && (!takesText || PLAIN_LIST.test(text))) return items(list, text);
  if (parts.includes("unknown")) return looseValue(text);
  return text;
}

const PLAIN_LIST = /^[^\s,'"$`;|&()]+(?:,[^\s,'"$`;|&()]+)+$/;

const isStructure = (type: ValueType): boolean =>
  type === "object" ||
  type === "unknown" ||
  (typeof type === "object" && ["list", "tuple", "map", "fields"].some(kind => kind in type));

/** The value, if the text is exactly one of this type. */
function exactly(type: ValueType, text: string): unknown {
  if (type === "boolean") return /^(?:true|false)$/i.test(text) ? text.toLowerCase() === "true" : undefined;
  if (type === "number") return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
  if (type === "null") return text === "null" ? null : undefined;
  if (type === "date")
    return /^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(Date.parse(text)) ? new Date(text) : undefined;
  return typeof type === "object" && "is" in type ? type.is.find(value => String(value) === text) : undefined;
}

function items(type: ValueType, text: string): readonly unknown[] {
  const words = text === "" ? [] : text.split(",").map(word => word.trim());
  if (typeof type !== "object") return words;
  if ("list" in type) return words.map(word => valueFromText(type.list, word));
  return "tuple" in type ? words.map((word, index) => valueFromText(type.tuple[index] ?? "string", word)) : words;
}

/** Where anything will do: `true`, `false` and plain numbers as such, else text. */
function looseValue(text: string): unknown {
  if (/^(?:true|false)$/i.test(text)) return text.toLowerCase() === "true";
  return /^-?\d/.test(text) && String(Number(text)) === text ? Number(text) : text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
