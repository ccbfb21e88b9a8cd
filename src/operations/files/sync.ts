import { remotePath, sh } from "../../core/command.ts";
import { LocalFileError } from "../../core/errors.ts";
import type { LocalFile, OperationHost } from "../../core/host.ts";
import { operation, type Steps } from "../../core/operation.ts";
import { Directory, File, FindFiles, FindLinks, Link, Sha1File } from "../../facts/files/index.ts";
import { Home } from "../../facts/server/index.ts";
import type { AttributeArguments } from "../shared/attributes.ts";
import { followLinks } from "../shared/content.ts";
import { matchesAny } from "../shared/fnmatch.ts";
import { checkMode, digits } from "../shared/mode.ts";
import { checkPath, joinPath } from "../shared/paths.ts";
import { directory } from "./directory.ts";
import { link } from "./link.ts";
import { put } from "./put.ts";

/** What `files.sync` takes. */
export interface SyncArguments extends AttributeArguments {
  /** Path of the local directory; relative to the deploy file's directory. */
  readonly src: string;
  /** Path of the directory on the host. */
  readonly dest: string;
  /** Mode of files, and of directories without `dirMode`; default: that of each local file. */
  readonly mode?: string;
  /** Mode of directories; default: `mode`, else that of each local directory. */
  readonly dirMode?: string;
  /** Remove files and symbolic links of the host that are not here; default false. Directories stay. */
  readonly delete?: boolean;
  /** Patterns for paths of files that are left alone, such as `*.pyc`: matched against the whole local path, and against the host's for what would be removed. */
  readonly exclude?: string | readonly string[];
  /** Patterns for directories that are left alone, matched against their path below `src`: `node_modules` is the one at the top. */
  readonly excludeDir?: string | readonly string[];
  /** Take a relative `src` from the deploy file's directory; `false`: from the working directory. Default true. */
  readonly addDeployDir?: boolean;
}

/**
 * Bring a directory of the host to what a local one is, file by file.
 * Symbolic links stay links, with the target that is written in them.
 * @example files.sync({ src: "site", dest: "/var/www/site", exclude: "*.map", delete: true });
 */
export const sync = operation<SyncArguments>({
  name: "files.sync",
  positional: ["src", "dest"],
  async *steps(
    host,
    {
      src,
      dest,
      mode,
      dirMode,
      delete: remove = false,
      exclude = [],
      excludeDir = [],
      addDeployDir = true,
      user,
      group,
    },
  ) {
    checkPath(src, "src");
    checkPath(dest, "dest");
    checkMode(mode);
    checkMode(dirMode, "dirMode");
    const root = await host.local.stat(host.local.resolve(src, { fromDeploy: addDeployDir }));
    if (root?.type !== "directory") throw new LocalFileError(`No such directory: ${src}`);
    const exclusions = { files: [exclude].flat(), directories: [excludeDir].flat() };
    const tree = await readTree(host, root.path, exclusions);
    const owner = { ...(user ? { user } : {}), ...(group ? { group } : {}) };
    const at = await plainPath(host, dest);
    const { path: target } = await followLinks(host, at, await host.getFact(Link, { path: at }));
    const wasThere = (await host.getFact(Directory, { path: target })).type === "directory";
    if (wasThere) await askTogether(host, at, tree);

    yield* directory.steps(host, { ...owner, path: target, mode: dirMode ?? mode ?? digits(root.mode) });
    for (const { below, entry } of tree.directories) {
      yield* directory.steps(host, {
        ...owner,
        path: joinPath(at, below),
        mode: dirMode ?? mode ?? digits(entry.mode),
      });
    }
    // Links before files: a file may lie behind one.
    for (const { below, entry } of tree.links) {
      yield* link.steps(host, {
        ...owner,
        path: joinPath(at, below),
        target: entry.linkTarget ?? "",
        createRemoteDir: false,
      });
    }
    for (const { below, entry } of tree.files) {
      yield* put.steps(host, {
        ...owner,
        src: entry.path,
        dest: joinPath(at, below),
        mode: mode ?? digits(entry.mode),
        addDeployDir: false,
        createRemoteDir: false,
      });
    }
    if (remove) yield* removeOthers(host, target, tree, { wasThere, excluded: exclusions.files });
  },
});

