/** What an `import()` of a user's file threw, as a sentence and a place. @module */
import { type CallSite, TsinfraError } from "./errors.ts";

/** An error of loading, told to people. */
export interface LoadFailure {
  readonly message: string;
  readonly at: CallSite;
}

/**
 * Read a syntax error, a missing import or an exception thrown by a module's top level.
 * `source` gives a file's text, to find the import that could not be resolved: in `file`, else in `others`, which it may lead to.
 */
export function loadFailure(
  error: unknown,
  file: string,
  source: (file: string) => string | undefined,
  others: Iterable<string> = [],
): LoadFailure {
  const first = innermost(error);
  const missing = missingImport(first);
  const message = missing?.message ?? text(first);
  const told = position(first) ?? ownSite(first);
  const found = told || !missing ? undefined : importSite(missing, [missing.importer ?? file, ...others], source);
  return {
    message,
    at: told ?? found ?? stackSite(first) ?? { file, line: 1, column: 1 },
  };
}

/** Somebody's import did not find a module, or not what it wanted of it: the engine cannot run what imports it. */
export function isImportFailure(error: unknown): boolean {
  const first = innermost(error);
  return missingImport(first) !== undefined || position(first) !== undefined;
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

/** An import that found no module, or not the name that it wanted of one. */
interface MissingImport {
  readonly message: string;
  /** The specifier or, of a missing name, what the specifier led to. */
  readonly module: string;
  readonly name?: string;
  readonly importer?: string | undefined;
}

function missingImport(error: unknown): MissingImport | undefined {
  const said = text(error);
  const [, kind, found = "", importer] =
    /^Cannot find (module|package) ['"]([^'"]+)['"](?: (?:imported )?from ['"]?(.+?)['"]?)?$/.exec(said) ?? [];
  if (kind !== undefined) {
    // Of a package only the first part of the name is told.
    const module = specifierOf(error) ?? found;
    return { message: said.replace(`${kind} '${found}'`, `${kind} '${module}'`), module, importer };
  }
  const [, ofDefault] = /^SyntaxError: Missing 'default' export in module '(.+?)'\.?$/.exec(said) ?? [];
  if (ofDefault !== undefined)
    return { message: `The module '${ofDefault}' has no default export`, module: ofDefault, name: "default" };
  const [, name, module] =
    /^(?:SyntaxError: )?Export named ['"]([^'"]+)['"] not found in module ['"]([^'"]+)['"]/.exec(said) ?? [];
  return name === undefined || module === undefined ? undefined : { message: said, module, name };
}

const specifierOf = (error: unknown): string | undefined =>
  error instanceof Error && "specifier" in error && typeof error.specifier === "string" ? error.specifier : undefined;

/** A resolver names the specifier and the file, but not the line; of a name that is missing not even the file. */
function importSite(
  wanted: MissingImport,
  files: readonly string[],
  source: (file: string) => string | undefined,
): CallSite | undefined {
  for (const file of files) {
    const written = source(file);
    const offset = written === undefined ? undefined : importOffset(withoutComments(written), wanted);
    if (written === undefined || offset === undefined) continue;
    const before = written.slice(0, offset).split("\n");
    return { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  }
  return undefined;
}

/** Where the specifier or the missing name stands. */
function importOffset(source: string, { module, name }: MissingImport): number | undefined {
  for (const match of source.matchAll(
    /(?:\b(?:import|export)\b([^;"'`=]*?)\bfrom|\b(?:import|require)\s*\(?)\s*["'`]([^"'`\n]+)["'`]/g,
  )) {
    const [all, clause = "", specifier = ""] = match;
    if (name === undefined) {
      if (specifier === module) return match.index + all.lastIndexOf(specifier);
    } else if (mayLeadTo(specifier, module)) {
      const pattern =
        name === "default"
          ? /^\s+(?:type\s+)?()[A-Za-z_$]|\b(default)\b/
          : new RegExp(`(?<![\\w$])${name.replace(/[^\w]/g, "\\$&")}(?![\\w$])`);
      const at = clause.search(pattern);
      // The clause stands behind the first word, which is of six letters.
      if (at >= 0) return match.index + 6 + at + (/^\s*/.exec(clause.slice(at))?.[0].length ?? 0);
    }
  }
  // A specifier that is put together when it runs.
  const computed = name === undefined ? source.search(/\bimport\s*\(\s*[^\s"']/) : -1;
  return computed < 0 ? undefined : computed;
}

/** A specifier is that of a module, or names its file. */
function mayLeadTo(specifier: string, module: string): boolean {
  const last = nameOf(specifier.split("/").at(-1));
  const isOfFile = module.startsWith("/") && (last === "" || module.split("/").slice(-2).map(nameOf).includes(last));
  return specifier === module || isOfFile;
}

/** A part of a path without its extension. */
const nameOf = (part = ""): string => part.replace(/\.\w*$/, "");

/** The same text with blanks for comments; what looks like one in a string is none. */
export const withoutComments = (source: string): string =>
  source.replace(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/.*/g, part =>
    part.startsWith("/") ? part.replace(/[^\n]/g, " ") : part,
  );

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
