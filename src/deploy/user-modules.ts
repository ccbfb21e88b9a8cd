/** The modules that the user wrote, loaded with their positions kept. @module */
import { readFile, realpath } from "node:fs/promises";
import { dirname, extname, isAbsolute, sep } from "node:path";
import { isOwnFile, rememberServed } from "../core/thrown.ts";
import { utf8 } from "../core/utf8.ts";
import { regexpPlace } from "./regexps.ts";
import { loadable, LOADING, placesIn, type Transpiled, transpile } from "./transpile.ts";

/**
 * Make ready a module and what it imports, and what that imports, and so on: call it before the module is imported.
 * Packages and CommonJS modules are left to the runtime: their positions are as good as its own transpiler makes them.
 */
export async function prepareModule(file: string): Promise<void> {
  const path = await realpath(file).catch(() => file);
  await inTurn(async () => {
    const sources = new Map<string, string>();
    await follow(path, sources);
    serve(await transpileAll(sources));
  });
}

/** The same for what a file imports. Resolves to the file itself, which is not served; rejects with what is wrong with it. */
export function prepareImports(file: string, source: string): Promise<Transpiled> {
  return inTurn(async () => {
    seen.add(file);
    const sources = new Map([[file, source]]);
    await followImports(file, source, sources);
    const { [file]: entry, ...imported } = Object.fromEntries(await transpileAll(sources));
    serve(new Map(Object.entries(imported)));
    return entry ?? (await transpileOne(file, source));
  });
}

/** Transpile a single module. */
export async function transpileOne(file: string, source: string): Promise<Transpiled> {
  const made = (await transpile(new Map([[file, source]]))).get(file);
  if (made === undefined) throw new Error(`${file} was not transpiled`);
  return made;
}

