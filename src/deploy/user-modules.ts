/** The modules that the user wrote, loaded with their positions kept. @module */
import { readFile, realpath } from "node:fs/promises";
import { dirname, extname, isAbsolute, sep } from "node:path";
import { isOwnFile } from "./call-site.ts";
import { loadable, transpile } from "./transpile.ts";

/**
 * Make ready a module and what it imports, and what that imports, and so on: call it before the module is imported.
 * Packages and CommonJS modules are left to the runtime: their positions are as good as its own transpiler makes them.
 */
export async function prepareModule(file: string): Promise<void> {
  const path = await realpath(file).catch(() => file);
  return inTurn(found => follow(path, found));
}

/** The same for what a file imports; the file itself is served by the caller. */
export function prepareImports(file: string, source: string): Promise<void> {
  seen.add(file);
  return inTurn(found => followImports(file, source, found));
}

/** Nobody imports what another has begun to make ready. */
function inTurn(find: (found: Map<string, string>) => Promise<void>): Promise<void> {
  const turn = last.then(async () => {
    const found = new Map<string, string>();
    await find(found);
    serve(found);
  });
  last = turn;
  return turn;
}
let last: Promise<void> = Promise.resolve();

/** What is wrong with the first JSON file that was imported and cannot be read; its parser does not say which it is, nor where. */
export async function jsonProblem(): Promise<unknown> {
  for (const file of jsonFiles) {
    // The parser of JSON with comments says where a mistake is.
    const placed = await import(file, { with: { type: "jsonc" } }).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (placed !== undefined) return placed;
    const text = await readFile(file, "utf8").catch(() => "null");
    const message = jsonMessage(text);
    if (message === undefined) continue;
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

/** Let the runtime load these texts instead of the files of these paths. */
export function serve(contents: ReadonlyMap<string, string>): void {
  if (contents.size === 0) return;
  const paths = [...contents.keys()].map(path => path.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  Bun.plugin({
    name: "user modules",
    setup(build) {
      // What is required must be there at once: the texts were made before.
      build.onLoad({ filter: new RegExp(`^(?:${paths.join("|")})$`) }, ({ path }) => ({
        contents: contents.get(path) ?? "",
        loader: "js",
      }));
    },
  });
}

/** Modules that were looked at; a module is loaded once per run. */
const seen = new Set<string>();
const jsonFiles = new Set<string>();
const transpilers = new Map<string, Bun.Transpiler>();

async function follow(file: string, found: Map<string, string>): Promise<void> {
  if (seen.has(file) || !SOURCE.test(file)) return;
  seen.add(file);
  // What cannot be read or parsed is told when it is imported.
  const source = await readFile(file, "utf8").catch(() => undefined);
  if (source === undefined) return;
  const [contents] = await Promise.all([contentsOf(file, source), followImports(file, source, found)]);
  if (contents !== undefined) found.set(file, contents);
}

async function contentsOf(file: string, source: string): Promise<string | undefined> {
  if (!isModule(file, source)) return undefined;
  return transpile(file, source).then(loadable, () => undefined);
}

async function followImports(file: string, source: string, found: Map<string, string>): Promise<void> {
  const imported = orNothing(() => transpilerFor(file).scanImports(source)) ?? [];
  const files = imported.flatMap(({ path }) => resolved(path, dirname(file)) ?? []);
  for (const path of files) if (path.endsWith(".json")) jsonFiles.add(path);
  await Promise.all(files.map(path => follow(path, found)));
}

/** What says `import` or `export`; a file that says neither may be CommonJS. */
const isModule = (file: string, source: string): boolean => {
  const scanned = orNothing(() => transpilerFor(file).scan(source));
  return (
    scanned !== undefined &&
    (scanned.exports.length > 0 || scanned.imports.some(({ kind }) => kind === "import-statement"))
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
