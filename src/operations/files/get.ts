import { download } from "../../core/command.ts";
import { LocalFileError } from "../../core/errors.ts";
import type { OperationHost } from "../../core/host.ts";
import { operation } from "../../core/operation.ts";
import { File } from "../../facts/files/index.ts";
import { hasContent } from "../shared/content.ts";
import { checkPath, dirname } from "../shared/paths.ts";

/** What `files.get` takes. */
export interface GetArguments {
  /** Path of the file on the host. */
  readonly src: string;
  /** Path of the local file; relative to the deploy file's directory. */
  readonly dest: string;
  /** Take a relative `dest` from the deploy file's directory; `false`: from the working directory. Default true. */
  readonly addDeployDir?: boolean;
  /** Make the local directories above it that are missing; default false. */
  readonly createLocalDir?: boolean;
  /** Download even if the local file is the same; default false. */
  readonly force?: boolean;
}

/**
 * Download a file of the host, if the local one is not the same already.
 * @example files.get({ src: "/etc/nginx/nginx.conf", dest: "backups/nginx.conf", createLocalDir: true });
 */
export const get = operation<GetArguments>({
  name: "files.get",
  positional: ["src", "dest"],
  async *steps(host, { src, dest, addDeployDir = true, createLocalDir = false, force = false }) {
    checkPath(src, "src");
    checkPath(dest, "dest");
    const path = host.local.resolve(dest, { fromDeploy: addDeployDir });
    const local = await host.local.stat(path);
    if (local && local.type !== "file") throw new LocalFileError(`Not a file: ${path} is a ${local.type}`);
    if (!local && !createLocalDir) await checkDirectory(host, dirname(path));
    const found = await host.getFact(File, { path: src });
    if (local && !force && found.type !== "absent" && (await hasContent(host, src, { path })))
      return host.noop(`file ${path} has already been downloaded`);
    yield download(src, path, createLocalDir ? { createDirectory: true } : {});
  },
});

async function checkDirectory(host: OperationHost, path: string): Promise<void> {
  if (path === "" || path === "/" || (await host.local.stat(path))) return;
  throw new LocalFileError(`No such directory: ${path}`, { hint: "`createLocalDir: true` makes it" });
}
