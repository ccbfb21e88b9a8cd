/** What is inside of files. @module */
import { interpolated, remotePath, sh } from "../../core/command.ts";
import { FactError } from "../../core/errors.ts";
import { fact } from "../../core/fact.ts";
import { literalEre } from "../shared/regex.ts";
import type { PathArguments } from "./paths.ts";

/** Lines of a text file; absent when it is empty. A file that is not there is an error. */
export const FileContents = fact<PathArguments, readonly string[] | undefined>({
  name: "files.FileContents",
  command: ({ path }) => sh`cat ${remotePath(path)}`,
  parse: lines => lines,
  empty: undefined,
});

/** What `files.FindInFile` takes. */
export interface FindInFileArguments extends PathArguments {
  /** Basic regular expression, as `grep` takes it. */
  readonly pattern: string;
  /** Let the host's shell expand `$…` and backquotes in the pattern; default false. */
  readonly interpolateVariables?: boolean;
  /** The pattern is an extended regular expression; default false. */
  readonly extendedRegex?: boolean;
}

/** Lines of a file that match; none when nothing does, absent when the file is not there. */
export const FindInFile = fact<FindInFileArguments, readonly string[] | undefined>({
  name: "files.FindInFile",
  command({ path, pattern, interpolateVariables, extendedRegex }) {
    const at = remotePath(path);
    const wanted = interpolateVariables ? interpolated(pattern) : pattern;
    return sh`${["grep", extendedRegex && "-E"]} -e ${wanted} ${at} 2> /dev/null || ( find ${at} -type f > /dev/null && echo ${mark("exists", path)} || true )`;
  },
  parse: (lines, { path }) => (lines[0] === mark("exists", path) ? [] : lines),
  empty: undefined,
});

/** What `files.Block` takes. */
export interface BlockArguments extends PathArguments {
  /** The lines around the block, with `{mark}` where `begin` or `end` stands; default `# {mark} PYINFRA BLOCK`. */
  readonly marker?: string;
  /** Default `BEGIN`. */
  readonly begin?: string;
  /** Default `END`. */
  readonly end?: string;
}

/** Lines between two marker lines of a file; none when the markers are not there, absent when the file is not. */
export const Block = fact<BlockArguments, readonly string[] | undefined>({
  name: "files.Block",
  command({ path, ...block }) {
    const at = remotePath(path);
    const { begin, end } = blockMarkers(block);
    const program = `/${literalEre(end)}/{ f=0} f; /${literalEre(begin)}/{ f=1} `;
    return sh`awk ${program} ${at} || (find ${at} -type f > /dev/null && echo ${mark("exists", path)} || echo ${mark("missing", path)} )`;
  },
  parse(lines, { path }) {
    if (lines[0] === mark("missing", path)) return undefined;
    return lines[0] === mark("exists", path) ? [] : lines;
  },
  empty: [],
});

/** The lines that surround a block. Throws `FactError` when they are the same. */
export function blockMarkers({
  marker = "# {mark} PYINFRA BLOCK",
  begin = "BEGIN",
  end = "END",
}: Omit<BlockArguments, "path">): { readonly begin: string; readonly end: string } {
  const lines = { begin: marker.replaceAll("{mark}", () => begin), end: marker.replaceAll("{mark}", () => end) };
  if (lines.begin === lines.end)
    throw new FactError(`Delimiters for block must be different but found only "${lines.begin}"`);
  return lines;
}

/** Names of the flags that BSD and macOS keep for a file, such as `uchg`. */
export const Flags = fact<PathArguments, readonly string[]>({
  name: "files.Flags",
  requires: "chflags",
  command: ({ path }) => sh`! test -e ${remotePath(path)} || stat -f %Sf ${remotePath(path)}`,
  parse: lines => (lines.length === 1 ? (lines[0] ?? "").split(",").filter(flag => flag !== "") : []),
  empty: [],
});

/** Printed in place of lines. Some shells' `echo` reads backslashes, and a newline would make it two lines. */
const mark = (state: "exists" | "missing", path: string): string =>
  `__pyinfra_${state}_${path.replace(/[\\\r\n]/g, "_")}`;
