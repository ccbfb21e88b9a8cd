import { Secret, upload, type UploadSource } from "../../core/command.ts";
import { LocalFileError, OperationTypeError, OperationValueError } from "../../core/errors.ts";
import type { OperationHost } from "../../core/host.ts";
import { operation } from "../../core/operation.ts";
import { Directory, File } from "../../facts/files/index.ts";
import { attributeCommands, checkAttributes, type OwnerArguments } from "../shared/attributes.ts";
import { anticipateUpload, followLinks, hasContent, showUpload } from "../shared/content.ts";
import { digits } from "../shared/mode.ts";
import { basename, checkPath, joinPath } from "../shared/paths.ts";
import { timeCommands, type TimeArguments } from "../shared/times.ts";
import { ensureParent } from "./directory.ts";

/** What `files.put` takes. */
export interface PutArguments extends OwnerArguments, TimeArguments {
  /** Path of the local file; relative to the deploy file's directory. Either this or `content`. */
  readonly src?: string;
  /** What the file is to contain. A `Secret` is never shown. Either this or `src`. */
  readonly content?: string | Uint8Array | Secret;
  /** Path on the host. If a directory is there, the file goes into it under its own name. */
  readonly dest: string;
  /** Octal digits such as `"644"`, a change such as `"u+x"`, or `true` for the mode of the local file; default: left as it is, for a new file what the host's umask gives. */
  readonly mode?: string | true;
  /** Take a relative `src` from the deploy file's directory; `false`: from the working directory. Default true. */
  readonly addDeployDir?: boolean;
  /** Make the directory it lies in, with the same owner; default true. */
  readonly createRemoteDir?: boolean;
  /** Upload even if the file there is the same; default false. */
  readonly force?: boolean;
  /** A local file that is missing now will be there when it is uploaded; default false. */
  readonly assumeExists?: boolean;
}

/**
 * Upload a file of the control machine, or content made here, if the host has not the same already.
 * It is written beside the old file, with its owner and mode, and takes its place at once.
 * A symbolic link at `dest` is followed.
 * @example files.put({ src: "files/motd", dest: "/etc/motd", mode: "644" });
 * @example files.put({ content: "nameserver 192.0.2.1\n", dest: "/etc/resolv.conf" });
 */
export const put = operation<PutArguments>({
  name: "files.put",
  changes: "what it names",
  positional: ["src", "dest"],
  async *steps(host, args) {
    const { createRemoteDir = true, force = false } = args;
    checkPath(args.dest, "dest");
    anticipateUpload(host, args.dest);
    const { source, isThere } = await localSource(host, args);
    const { mode, ...owner } = await attributes(host, args, source, isThere);
    const wanted = mode === undefined ? owner : { ...owner, mode };

    const at = await destination(host, args, source);
    if (createRemoteDir) yield* ensureParent(host, at.path, owner);
    const { path, found } = at;
    const localPath = "path" in source ? source.path : undefined;
    if (found.type !== "file" || force || !isThere || !(await hasContent(host, path, source))) {
      if (isThere) await showUpload(host, path, source, found);
      yield upload(source, path, wanted);
      return yield* await timeCommands(host, path, args, localPath);
    }
    const changes = [
      ...attributeCommands(path, wanted, found),
      ...(await timeCommands(host, path, args, localPath, found)),
    ];
    if (changes.length === 0) return host.noop(`file ${path} is already uploaded`);
    yield* changes;
  },
});

async function localSource(
  host: OperationHost,
  { src, content, addDeployDir, assumeExists = false }: PutArguments,
): Promise<{ readonly source: UploadSource; readonly isThere: boolean }> {
  if ((src === undefined) === (content === undefined))
    throw new OperationValueError("Either `src` or `content` must be given");
  if (content !== undefined) {
    if (typeof content !== "string" && !(content instanceof Uint8Array) && !(content instanceof Secret))
      throw new OperationTypeError("`content` must be a string, bytes or a secret");
    return { source: { content }, isThere: true };
  }
  checkPath(src, "src");
  const path = host.local.resolve(src ?? "", { fromDeploy: addDeployDir ?? true });
  const local = await host.local.stat(path);
  if (local && local.type !== "file") throw new LocalFileError(`Not a file: ${path} is a ${local.type}`);
  if (!local && !assumeExists) throw new LocalFileError(`No such file: ${path}`);
  return { source: { path }, isThere: local !== undefined };
}

async function attributes(
  host: OperationHost,
  { user, group, mode }: PutArguments,
  source: UploadSource,
  isThere: boolean,
) {
  if (mode !== true) return checkAttributes({ user, group, mode });
  if (!("path" in source)) throw new OperationValueError("`mode` can be `true` only with `src`: content has no mode");
  const local = isThere ? await host.local.stat(source.path) : undefined;
  if (!local) host.warn(`There is no local file yet to take the mode from: ${source.path}`);
  return checkAttributes({ user, group, mode: local && digits(local.mode) });
}

/** Where the file goes: into a directory that is there, through a symbolic link. */
async function destination(host: OperationHost, { dest }: PutArguments, source: UploadSource) {
  let at = await followLinks(host, dest, await host.getFact(File, { path: dest }));
  if (at.found.type === "file") return at;
  const isDirectory = dest.endsWith("/") || (await host.getFact(Directory, { path: at.path })).type === "directory";
  if (!isDirectory) return at;
  if (!("path" in source))
    throw new OperationTypeError("When `content` is given, `dest` must be a full file path, not a directory");
  const inside = joinPath(dest, basename(source.path));
  at = await followLinks(host, inside, await host.getFact(File, { path: inside }));
  return at;
}
