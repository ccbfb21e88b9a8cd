import { operand, remotePath, sh } from "../../core/command.ts";
import { OperationError } from "../../core/errors.ts";
import type { OperationHost } from "../../core/host.ts";
import { operation } from "../../core/operation.ts";
import { Link, type PathState, SameFile } from "../../facts/files/index.ts";
import { attributeCommands, checkAttributes, type OwnerArguments } from "../shared/attributes.ts";
import { checkPath } from "../shared/paths.ts";
import { ensureParent } from "./directory.ts";
import { type ForceArguments, makeWay } from "./force.ts";

/** What `files.link` takes. */
export interface LinkArguments extends OwnerArguments, ForceArguments {
  /** Path of the link on the host. */
  readonly path: string;
  /** What it points to; for a hard link, the path of the other file. Required unless `present` is false. */
  readonly target?: string;
  /** `false`: it must not be there. Default true. */
  readonly present?: boolean;
  /** `false`: a hard link. Default true. */
  readonly symbolic?: boolean;
  /** Make the directory it lies in, with the same owner; default true. */
  readonly createRemoteDir?: boolean;
}

/**
 * Make, change or remove a link.
 * @example files.link({ path: "/etc/nginx/sites-enabled/app", target: "/etc/nginx/sites-available/app" });
 */
export const link = operation<LinkArguments>({
  name: "files.link",
  changes: "what it names",
  positional: ["path", "target"],
  async *steps(host, { path, target, present = true, symbolic = true, createRemoteDir = true, ...args }) {
    checkPath(path);
    const wanted = checkAttributes({ ...args, mode: undefined });
    if (present && !target) throw new OperationError("If present is true target must be provided");
    let found = await host.getFact(Link, { path });
    if (found.type !== "link" && found.type !== "absent") {
      if (!symbolic && present && (await isHardLink(host, path, target, found)))
        return host.noop(`link ${path} already exists`);
      yield makeWay(host, path, "link", args);
      found = { type: "absent" };
    }
    if (!present) {
      if (found.type === "absent") return host.noop(`link ${path} does not exist`);
      return yield sh`rm -f ${remotePath(path)}`;
    }
    const add = symbolic
      ? sh`ln -s ${operand(target ?? "")} ${remotePath(path)}`
      : sh`ln ${remotePath(target ?? "")} ${remotePath(path)}`;
    if (found.type === "absent") {
      if (createRemoteDir) yield* ensureParent(host, path, wanted);
      yield add;
      return yield* attributeCommands(path, wanted, undefined, { link: true });
    }
    const isRight = symbolic && found.linkTarget === target;
    const owner = attributeCommands(path, wanted, found, { link: true });
    if (isRight && owner.length === 0) return host.noop(`link ${path} already exists`);
    if (!isRight) {
      yield sh`rm -f ${remotePath(path)}`;
      yield add;
    }
    // A new link belongs to whoever made it.
    yield* isRight ? owner : attributeCommands(path, wanted, undefined, { link: true });
  },
});

const isHardLink = async (
  host: OperationHost,
  path: string,
  target: string | undefined,
  found: PathState,
): Promise<boolean> =>
  found.type === "file" && target !== undefined && (await host.getFact(SameFile, { path, other: target }));
