import { rsync as copyDirectory } from "../../core/command.ts";
import { LocalFileError } from "../../core/errors.ts";
import { operation } from "../../core/operation.ts";
import { checkPath } from "../shared/paths.ts";

/** What `files.rsync` takes. */
export interface RsyncArguments {
  /** Path of the local directory; relative to the deploy file's directory. With a slash at the end its content is copied, else the directory itself. */
  readonly src: string;
  /** Path on the host. */
  readonly dest: string;
  /** Options of rsync; default `["-ax", "--delete"]`. */
  readonly flags?: readonly string[];
}

/**
 * Copy a local directory with rsync, which both sides must have.
 * Works over connectors that can rsync; `files.sync` works over all.
 * @example files.rsync({ src: "site/", dest: "/var/www/site", flags: ["-a", "--delete"] });
 */
export const rsync = operation<RsyncArguments>({
  name: "files.rsync",
  positional: ["src", "dest"],
  idempotent: "rsync itself finds out what there is to do",
  async *steps(host, { src, dest, flags = ["-ax", "--delete"] }) {
    checkPath(src, "src");
    checkPath(dest, "dest");
    const path = host.local.resolve(src);
    if (!(await host.local.stat(path))) throw new LocalFileError(`No such file or directory: ${path}`);
    yield copyDirectory(src.endsWith("/") ? `${path.replace(/\/+$/, "")}/` : path, dest, flags);
  },
});
