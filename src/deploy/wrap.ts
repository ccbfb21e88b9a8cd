/** Turning a top-level deploy script into a function that can be called once per host. Pure. @module */
import { parse } from "es-module-lexer/js";
import type { Transpiled } from "./transpile.ts";

/** A deploy file as a module whose default export evaluates it. */
export interface Wrapped extends Transpiled {
  /** The file exports something by default: it was left as it is. */
  readonly hasDefault: boolean;
}

/**
 * Put the imports first, and make the rest the body of an async function.
 * A file with a default export is left alone.
 */
export function wrapDeploy({ path, code, mappings }: Transpiled): Wrapped {
  const [imports, exports] = parse(code, path);
  if (exports.some(entry => "name" in entry && entry.name === "default"))
    return { path, code, mappings, hasDefault: true };
  const statements = imports.filter(({ type }) => type === "static" || type === "reexport-star");
  let body = code;
  for (const { importStart, importEnd } of statements) body = blank(body, importStart, importEnd);
  for (const { exportStart, end } of exports) {
    // An export list ends after its last name; `export * from` is among the imports.
    if (body.startsWith("export", exportStart)) body = blank(body, exportStart, code.indexOf("}", end) + 1);
  }
  // The first line tells the engine that nothing is left to transpile.
  const [pragma = "", ...lines] = body.split("\n");
  const head = [
    ...statements.map(({ importStart, importEnd }) => `${code.slice(importStart, importEnd)};`),
    "export default async () => {",
  ].join("\n");
  return {
    path,
    code: [pragma, head, ...lines, "};"].join("\n"),
    mappings: ";".repeat(head.split("\n").length) + mappings,
    hasDefault: false,
  };
}

/** Replace a range by blanks, keeping the line breaks. */
const blank = (source: string, start: number, end: number): string =>
  source.slice(0, start) + source.slice(start, end).replace(/[^\n]/g, " ") + source.slice(end);
