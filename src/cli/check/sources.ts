/** The user's own files that a program is made of. @module */
import { readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, extname, join, resolve, sep } from "node:path";
import { utf8 } from "../../core/utf8.ts";
import { type Finding, findingOf } from "./finding.ts";
import { callOf, memberName, type Node, ownerOf, parseSource, type Branch, branchesOf } from "./syntax.ts";

/** A file of a program, read. */
export interface Source {
  /** Absolute path. */
  readonly file: string;
  readonly text: string;
  readonly program: Node;
  readonly branches: readonly Branch[];
  /** Those of the user's own files that it imports, and that it includes: absolute paths. */
  readonly imports: readonly string[];
  /** What is loaded when it is, or by it: what is imported for its types alone is erased. */
  readonly loads: readonly Load[];
  readonly includes: readonly Included[];
  /** What it includes and is not there. */
  readonly absent: readonly Absent[];
  /** A function includes it, which may do so while operations run. */
  readonly isIncludedLate: boolean;
}

/** What a program loads by a name that is written down. */
export interface Load {
  /** As it is written: a path, or a package's name. */
  readonly name: string;
  /** Absolute path of a file of the user's own. */
  readonly file: string | undefined;
  /** By `require`. */
  readonly isRequired: boolean;
}

/** What `local.include("…")` names. */
interface Included {
  /** Absolute path. */
  readonly file: string;
  /** It stands in a function. */
  readonly isLate: boolean;
}

/** What `local.include("…")` names and is nowhere that a run would look for it. */
export interface Absent {
  readonly call: Branch;
  /** As it is written. */
  readonly path: string;
  /** Absolute path where a run looks for it, of several the first. */
  readonly wanted: string;
}

/** What the compiler reads as a program. */
export const PROGRAMS: readonly string[] = [".ts", ".mts", ".js", ".mjs"];

/** The files and what they import by path or include, and so on; not those of packages, nor what cannot be read. */
export function readPrograms(files: readonly string[], cwd: string): readonly Source[] {
  const found = new Map<string, ReadSource | undefined>();
  readWithImports(files, found);
  const all = (): readonly ReadSource[] => [...found.values()].filter(source => source !== undefined);
  const loaded = new Set(files.flatMap(file => [...loadedBy([file], all())].filter(one => one !== file)));
  const includes = new Map<string, Included[]>();
  const absent = new Map<Branch, { readonly file: string; readonly path: string; readonly wanted: string }>();
  const present = new Set<Branch>();
  const deploys = new Set(files.filter(file => !loaded.has(file)));
  // What is included is a deploy as well: the set grows while it is gone through.
  for (const deploy of deploys) {
    readWithImports([deploy], found);
    for (const file of [deploy, ...loadedBy([deploy], all())])
      for (const { path, isLate, call } of includesOf(found.get(file)?.branches ?? [])) {
        const included = resolveInclude(path, dirname(deploy), cwd);
        if (included === undefined) {
          // A function may be meant for those that load its file.
          if (file !== deploy || !isLate)
            absent.set(call, absent.get(call) ?? { file, path, wanted: wantedBy(path, dirname(deploy), cwd) });
          continue;
        }
        present.add(call);
        includes.set(file, [...(includes.get(file) ?? []), { file: included, isLate }]);
        deploys.add(included);
      }
  }
  const late = new Set([...includes.values()].flat().flatMap(({ file, isLate }) => (isLate ? [file] : [])));
  return all().map(source => ({
    ...source,
    includes: includes.get(source.file) ?? [],
    absent: [...absent].flatMap(([call, { file, ...one }]) =>
      file === source.file && !present.has(call) ? [{ call, ...one }] : [],
    ),
    isIncludedLate: late.has(source.file),
  }));
}

/** A file of a program, without what only those that load it tell. */
type ReadSource = Omit<Source, "includes" | "absent" | "isIncludedLate">;

function readWithImports(files: readonly string[], found: Map<string, ReadSource | undefined>): void {
  const waiting = [...files];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (found.has(file) || !PROGRAMS.includes(extname(file)) || file.endsWith(".d.ts")) continue;
    const source = readSource(file);
    found.set(file, source);
    waiting.push(...(source?.imports ?? []));
  }
}

