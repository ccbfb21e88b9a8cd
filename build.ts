/**
 * Builds tsinfra.
 *
 *   bun build.ts                 dist/tsinfra, for this machine
 *   bun build.ts --all           dist/<target>/tsinfra for every target, and dist/SHA256SUMS
 *   bun build.ts --target NAME   dist/<target>/tsinfra for one target
 *   bun build.ts types           dist/types: the type declarations that the executable carries
 *   bun build.ts docs            dist/docs: every operation and fact, in Markdown
 *   bun build.ts readme          the parts of README.md that are made from the registry
 *
 * @module
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { type BunPlugin, Glob } from "bun";
import ts from "typescript";
import { version } from "./package.json";
import { referencePlugin, writeDocs, writeReference } from "./src/reference/artifacts.ts";
import { loadReference } from "./src/reference/index.ts";
import { createConnectors } from "./src/connectors/index.ts";
import { connectorPage, connectorTable } from "./src/connectors/table.ts";
import { updateReadme } from "./src/reference/readme.ts";
import { keywordTable } from "./src/reference/ssh-keywords.ts";

/** Targets whose runtime Bun offers, for the systems that people run tsinfra on. musl builds need libstdc++ on the machine. */
const TARGETS = [
  "linux-x64",
  "linux-arm64",
  "linux-x64-musl",
  "linux-arm64-musl",
  "darwin-x64",
  "darwin-arm64",
  "windows-x64",
  "windows-arm64",
] as const;
type Target = (typeof TARGETS)[number];

/**
 * Packages that are never used: c12 would load them for remote layers, watching, `.env` and another TypeScript loader,
 * all of which tsinfra turns off, and ssh2 to learn whether the processor knows AES, by a native addon that Bun cannot load.
 */
const STUBS: Readonly<Record<string, string>> = {
  jiti: "export const createJiti = () => { throw new Error('jiti is not part of tsinfra'); };",
  giget: "export const downloadTemplate = () => { throw new Error('giget is not part of tsinfra'); };",
  chokidar: "export const watch = () => { throw new Error('chokidar is not part of tsinfra'); };",
  dotenv: "export const parse = () => ({}); export const config = () => ({});",
  "cpu-features": "module.exports = () => undefined;",
};

const ROOT = import.meta.dir;
const DIST = join(ROOT, "dist");
const ARCHIVE = join(DIST, "types.zst");

async function main(): Promise<void> {
  process.chdir(ROOT);
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { all: { type: "boolean" }, target: { type: "string", multiple: true } },
  });
  const [what = "executable", ...rest] = positionals;
  if (rest.length > 0 || !["executable", "types", "docs", "readme"].includes(what))
    throw new Error(`Unknown: ${positionals.join(" ")}. Wanted: types, docs, readme, or nothing`);
  const unknown = values.target?.find(name => !isTarget(name));
  if (unknown) throw new Error(`No such target: ${unknown}. Targets: ${TARGETS.join(", ")}`);

  if (what === "types") writeTypes();
  else if (what === "docs") {
    const pages = await writeDocs(join(DIST, "docs"));
    writeFileSync(join(DIST, "docs/connectors.md"), connectorPage(createConnectors().values()));
    console.log(`dist/docs: ${pages + 1} pages`);
  } else if (what === "readme")
    writeFileSync(
      "README.md",
      updateReadme(readFileSync("README.md", "utf8"), await loadReference(), {
        connectors: connectorTable(createConnectors().values()),
        "ssh-config": keywordTable(),
      }),
    );
  else {
    archiveTypes();
    await writeReference(DIST);
    const targets = values.all ? TARGETS : (values.target ?? []).filter(isTarget);
    if (targets.length === 0) await compile(join(DIST, "tsinfra"));
    const made: string[] = [];
    for (const target of targets)
      made.push(await compile(join(DIST, target, target.startsWith("windows") ? "tsinfra.exe" : "tsinfra"), target));
    if (made.length > 0)
      writeFileSync(join(DIST, "SHA256SUMS"), made.map(path => `${sha256(path)}  ${relative(DIST, path)}\n`).join(""));
  }
}

function isTarget(name: string): name is Target {
  return TARGETS.some(target => target === name);
}

