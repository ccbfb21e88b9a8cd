/** Types as TypeScript writes them. @module */
import type { NamedType, ValueType } from "./model.ts";

/** A type for a person: `string | string[]`, `"tcp" | "udp"`, `{ host: string; port?: number }`. */
export function typeText(type: ValueType): string {
  if (typeof type === "object" && "fields" in type) {
    const fields = Object.entries(type.fields).map(
      ([name, field]) => `${name}${type.required?.includes(name) ? "" : "?"}: ${typeText(field)}`,
    );
    return `{ ${[...fields, ...(type.rest ? [`[key: string]: ${typeText(type.rest)}`] : [])].join("; ")} }`;
  }
  return written(type, typeText);
}

/** The same, with `object` in place of what objects are made of. */
export const briefType = (type: ValueType): string =>
  typeof type === "object" && "fields" in type ? "object" : written(type, briefType);

function written(type: Exclude<ValueType, { readonly fields: unknown }>, part: (type: ValueType) => string): string {
  if (typeof type === "string") return TEXT[type] ?? type;
  if ("is" in type) return type.is.map(value => JSON.stringify(value)).join(" | ");
  if ("any" in type) return [...new Set(type.any.map(part))].join(" | ");
  if ("list" in type)
    return / \| /.test(part(type.list)) && !part(type.list).startsWith("{")
      ? `(${part(type.list)})[]`
      : `${part(type.list)}[]`;
  if ("tuple" in type) return `[${type.tuple.map(part).join(", ")}]`;
  return `Record<string, ${part(type.map)}>`;
}
const TEXT: Partial<Record<NamedType, string>> = {
  secret: "Secret",
  bytes: "Uint8Array",
  date: "Date",
  shell: "Shell",
  set: "Set",
  error: "Error",
};