/** `undefined` for what cannot be read: the compiler tells why. */
function readSource(file: string): ReadSource | undefined {
  try {
    const text = readFileSync(file, "utf8");
    const program = parseSource(text);
    if (!program) return undefined;
    const branches = branchesOf(program);
    const directory = dirname(file);
    return {
      file,
      text,
      program,
      branches,
      imports: importsOf(branches).flatMap(path => resolveImport(path, directory) ?? []),
      loads: loadsOf(file, text).map(({ kind, path }) => ({
        name: path,
        file: resolveImport(path, directory),
        isRequired: kind === "require-call",
      })),
    };
  } catch {
    return undefined;
  }
}

/** Of files that are not in the encoding that they are read in: what a run says. What cannot be read the compiler tells. */
export const encodingFindings = (files: readonly string[]): readonly Finding[] =>
  files.flatMap(file => {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(file);
    } catch {
      return [];
    }
    try {
      utf8(bytes, file);
      return [];
    } catch (error) {
      return [findingOf(error, { file, line: 1, column: 1 })];
    }
  });

/** What a program imports or exports from. */
function importsOf(branches: readonly Branch[]): readonly string[] {
  return branches.flatMap(({ node }) => {
    const from =
      node.type === "ImportDeclaration" ||
      node.type === "ExportNamedDeclaration" ||
      node.type === "ExportAllDeclaration" ||
      node.type === "ImportExpression"
        ? node.source
        : callOf(node)?.callee.type === "Import"
          ? callOf(node)?.given[0]
          : undefined;
    return from?.type === "StringLiteral" ? [from.value] : [];
  });
}

/** What a program imports or exports from when it runs, by the runtime's own words: of TypeScript it drops what no value needs. */
function loadsOf(file: string, text: string): readonly Bun.Import[] {
  try {
    const isTypeScript = /\.m?ts$/.test(file);
    return JAVASCRIPT.scanImports(isTypeScript ? TYPESCRIPT.transformSync(text) : text);
  } catch {
    // The compiler tells what keeps it from being read.
    return [];
  }
}
const TYPESCRIPT = new Bun.Transpiler({ loader: "ts", trimUnusedImports: true });
const JAVASCRIPT = new Bun.Transpiler({ loader: "jsx" });

/** The files that are loaded as modules where these are run. */
export function loadedBy(
  files: Iterable<string>,
  sources: readonly Pick<Source, "file" | "loads">[],
): ReadonlySet<string> {
  const loads = new Map(sources.map(source => [source.file, loadedFiles(source)]));
  const loaded = new Set<string>();
  const waiting = [...files];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop())
    for (const one of loads.get(file) ?? []) {
      if (loaded.has(one)) continue;
      loaded.add(one);
      waiting.push(one);
    }
  return loaded;
}

/** The user's own files that a program loads as modules. */
export const loadedFiles = ({ loads }: Pick<Source, "loads">): readonly string[] =>
  loads.flatMap(({ file, isRequired }) => (file === undefined || isRequired ? [] : [file]));

/** What a program includes by `local.include("…")`. */
function includesOf(
  branches: readonly Branch[],
): readonly { readonly path: string; readonly isLate: boolean; readonly call: Branch }[] {
  return branches.flatMap(branch => {
    const call = callOf(branch.node);
    const [path] = call?.given ?? [];
    return call && memberName(call.callee) === "include" && path?.type === "StringLiteral"
      ? [{ path: path.value, isLate: ownerOf(branch) !== undefined, call: branch }]
      : [];
  });
}

/** `./x.ts` starts at the deploy file that is evaluated, whichever module includes it, anything else at the working directory. */
function resolveInclude(path: string, directory: string, cwd: string): string | undefined {
  const file = wantedBy(path, directory, cwd);
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? realpathSync(file) : undefined;
}

const wantedBy = (path: string, directory: string, cwd: string): string =>
  resolve(/^\.\.?\//.test(path) ? directory : cwd, path);

function resolveImport(path: string, directory: string): string | undefined {
  if (!/^\.\.?(?:\/|$)/.test(path)) return undefined;
  const whole = join(directory, path);
  const without = whole.replace(/\.([cm]?)js$/, ".$1ts");
  const candidates = [
    ...(without === whole ? [] : [without]),
    whole,
    ...PROGRAMS.map(extension => `${whole}${extension}`),
    ...PROGRAMS.map(extension => join(whole, `index${extension}`)),
  ];
  const found = candidates.find(file => statSync(file, { throwIfNoEntry: false })?.isFile());
  if (found === undefined) return undefined;
  const real = realpathSync(found);
  return real.includes(`${sep}node_modules${sep}`) ? undefined : real;
}