/** Something local, and where it is below the directory. */
interface Item {
  readonly below: string;
  readonly entry: LocalFile;
}
interface Tree {
  readonly directories: readonly Item[];
  readonly files: readonly Item[];
  readonly links: readonly Item[];
}

/** Everything in a local directory: its files, then each of its directories in turn. */
async function readTree(
  host: OperationHost,
  root: string,
  exclude: { readonly files: readonly string[]; readonly directories: readonly string[] },
): Promise<Tree> {
  const directories: Item[] = [];
  const files: Item[] = [];
  const links: Item[] = [];
  const pending: (Item | undefined)[] = [undefined];
  while (pending.length > 0) {
    const parent = pending.pop();
    if (parent) directories.push(parent);
    const path = parent?.entry.path ?? root;
    const inside: Item[] = [];
    for (const entry of await host.local.list(path)) {
      const item = { entry, below: joinPath(parent?.below ?? "", entry.path.slice(path.length).replace(/^[\\/]/, "")) };
      const isLink = entry.linkTarget !== undefined;
      const isExcluded =
        entry.type === "directory"
          ? matchesAny(item.below, exclude.directories)
          : matchesAny(entry.path, exclude.files);
      if (isExcluded) continue;
      if (isLink) links.push(item);
      else if (entry.type === "directory") inside.push(item);
      else if (entry.type === "file") files.push(item);
    }
    // One by one: as arguments of one call, many directories are too many.
    for (const item of inside.reverse()) pending.push(item);
  }
  return { directories, files, links };
}

/** The path as `find` prints it: without a slash at the end, `~` or what could be taken for an option. */
async function plainPath(host: OperationHost, dest: string): Promise<string> {
  const path = dest.startsWith("~/")
    ? joinPath((await host.getFact(Home)) ?? "~", dest.slice(2))
    : dest.replace(/^[-!(]/, "./$&");
  return path.replace(/(?<=.)\/+$/, "");
}

/** Ask at once what would be asked one by one: as long as nothing runs on the host, the answers are kept. */
async function askTogether(host: OperationHost, dest: string, tree: Tree): Promise<void> {
  const paths = tree.files.map(({ below }) => joinPath(dest, below));
  const [states] = await Promise.all([
    Promise.all(paths.map(path => host.getFact(File, { path }))),
    ...tree.directories.map(({ below }) => host.getFact(Directory, { path: joinPath(dest, below) })),
    ...tree.links.map(({ below }) => host.getFact(Link, { path: joinPath(dest, below) })),
  ]);
  await Promise.all(paths.filter((_, at) => states[at]?.type === "file").map(path => host.getFact(Sha1File, { path })));
}

/** Remove the files and links that are not here. A directory that was just made has no links but ours. */
async function* removeOthers(
  host: OperationHost,
  dest: string,
  tree: Tree,
  { wasThere, excluded }: { readonly wasThere: boolean; readonly excluded: readonly string[] },
): Steps {
  const wanted = new Set([...tree.files, ...tree.links].map(({ below }) => joinPath(dest, below)));
  const found = [
    ...(await host.getFact(FindFiles, { path: dest })),
    ...(wasThere ? await host.getFact(FindLinks, { path: dest }) : []),
  ];
  const start = dest === "/" ? dest : `${dest}/`;
  for (const path of found.sort()) {
    // A name with a newline in it is printed as two, and the second is no path.
    if (!path.startsWith(start) || wanted.has(path) || matchesAny(path, excluded)) continue;
    yield sh`rm -f ${remotePath(path)}`;
  }
}
