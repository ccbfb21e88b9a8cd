/** From a module of the user's to what the JavaScript engine runs, with every position kept. @module */
import { SourceMap } from "node:module";
import { basename, dirname, join } from "node:path";
import type { CallSite } from "../core/errors.ts";

/** JavaScript, and where each part of it was written. */
export interface Transpiled {
  /** The file that was transpiled. */
  readonly path: string;
  readonly code: string;
  /** `mappings` of a source map. */
  readonly mappings: string;
}

/**
 * Turn TypeScript and JavaScript, by path, into JavaScript: all at once, since what costs is to begin.
 * Throws what the bundler found wrong with any of them, with its place.
 * The runtime's own transpiler is not used: it moves code, and errors are then told at lines where nothing went wrong.
 */
export async function transpile(sources: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, Transpiled>> {
  const entries = [...sources].map(([path, source]) => [path, plain(source)] as const);
  const files = new Map(entries.map(([path, source]) => [unimportable(path), source]));
  const { outputs } = await Bun.build({
    entrypoints: [...files.keys()],
    files: Object.fromEntries(files),
    naming: "[dir]/[name].[hash].[ext]",
    external: ["*"],
    target: "bun",
    format: "esm",
    sourcemap: "external",
    ignoreDCEAnnotations: true,
    // It is that of the run, not of a build.
    define: { "process.env.NODE_ENV": "process.env.NODE_ENV" },
  }).catch((error: unknown) => {
    throw withPaths(error);
  });
  // In the order of the entries: first what each became, then its map.
  const texts = await Promise.all(outputs.map(output => output.text()));
  return new Map(
    entries.map(([path, source], index) => {
      const code = texts[index] ?? "";
      const { mappings } = JSON.parse(texts[entries.length + index] ?? "{}") as { readonly mappings: string };
      return [path, { path, code: lexicalDeclarations(code, mappings, source), mappings: mappedRuntime(mappings) }];
    }),
  );
}

/**
 * A byte order mark is no column, and a shebang would keep its place as the first line.
 * A file of nothing is taken for data, which is exported by default; a file of a comment is not.
 */
function plain(source: string): string {
  const text = source.replace(/^\uFEFF/, "").replace(/^#!/, "//");
  return text.trim() === "" ? `//${text}` : text;
}

/** What is external is inlined even so where it is one of the sources: they have names, in the same directory, that nobody imports. */
const unimportable = (path: string): string => join(dirname(path), MARK + basename(path));
const MARK = "\u0001";

/** What the bundler found, under the path that the user knows. */
function withPaths(error: unknown): unknown {
  if (error instanceof AggregateError) return new AggregateError(error.errors.map(withPaths), error.message);
  if (!(error instanceof BuildMessage) || !error.position) return error;
  const { message, position } = error;
  return { message, position: { ...position, file: position.file.replace(MARK, "") } };
}

/** What each module tells its path when it begins to be loaded, and when it ends, goes by this name. */
export const LOADING = "$tsinfraLoading";

/** What a plugin hands to the engine: run as it is, with its source map. It says when it begins and when it ends. */
export function loadable({ path, code: told, mappings: mapped }: Transpiled): string {
  const sources = [path, RUNTIME];
  // The first line tells the engine that nothing is left to transpile.
  const [pragma = "", ...lines] = told.split("\n");
  const mark = (verb: string): string => `${LOADING}.${verb}(${JSON.stringify(path)});`;
  const code = [pragma, mark("add"), ...lines, mark("delete")].join("\n");
  const mappings = withEnd(loadedMappings(mapped), code.split("\n").length);
  // Bun wants the texts, and looks at none of them.
  const map = JSON.stringify({ version: 3, sources, sourcesContent: ["", ""], names: [], mappings });
  return `${code}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toBase64()}`;
}

/** Those of what is loaded: it has one more line at the beginning. */
const loadedMappings = (mappings: string): string => `;${mappings}`;

/** What stands behind the user's last line is ours: a place in it would be told as one in the file, which has no such line. */
function withEnd(mappings: string, lines: number): string {
  const mapped = mappings.replace(/;+$/, "");
  const missing = lines - mapped.split(";").length;
  return missing > 0 ? `${mapped};ACAA${";AAAA".repeat(missing - 1)}` : mapped;
}

/** From places in what is loaded to those in the file; `undefined` for what nobody wrote. */
export function placesIn({ path, mappings }: Transpiled): (ran: CallSite) => CallSite | undefined {
  let map: SourceMap | undefined;
  return ({ line, column }) => {
    map ??= new SourceMap({
      version: 3,
      sources: [path, RUNTIME],
      names: [],
      mappings: loadedMappings(mappings),
    } as never);
    const entry = map.findEntry(line - 1, column - 1);
    if (!("originalLine" in entry) || entry.generatedLine !== line - 1 || entry.originalSource !== path)
      return undefined;
    return { file: path, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
  };
}

/** What the bundler puts before a module, such as how decorators work, is ours and not the user's: the lines before the first that is mapped. */
function mappedRuntime(mappings: string): string {
  const [, lines = "", column = "", others = ""] = /^(;*)([g-z0-9+/]*[A-Za-f])A(.*)$/s.exec(mappings) ?? [];
  if (column === "") return mappings;
  // The second number is how far on the source is: to the second of the sources, and back where the user's begins.
  return `${lines.replaceAll(";", "AAAA;").replace("AAAA", "ACAA")}${column}${lines === "" ? "A" : "D"}${others}`;
}
const RUNTIME = "/$bunfs/runtime.js";

/** The bundler declares `const` and `let` of the top level by `var`: using one before its line would give `undefined` instead of an error. */
function lexicalDeclarations(code: string, mappings: string, source: string): string {
  const written = source.split("\n");
  const map = new SourceMap({ version: 3, sources: [""], names: [], mappings } as never);
  return code
    .split("\n")
    .map((line, index) => {
      if (!line.startsWith("var ")) return line;
      const entry = map.findEntry(index, 0);
      if (!("originalLine" in entry) || entry.generatedLine !== index || entry.generatedColumn !== 0) return line;
      const isLexical = /^(?:export\s+)?(?:const|let)\b/.test(
        written[entry.originalLine]?.slice(entry.originalColumn) ?? "",
      );
      return isLexical ? `let ${line.slice(4)}` : line;
    })
    .join("\n");
}
