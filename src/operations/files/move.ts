import { remotePath, sh } from "../../core/command.ts";
import { OperationError } from "../../core/errors.ts";
import { operation } from "../../core/operation.ts";
import { Directory, File } from "../../facts/files/index.ts";
import { basename, checkPath, joinPath } from "../shared/paths.ts";

/** What `files.move` takes. */
export interface MoveArguments {
  /** Path on the host of what is moved: a file, a directory or a link. */
  readonly src: string;
  /** Path of the directory on the host that it is moved into. */
  readonly dest: string;
  /** Remove what has its name there; default false, which is an error then. */
  readonly overwrite?: boolean;
}

/**
 * Move something of the host into a directory.
 * It is done when it is there and no longer where it was.
 * @example files.move({ src: "/tmp/app", dest: "/srv" });
 */
export const move = operation<MoveArguments>({
  name: "files.move",
  changes: "what it names",
  positional: ["src", "dest"],
  async *steps(host, { src, dest, overwrite = false }) {
    checkPath(src, "src");
    checkPath(dest, "dest");
    const target = joinPath(dest, basename(src));
    if ((await host.getFact(File, { path: src })).type === "absent") {
      if ((await host.getFact(File, { path: target })).type === "absent")
        throw new OperationError(`Src ${src} does not exist`);
      return host.noop(`${src} has already been moved to ${target}`);
    }
    if ((await host.getFact(Directory, { path: dest })).type !== "directory")
      throw new OperationError(`Dest ${dest} is not an existing directory`);
    if ((await host.getFact(File, { path: target })).type !== "absent") {
      if (!overwrite) throw new OperationError(`Dest ${target} already exists and \`overwrite\` is unset`);
      yield sh`rm -rf ${remotePath(target)}`;
    }
    yield sh`mv ${remotePath(src)} ${remotePath(dest)}`;
  },
});
