/** What an `import()` of a user's file threw, as a sentence and a place. @module */
import { type CallSite, TsinfraError } from "./errors.ts";

/** An error of loading, told to people. */
export interface LoadFailure {
  readonly message: string;
  readonly at: CallSite;
}

/**
 * Read a syntax error, a missing import or an exception thrown by a module's top level.
 * `source` gives a file's text, to find the import that could not be resolved.
 */
export function loadFailure(error: unknown, file: string, source: (file: string) => string | undefined): LoadFailure {
  const first = innermost(error);
  const message = text(first);
  const told = position(first) ?? ownSite(first);
  const found = told ? undefined : missingImport(message, file, source);
  return {
    message,
    at: told ?? found ?? stackSite(first) ?? { file, line: 1, column: 1 },
  };
}

const innermost = (error: unknown): unknown =>
  error instanceof AggregateError && error.errors.length > 0 ? innermost(error.errors[0]) : error;

function text(error: unknown): string {
  if (!(error instanceof Error)) return hasMessage(error) ? error.message : String(error);
  const plainError = error.name === "Error" || error instanceof TsinfraError || SELF_EXPLAINING.has(error.name);
  return plainError ? error.message : `${error.name}: ${error.message}`;
}
const SELF_EXPLAINING = new Set(["BuildMessage", "ResolveMessage"]);

const hasMessage = (value: unknown): value is { readonly message: string } =>
  typeof value === "object" && value !== null && "message" in value && typeof value.message === "string";

const ownSite = (error: unknown): CallSite | undefined => (error instanceof TsinfraError ? error.at : undefined);

/** What a parser says. */
function position(error: unknown): CallSite | undefined {
  if (typeof error !== "object" || error === null || !("position" in error)) return undefined;
  const found = error.position as {
    readonly file?: unknown;
    readonly line?: unknown;
    readonly column?: unknown;
  } | null;
  if (!found || typeof found.file !== "string" || typeof found.line !== "number" || typeof found.column !== "number")
    return undefined;
  return { file: found.file, line: Math.max(1, found.line), column: Math.max(1, found.column) };
}

/** A resolver names the specifier and the file, but not the line. */
function missingImport(
  message: string,
  file: string,
  source: (file: string) => string | undefined,
): CallSite | undefined {
  const specifier = /^Cannot find (?:module|package) ['"]([^'"]+)['"](?: (?:imported )?from ['"]?(.+?)['"]?)?$/.exec(
    message,
  );
  const missingName = /^(?:SyntaxError: )?Export named ['"]([^'"]+)['"] not found in module ['"]([^'"]+)['"]/.exec(
    message,
  );
  const wanted = specifier?.[1] ?? missingName?.[1];
  if (wanted === undefined) return undefined;
  const importer = specifier?.[2] ?? file;
  const lines = source(importer)?.split("\n") ?? [];
  const pattern = specifier ? wanted : new RegExp(`\\b${wanted.replace(/[^\w]/g, "\\$&")}\\b`);
  const line = lines.findIndex(candidate =>
    typeof pattern === "string" ? candidate.includes(pattern) : pattern.test(candidate),
  );
  if (line < 0) return undefined;
  const found = lines[line] ?? "";
  return {
    file: importer,
    line: line + 1,
    column: (typeof pattern === "string" ? found.indexOf(pattern) : found.search(pattern)) + 1,
  };
}

/** The topmost frame in a file of the user's. */
function stackSite(error: unknown): CallSite | undefined {
  if (!(error instanceof Error) || !error.stack) return undefined;
  const frames = [...error.stack.matchAll(/^\s+at (?:.*? \()?(?:file:\/\/)?(\/.+?):(\d+):(\d+)\)?$/gm)].map(match => ({
    file: match[1] ?? "",
    line: Number(match[2]),
    column: Number(match[3]),
  }));
  return frames.find(({ file }) => !file.startsWith(OWN_FILES));
}
/** Our own sources, or the inside of the executable. */
const OWN_FILES = import.meta.dir.replace(/\/core$/, "/");
