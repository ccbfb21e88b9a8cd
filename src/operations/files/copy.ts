import { remotePath, sh } from "../../core/command.ts";
import { OperationError } from "../../core/errors.ts";
import type { OperationHost } from "../../core/host.ts";
import { operation } from "../../core/operation.ts";
import { Directory, File, FindFiles, FindLinks, Link, type PathState } from "../../facts/files/index.ts";
import { sameContent, textOf } from "../shared/content.ts";
import { basename, checkPath, joinPath } from "../shared/paths.ts";

/** What `files.copy` takes. */
export interface CopyArguments {
  /** Path on the host of what is copied: a file or a directory. */
  readonly src: string;
  /** Path of the directory on the host that it is copied into. */
  readonly dest: string;
  /** Replace files that are there and differ; default false, which is an error then. */
  readonly overwrite?: boolean;
}

/**
 * Copy something of the host into a directory.
 * A directory is done when every file in it is there with the same content; what else is there stays.
 * @example files.copy({ src: "/etc/skel", dest: "/srv/template" });
 */
export const copy = operation<CopyArguments>({
  name: "files.copy",
  changes: "what it names",
  positional: ["src", "dest"],
  async *steps(host, { src, dest, overwrite = false }) {
    checkPath(src, "src");
    checkPath(dest, "dest");
    const source = await host.getFact(File, { path: src });
    if (source.type === "absent") throw new OperationError(`Src ${src} does not exist`);
    if ((await host.getFact(Directory, { path: dest })).type !== "directory")
      throw new OperationError(`Dest ${dest} is not an existing directory`);
    const target = joinPath(dest, basename(src));
    const there = await host.getFact(File, { path: target });
    if (there.type !== "absent") {
      if (await isCopy(host, src, source, target, there)) return host.noop(`${target} already exists`);
      if (!overwrite) throw new OperationError(`${target} already exists and is different than src`);
    }
    if (host.wantsDiff && source.type === "file")
      host.showDiff(target, there.type === "file" ? await textOf(host, target) : undefined, await textOf(host, src));
    yield sh`${["cp", "-r", overwrite && "-f", remotePath(src), remotePath(dest)]}`;
  },
});

async function isCopy(
  host: OperationHost,
  src: string,
  source: PathState,
  target: string,
  there: PathState,
): Promise<boolean> {
  if (source.type !== there.type) return false;
  if (source.type === "file") return sameContent(host, src, target);
  if (source.type === "link") return there.type === "link" && source.linkTarget === there.linkTarget;
  if (source.type !== "directory") return false;
  const [files, links] = await Promise.all([
    host.getFact(FindFiles, { path: src }),
    host.getFact(FindLinks, { path: src }),
  ]);
  const below = (path: string): string => joinPath(target, path.slice(src.length).replace(/^\/+/, ""));
  const same = await Promise.all([
    ...files.map(path => sameContent(host, path, below(path))),
    ...links.map(path => sameLink(host, path, below(path))),
  ]);
  return same.every(Boolean);
}

async function sameLink(host: OperationHost, one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([host.getFact(Link, { path: one }), host.getFact(Link, { path: other })]);
  return first.type === "link" && second.type === "link" && first.linkTarget === second.linkTarget;
}
