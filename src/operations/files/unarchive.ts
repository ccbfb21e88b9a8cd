import { remotePath, sh, upload } from "../../core/command.ts";
import { LocalFileError, OperationError, OperationValueError } from "../../core/errors.ts";
import { operation } from "../../core/operation.ts";
import { Directory, File } from "../../facts/files/index.ts";
import { checkAttributes, chown, type OwnerArguments } from "../shared/attributes.ts";
import { checkPath } from "../shared/paths.ts";

/** What `files.unarchive` takes. */
export interface UnarchiveArguments extends OwnerArguments {
  /** Path of the archive: on the control machine, relative to the deploy file's directory, or with `remoteSrc` on the host. */
  readonly src: string;
  /** Path of the directory on the host that it is unpacked into. */
  readonly dest: string;
  /** The archive is on the host; default false. */
  readonly remoteSrc?: boolean;
  /** Path on the host: when something is there, the archive is taken for unpacked. Without it, it is unpacked every time. */
  readonly creates?: string;
  /** Further words for tar or unzip. */
  readonly extraOpts?: readonly string[];
}

/**
 * Unpack an archive: `.tar`, `.tar.gz`, `.tgz`, `.tar.bz2`, `.tbz2`, `.tar.xz`, `.txz`, `.tar.zst` or `.zip`.
 * With `user` or `group`, all of `dest` is given that owner.
 * @example files.unarchive({ src: "releases/app-1.0.tar.gz", dest: "/srv/app", creates: "/srv/app/bin/start" });
 */
export const unarchive = operation<UnarchiveArguments>({
  name: "files.unarchive",
  positional: ["src", "dest"],
  idempotent: "without `creates` it cannot tell whether the archive was unpacked",
  async *steps(host, { src, dest, remoteSrc = false, creates, extraOpts = [], ...args }) {
    checkPath(src, "src");
    checkPath(dest, "dest");
    const owner = checkAttributes(args);
    if (creates && (await host.getFact(File, { path: creates })).type !== "absent")
      return host.noop(`archive already extracted (${creates} exists)`);
    if ((await host.getFact(Directory, { path: dest })).type !== "directory")
      throw new OperationError(`Destination ${dest} is not an existing directory`);
    const options = FORMATS.find(({ name }) => name.test(src))?.options;
    if (!options)
      throw new OperationValueError(
        `Unsupported archive format for ${src}. Supported: .tar, .tar.gz, .tgz, .tar.bz2, .tbz2, .tar.xz, .txz, .tar.zst, .zip`,
      );

    let archive = src;
    if (remoteSrc) {
      if ((await host.getFact(File, { path: src })).type === "absent")
        throw new OperationError(`Remote archive ${src} does not exist`);
    } else {
      const path = host.local.resolve(src);
      if ((await host.local.stat(path))?.type !== "file") throw new LocalFileError(`No such file: ${path}`);
      archive = await host.tempFile(src);
      yield upload({ path }, archive, { mode: "600" });
    }
    const [tool, ...flags] = options;
    yield tool === "tar"
      ? sh`${[tool, ...flags, ...extraOpts, "-f", remotePath(archive), "-C", remotePath(dest)]}`
      : sh`${[tool, ...flags, ...extraOpts, remotePath(archive), "-d", remotePath(dest)]}`;
    if (!remoteSrc) yield sh`rm -f ${remotePath(archive)}`;
    if (owner.user || owner.group) yield chown(dest, owner, { recursive: true });
  },
});

const FORMATS = [
  { name: /\.tar$/i, options: ["tar", "-x"] },
  { name: /\.(tar\.gz|tgz)$/i, options: ["tar", "-xz"] },
  { name: /\.(tar\.bz2|tbz2)$/i, options: ["tar", "-xj"] },
  { name: /\.(tar\.xz|txz)$/i, options: ["tar", "-xJ"] },
  { name: /\.tar\.zst$/i, options: ["tar", "-x", "--zstd"] },
  { name: /\.zip$/i, options: ["unzip", "-o"] },
] as const;
