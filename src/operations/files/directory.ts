import { remotePath, sh } from "../../core/command.ts";
import type { OperationHost } from "../../core/host.ts";
import { operation, type Steps } from "../../core/operation.ts";
import { Directory, Link } from "../../facts/files/index.ts";
import {
  type AttributeArguments,
  attributeCommands,
  checkAttributes,
  type OwnerArguments,
} from "../shared/attributes.ts";
import { checkPath, dirname } from "../shared/paths.ts";
import { type ForceArguments, makeWay } from "./force.ts";

/** What `files.directory` takes. */
export interface DirectoryArguments extends AttributeArguments, ForceArguments {
  /** Path of the directory on the host. */
  readonly path: string;
  /** `false`: it must not be there; it is removed with all that is in it. Default true. */
  readonly present?: boolean;
  /** Give owner and mode to everything inside as well, whenever those of the directory itself are wrong; default false. */
  readonly recursive?: boolean;
  /** Leave owner and mode of a directory that is there already as they are; default false. */
  readonly noCheckOwnerMode?: boolean;
  /** A symbolic link in its place will do; default false. */
  readonly noFailOnLink?: boolean;
}

/**
 * Make, change or remove a directory.
 * Missing directories above it are made too, with the host's default owner and mode.
 * @example files.directory({ path: "/srv/app", user: "app", mode: "750" });
 */
export const directory = operation<DirectoryArguments>({
  name: "files.directory",
  changes: "what it names",
  positional: ["path"],
  async *steps(host, { path, present = true, recursive = false, noCheckOwnerMode, noFailOnLink, ...args }) {
    checkPath(path);
    const wanted = checkAttributes(args);
    let found = await host.getFact(Directory, { path });
    if (found.type !== "directory" && found.type !== "absent") {
      if (noFailOnLink && (await host.getFact(Link, { path })).type === "link")
        return host.noop(`directory ${path} already exists (as a link)`);
      yield makeWay(host, path, "directory", args);
      found = { type: "absent" };
    }
    if (!present) {
      if (found.type === "absent") return host.noop(`directory ${path} does not exist`);
      return yield sh`rm -rf ${remotePath(path)}`;
    }
    if (found.type === "absent") {
      yield sh`mkdir -p ${remotePath(path)}`;
      return yield* attributeCommands(path, wanted, undefined, { recursive });
    }
    if (noCheckOwnerMode) return;
    const changes = attributeCommands(path, wanted, found, { recursive });
    if (changes.length === 0) return host.noop(`directory ${path} already exists`);
    yield* changes;
  },
});

/** Make the directory that a path lies in, unless it is there in whatever form. */
export async function* ensureParent(host: OperationHost, path: string, owner: OwnerArguments): Steps {
  const parent = dirname(path);
  if (parent === "" || parent === "~") return;
  yield* directory.steps(host, { ...owner, path: parent, noCheckOwnerMode: true, noFailOnLink: true });
}