/** One executable out of `src/main.ts` and everything it can reach. */
async function compile(outfile: string, target?: Target): Promise<string> {
  const started = performance.now();
  mkdirSync(dirname(outfile), { recursive: true });
  // A folder of its own: source maps are embedded, and Bun leaves another copy of them beside what it makes.
  const scratch = mkdtempSync(join(dirname(outfile), ".build-"));
  const built = await Bun.build({
    entrypoints: ["./src/main.ts"],
    target: "bun",
    format: "esm",
    splitting: true,
    // Names stay: errors and classes are told by them.
    minify: { whitespace: true, syntax: true, identifiers: false },
    bytecode: true,
    sourcemap: "inline",
    plugins: [stubs, types, referencePlugin(DIST)],
    // Else the path of this working copy goes into the bytes, by way of the CommonJS packages that mention these.
    define: { __dirname: '"/"', __filename: '"/"' },
    compile: {
      outfile: join(scratch, basename(outfile)),
      ...(target ? { target: `bun-${target}` as const } : {}),
      // Nothing in the working directory changes what tsinfra does …
      autoloadDotenv: false,
      autoloadBunfig: false,
      // … but a deploy file finds the npm packages beside it, and its tsconfig's paths.
      autoloadPackageJson: true,
      autoloadTsconfig: true,
    },
  });
  if (built.success) renameSync(join(scratch, basename(outfile)), outfile);
  rmSync(scratch, { recursive: true });
  if (!built.success) throw new AggregateError(built.logs, "The executable was not built");
  const bytes = readFileSync(outfile).length;
  console.log(
    `${relative(ROOT, outfile)}: tsinfra ${version}, ${(bytes / 1e6).toFixed(1)} MB, ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  return outfile;
}

const stubs: BunPlugin = {
  name: "stubs",
  setup(build) {
    const names = new RegExp(`^(${Object.keys(STUBS).join("|")})(/.*)?$`);
    build.onResolve({ filter: names }, ({ path }) => ({ path: path.split("/")[0] ?? path, namespace: "stub" }));
    build.onLoad({ filter: /.*/, namespace: "stub" }, ({ path }) => ({ contents: STUBS[path] ?? "", loader: "js" }));
  },
};

const types: BunPlugin = {
  name: "types",
  setup(build) {
    build.onLoad({ filter: /[/\\]src[/\\]types[/\\]embedded\.ts$/ }, () => ({
      contents: `import path from "../../dist/types.zst" with { type: "file" };\nexport const archive = path;\n`,
      loader: "ts",
    }));
  },
};

/** The declarations as a tree of files, for people and for other tools. */
function writeTypes(): void {
  const folder = join(DIST, "types");
  rmSync(folder, { recursive: true, force: true });
  const all = declarations();
  for (const [path, text] of all) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  console.log(`dist/types: ${all.length} files`);
}

/** The declarations as one file: made anew only when a source or a dependency is newer, since the compiler takes seconds. */
function archiveTypes(): void {
  const inputs = hashOf([...files("src/**/*.ts"), "bun.lock", "tsconfig.json", "build.ts"].sort());
  const stamp = `${ARCHIVE}.from`;
  if (existsSync(ARCHIVE) && existsSync(stamp) && readFileSync(stamp, "utf8") === inputs) return;
  console.log("Collecting the type declarations and the reference");
  mkdirSync(DIST, { recursive: true });
  writeFileSync(ARCHIVE, Bun.zstdCompressSync(JSON.stringify(Object.fromEntries(declarations())), { level: 19 }));
  writeFileSync(stamp, inputs);
}

/**
 * Every declaration file that a deploy file's types need, by path, sorted: `tsinfra/<as in src>.d.ts` for what is public and
 * what that mentions, and `node_modules/` for the globals of the runtime, with their licences.
 */
function declarations(): [path: string, text: string][] {
  const found = new Map<string, string>();
  const roots = ["src/public", "src/operations", "src/facts"].flatMap(folder => files(`${folder}/**/*.ts`));
  const config = ts.parseJsonConfigFileContent(
    ts.readConfigFile("tsconfig.json", path => ts.sys.readFile(path)).config,
    ts.sys,
    ROOT,
  );
  const program = ts.createProgram(roots, {
    ...config.options,
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    noCheck: true,
    rewriteRelativeImportExtensions: true,
    rootDir: "src",
    outDir: "/",
  });
  const emitted = program.emit(undefined, (path, text) => void found.set(join("tsinfra", path), text));
  if (emitted.emitSkipped)
    throw new Error(
      `The type declarations were not made: ${ts.formatDiagnostics(emitted.diagnostics, { getCanonicalFileName: path => path, getCurrentDirectory: () => ROOT, getNewLine: () => "\n" })}`,
    );
  for (const name of ["@types/bun", "@types/node", "bun-types", "undici-types"])
    for (const path of files(`node_modules/${name}/**/{*.d.ts,package.json,LICENSE*}`))
      if (!/\/(vendor|docs|ts5\.\d|ts4\.\d)\//.test(path)) found.set(path, readFileSync(path, "utf8"));
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Files of the repository that match, sorted. */
const files = (pattern: string): string[] => [...new Glob(pattern).scanSync({ cwd: ROOT, dot: true })].sort();
const sha256 = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

function hashOf(paths: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of paths) hash.update(`${path}\0${readFileSync(path)}\0`);
  return hash.digest("hex");
}

if (import.meta.main) await main();
