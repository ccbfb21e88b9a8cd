/** What an `import()` of a user's file threw, as a sentence and a place. @module */
import { type CallSite, TsinfraError } from "./errors.ts";
import { errorText, locate, membersOf, mistakeAt, shown } from "./thrown.ts";

/** An error of loading, told to people. */
export interface LoadFailure {
  readonly message: string;
  /** Nobody knows where a value was thrown that is no error, unless it is written down. */
  readonly at?: CallSite | undefined;
  readonly hint?: string;
}

/** Where to look for the place. */
export interface LoadOptions {
  readonly file: string;
  /** A file's text. */
  source(file: string): string | undefined;
  /** Files that it may lead to. */
  readonly others?: Iterable<string>;
  /** Modules that have begun and not ended. */
  readonly loading?: readonly string[];
}

/** Read a syntax error, a missing import, or what a module's top level has thrown. */
export function loadFailure(error: unknown, { file, source, others = [], loading = [] }: LoadOptions): LoadFailure {
  const first = innermost(error);
  const told = position(first);
  if (!told && !(first instanceof Error)) {
    const at = thrownSite(first, new Set([...loading, file, ...others]), source);
    const who = at?.file ?? (loading.length === 0 ? `${file}, or what it imports,` : loading.join(" or "));
    return { message: `${who} threw ${shown(first)}`, at, hint: THROW_ERRORS };
  }
  const missing = missingImport(first);
  const message = missing?.message ?? text(first);
  const known = told ?? ownSite(first);
  const found = known || !missing ? undefined : importSite(missing, [missing.importer ?? file, ...others], source);
  const located = locate(first);
  const mistake = first instanceof SyntaxError ? mistakeAt(located?.file, first.message) : undefined;
  return {
    message,
    at: known ?? found ?? mistake ?? located ?? { file: missing?.importer ?? file, line: 1, column: 1 },
  };
}

/** What to do about a value that is no error. */
export const THROW_ERRORS = "Throw an Error: anything else does not know where it was thrown";

/** The one place where this very value is written behind `throw` or `reject(`. */
export function thrownSite(
  value: unknown,
  files: Iterable<string>,
  source: (file: string) => string | undefined,
): CallSite | undefined {
  // What is made of this class has no stack.
  const written = value instanceof DOMException ? `new DOMException(${JSON.stringify(value.message)}` : shown(value);
  const wanted = withoutMarks(written);
  const sites = [...files].flatMap(file => {
    const text = withoutComments(source(file) ?? "");
    return [...text.matchAll(/\b(?:throw\b|reject\()\s*/g)].flatMap(({ index, 0: { length } }) => {
      const behind = withoutMarks(text.slice(index + length, index + length + 4 * wanted.length + 100));
      return behind.startsWith(wanted) && /^(?:[;)},]|$)/.test(behind.slice(wanted.length))
        ? placeOf(file, text, index)
        : [];
    });
  });
  return sites.length === 1 ? sites[0] : undefined;
}

/** A literal without what may be written in one way or another. */
const withoutMarks = (literal: string): string => literal.replace(/["'`\s]|,(?=\s*[}\]])/g, "");

/** Somebody's import did not find a module, or not what it wanted of it: the engine cannot run what imports it. */
export function isImportFailure(error: unknown): boolean {
  const first = innermost(error);
  return missingImport(first) !== undefined || position(first) !== undefined;
}

/** What such an import found wrong. */
export function importProblem(error: unknown): string {
  const first = innermost(error);
  return missingImport(first)?.message ?? text(first);
}

/** Of several mistakes that a parser found, those behind the first, each with its place. */
export const furtherMistakes = (error: unknown): readonly string[] =>
  membersOf(innermost(error) === error ? undefined : error)
    .slice(1)
    .flatMap(member => {
      const at = position(member);
      return at ? `${at.file}:${at.line}:${at.column}: ${text(member)}` : [];
    });

/** Of several mistakes in a text the first is told; what somebody's code put together is told as it is. */
function innermost(error: unknown): unknown {
  const [first] = membersOf(error);
  return first !== undefined && position(first) !== undefined ? first : error;
}

function text(error: unknown): string {
  if (!(error instanceof Error)) return hasMessage(error) ? error.message : shown(error);
  return error instanceof TsinfraError ? error.message : errorText(error).replace(SELF_EXPLAINING, "");
}
const SELF_EXPLAINING = /^(?:Error|BuildMessage|ResolveMessage): /;

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
  // Who wanted it stands behind, in the same line or in others.
  const [said = ""] = text(error).split("\n");
  const [, brief, kind, found = "", from] =
    /^(Cannot find (module|package) ['"]([^'"]+)['"])(?: (?:imported )?from ['"]?(.+?)['"]?)?$/.exec(said) ?? [];
  const { specifier = found, referrer = from } = resolution(error);
  if (brief !== undefined)
    // Of a package only the first part of the name is told.
    return {
      message: brief.replace(`${kind} '${found}'`, `${kind} '${specifier}'`),
      module: specifier,
      importer: referrer,
    };
  if (said.startsWith("No such built-in module")) return { message: said, module: specifier, importer: referrer };
  const [, ofDefault] = /^SyntaxError: Missing 'default' export in module '(.+?)'\.?$/.exec(said) ?? [];
  if (ofDefault !== undefined)
    return { message: `The module '${ofDefault}' has no default export`, module: ofDefault, name: "default" };
  const [, sentence, name, module] =
    /^(?:SyntaxError: )?(Export named ['"]([^'"]+)['"] not found in module ['"]([^'"]+)['"])/.exec(said) ?? [];
  return sentence === undefined || name === undefined || module === undefined
    ? undefined
    : { message: sentence, module, name };
}

/** What the resolver was asked for, and by which file. */
function resolution(error: unknown): { readonly specifier?: string; readonly referrer?: string } {
  if (!(error instanceof Error)) return {};
  const { specifier, referrer } = error as Error & { readonly specifier?: unknown; readonly referrer?: unknown };
  return {
    ...(typeof specifier === "string" && specifier !== "" ? { specifier } : {}),
    ...(typeof referrer === "string" && referrer !== "" ? { referrer } : {}),
  };
}

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
    return placeOf(file, written, offset);
  }
  return undefined;
}

function placeOf(file: string, written: string, offset: number): CallSite {
  const before = written.slice(0, offset).split("\n");
  return { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** Where the specifier or the missing name stands. */
function importOffset(source: string, { module, name }: MissingImport): number | undefined {
  for (const match of source.matchAll(
    /(?:\b(?:import|export)\b([^;"'`=]*?)\bfrom|\b(?:import(?:\.meta\.resolve)?|require(?:\.resolve)?)\s*\(?)\s*["'`]([^"'`\n]+)["'`]/g,
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
  const computed = name === undefined ? source.search(/\b(?:import|require)\s*\(\s*[^\s"']/) : -1;
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
