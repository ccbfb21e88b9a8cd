/** What is at a path. @module */
import { joined, remotePath, sh } from "../../core/command.ts";
import { derivedFact, fact } from "../../core/fact.ts";
import { answersInOrder } from "../shared/together.ts";
import { parseStat, type PathState } from "../shared/stat.ts";

/** What facts about one path take. */
export interface PathArguments {
  /** Path on the host; a leading `~/` is the home of the user who asks. */
  readonly path: string;
}

/** What is at a path: its type, owner, mode, size and times; `type: "absent"` when nothing is. */
export const File = fact<PathArguments, PathState>({
  name: "files.File",
  together: {
    // Names come back as they were asked for, each before its line.
    accepts: ({ path }) => path.startsWith("/") && !/\n| user=/.test(path),
    // The root is there on every host: without its line, stat takes no formats like these. Where nothing else is, no process is needed.
    command: all =>
      sh`if ${joined(
        " || ",
        all.map(({ path }) => sh`[ -e ${path} ] || [ -L ${path} ]`),
      )}; then stat -c '%n user=%U group=%G mode=%A atime=%X mtime=%Y ctime=%Z size=%s %N' / ${all.map(({ path }) => path)} 2>/dev/null; else echo '/ user='; fi`,
    split: (lines, all) =>
      answersInOrder(
        lines,
        all,
        line => line.startsWith("/ user="),
        (line, path) => (line.startsWith(`${path} user=`) ? line.slice(path.length + 1) : undefined),
      ),
  },
  command({ path }) {
    const at = remotePath(path);
    return sh`! (test -e ${at} || test -L ${at} ) || ( stat -c 'user=%U group=%G mode=%A atime=%X mtime=%Y ctime=%Z size=%s %N' ${at} 2> /dev/null || stat -f 'user=%Su group=%Sg mode=%Sp atime=%a mtime=%m ctime=%c size=%z %N%SY' ${at} || ls -ld ${at} )`;
  },
  parse: (lines, { path }) => parseStat(lines, path),
  empty: { type: "absent" },
  still([line], { path }) {
    const at = remotePath(path);
    if (line === undefined) return sh`[ ! -e ${at} ] && [ ! -L ${at} ]`;
    const [, user, group, mode, mtime, size] =
      /^user=(.*) group=(.*) mode=(\S+) atime=\S+ mtime=(\d+) ctime=\S+ size=(\d+) /.exec(line) ?? [];
    if (mode === undefined || mode.startsWith("l")) return undefined;
    // Times and size of a directory change with what is put into it, access times by reading.
    return mode.startsWith("d")
      ? sh`[ "$(stat -c '%U %G %A' ${at})" = ${`${user} ${group} ${mode}`} ]`
      : sh`[ "$(stat -c '%U %G %A %Y %s' ${at})" = ${`${user} ${group} ${mode} ${mtime} ${size}`} ]`;
  },
});

/** What is at a path, as `File` says it. */
export const Directory = derivedFact<PathArguments, PathState, PathState>({
  name: "files.Directory",
  from: File,
  derive: found => found,
});

/** What is at a path, as `File` says it; a link's `linkTarget` is what it points to. */
export const Link = derivedFact<PathArguments, PathState, PathState>({
  name: "files.Link",
  from: File,
  derive: found => found,
});

/** What is at a path, as `File` says it. */
export const Socket = derivedFact<PathArguments, PathState, PathState>({
  name: "files.Socket",
  from: File,
  derive: found => found,
});

/** What `files.SameFile` takes. */
export interface SameFileArguments extends PathArguments {
  /** The other path. */
  readonly other: string;
}

/** Whether two paths lead to one file: hard links to it, or symbolic ones. */
export const SameFile = fact<SameFileArguments, boolean>({
  name: "files.SameFile",
  command: ({ path, other }) => sh`! test ${remotePath(path)} -ef ${remotePath(other)} || echo same`,
  parse: () => true,
  empty: false,
});