/** The ECMAScript modules among them. What cannot be transpiled is left out: it is told when it is imported. */
async function transpileAll(sources: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, Transpiled>> {
  const made = await transpileEach(sources);
  return new Map([...made].filter(([file, { code }]) => isModule(file, sources.get(file) ?? "", code)));
}

async function transpileEach(sources: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, Transpiled>> {
  if (sources.size === 0) return new Map();
  try {
    return await transpile(sources);
  } catch {
    const single = await Promise.all([...sources].map(entry => transpileOne(...entry).catch(() => undefined)));
    return new Map(single.flatMap(module => (module ? [[module.path, module]] : [])));
  }
}

/** Nobody imports what another has begun to make ready. */
function inTurn<T>(body: () => Promise<T>): Promise<T> {
  const turn = last.then(body);
  last = turn.catch(() => undefined);
  return turn;
}
let last: Promise<unknown> = Promise.resolve();

/**
 * What is wrong with the imported JSON file whose parser said this; the parser does not say which file it is, nor where.
 */
export async function jsonProblem(message: string): Promise<unknown> {
  for (const file of jsonFiles) {
    const text = await readFile(file, "utf8").catch(() => "null");
    if (jsonMessage(text) !== message) continue;
    // The parser of JSON with comments says where a mistake is.
    const placed = await import(file, { with: { type: "jsonc" } }).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (placed !== undefined) return placed;
    const lines = text.split("\n");
    const line = lines.findIndex((_, index) => jsonMessage(lines.slice(0, index + 1).join("\n")) === message);
    return { message, position: { file, line: line + 1, column: 1 } };
  }
  return undefined;
}

function jsonMessage(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Let the runtime load these instead of the files of these paths. */
export function serve(modules: ReadonlyMap<string, Transpiled>): void {
  if (modules.size === 0) return;
  for (const [path, module] of modules) {
    const text = loadable(module);
    const toWritten = placesIn(module);
    served.set(path, text);
    rememberServed(path, {
      toWritten,
      mistake(message) {
        const place = regexpPlace(text, message);
        return place && toWritten({ file: path, ...place });
      },
    });
  }
  const paths = [...modules.keys()].map(path => path.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  Bun.plugin({
    name: "user modules",
    setup(build) {
      // What is required must be there at once: the texts were made before.
      build.onLoad({ filter: new RegExp(`^(?:${paths.join("|")})$`) }, ({ path }) => ({
        contents: served.get(path) ?? "",
        loader: "js",
      }));
    },
  });
}

/** Modules whose top level has begun, and not ended: each says so itself. */
const loading = new Set<string>();
/** The modules of the user's that have run, or a part of them: something of theirs may still be under way. */
export const begunModules = new Set<string>();
Object.defineProperty(globalThis, LOADING, {
  value: {
    add(path: string) {
      loading.add(path);
      begunModules.add(path);
    },
    delete: (path: string) => loading.delete(path),
  },
});
/** The modules of the user's whose top level is being run or has thrown. */
export const loadingModules = (): readonly string[] => [...loading];

/** What is loaded, by path. */
const served = new Map<string, string>();
export const servedText = (file: string): string | undefined => served.get(file);
/** Modules that were looked at; a module is loaded once per run. */
const seen = new Set<string>();
/** The modules of the user's that were prepared so far, by path. */
export const preparedModules = (): Iterable<string> => seen;
const jsonFiles = new Set<string>();
const transpilers = new Map<string, Bun.Transpiler>();

/** Collect the modules that a file leads to, itself among them. */
async function follow(file: string, sources: Map<string, string>): Promise<void> {
  const isSource = SOURCE.test(file);
  if (seen.has(file) || !(isSource || DATA.test(file))) return;
  if (isSource) seen.add(file);
  // What cannot be read or parsed is told when it is imported.
  const bytes = await readFile(file).catch(() => undefined);
  if (bytes === undefined) return;
  const source = utf8(bytes, file);
  if (!isSource) return;
  sources.set(file, source);
  await followImports(file, source, sources);
}

async function followImports(file: string, source: string, sources: Map<string, string>): Promise<void> {
  const imported = orNothing(() => transpilerFor(file).scanImports(source)) ?? [];
  const files = imported.flatMap(({ path }) => resolved(path, dirname(file)) ?? []);
  for (const path of files) if (path.endsWith(".json")) jsonFiles.add(path);
  await Promise.all(files.map(path => follow(path, sources)));
}

/** What says `import` or `export`, or neither and exports nothing even so. */
const isModule = (file: string, source: string, code: string): boolean => {
  const scanned = orNothing(() => transpilerFor(file).scan(source));
  return (
    scanned !== undefined &&
    (scanned.exports.length > 0 ||
      scanned.imports.some(({ kind }) => kind === "import-statement") ||
      !/^export |__commonJS\(/m.test(code))
  );
};

/** The user's own file that an import means. */
function resolved(specifier: string, directory: string): string | undefined {
  if (/^(?:tsinfra|node:|bun:|bun$)/.test(specifier)) return undefined;
  const file = orNothing(() => Bun.resolveSync(specifier, directory));
  return file === undefined || !isAbsolute(file) || file.includes(`${sep}node_modules${sep}`) || isOwnFile(file)
    ? undefined
    : file;
}

/** What the runtime reads as text, whatever it holds. */
const DATA = /\.(?:jsonc?|ya?ml|toml)$/;
const SOURCE = /\.(?:[mc]?[jt]s|[jt]sx)$/;

function transpilerFor(file: string): Bun.Transpiler {
  const loader = extname(file).endsWith("x")
    ? (extname(file).slice(1) as "jsx" | "tsx")
    : extname(file).includes("ts")
      ? "ts"
      : // Also in plain JavaScript the runtime reads JSX.
        "jsx";
  const transpiler = transpilers.get(loader) ?? new Bun.Transpiler({ loader });
  transpilers.set(loader, transpiler);
  return transpiler;
}

function orNothing<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch {
    return undefined;
  }
}
