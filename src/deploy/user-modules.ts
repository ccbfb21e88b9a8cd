/** The modules that the user wrote, loaded with their positions kept. @module */
import { readFile } from "node:fs/promises";
import { dirname, extname, isAbsolute, sep } from "node:path";
import { isOwnFile } from "./call-site.ts";
import { loadable, transpile } from "./transpile.ts";

/**
 * Make ready what a file imports, and what that imports, and so on: call it before the file is imported.
 * Packages and CommonJS modules are left to the runtime: their positions are as good as its own transpiler makes them.
 */
export async function prepareImports(file: string, source: string): Promise<void> {
  const found = new Map<string, string>();
  await followImports(file, source, found);
  serve(found);
}

/** The same for a file and what it imports. */
export async function prepareModule(file: string): Promise<void> {
  const found = new Map<string, string>();
  await follow(file, found);
  serve(found);
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
  await Promise.all(imported.map(({ path }) => follow(resolved(path, dirname(file)) ?? "", found)));
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
