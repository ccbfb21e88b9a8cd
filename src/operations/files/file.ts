import { remotePath, sh } from "../../core/command.ts";
import { operation } from "../../core/operation.ts";
import { File } from "../../facts/files/index.ts";
import { type AttributeArguments, attributeCommands, checkAttributes } from "../shared/attributes.ts";
import { checkPath, dirname } from "../shared/paths.ts";
import { ensureParent } from "./directory.ts";
import { type ForceArguments, makeWay } from "./force.ts";

/** What `files.file` takes. */
export interface FileArguments extends AttributeArguments, ForceArguments {
  /** Path of the file on the host. */
  readonly path: string;
  /** `false`: it must not be there. Default true. */
  readonly present?: boolean;
  /** Set the file's times to now, every time; default false. */
  readonly touch?: boolean;
  /** Make the directory it lies in, with the same owner; default true. */
  readonly createRemoteDir?: boolean;
}

/**
 * Make an empty file, change a file's owner and mode, or remove it.
 * What is in a file that is there already is left alone.
 * @example files.file({ path: "/var/log/app.log", user: "app", mode: "640" });
 */
export const file = operation<FileArguments>({
  name: "files.file",
  changes: "what it names",
  positional: ["path"],
  async *steps(host, { path, present = true, touch = false, createRemoteDir = true, ...args }) {
    checkPath(path);
    const wanted = checkAttributes(args);
    if (createRemoteDir) host.anticipate(File, { path: dirname(path) });
    let found = await host.getFact(File, { path });
    if (found.type !== "file" && found.type !== "absent") {
      yield makeWay(host, path, "file", args);
      found = { type: "absent" };
    }
    if (!present) {
      if (found.type === "absent") return host.noop(`file ${path} does not exist`);
      return yield sh`rm -f ${remotePath(path)}`;
    }
    if (found.type === "absent") {
      if (createRemoteDir) yield* ensureParent(host, path, wanted);
      yield sh`touch ${remotePath(path)}`;
      return yield* attributeCommands(path, wanted);
    }
    const changes = attributeCommands(path, wanted, found);
    if (!touch && changes.length === 0) return host.noop(`file ${path} already exists`);
    if (touch) yield sh`touch ${remotePath(path)}`;
    yield* changes;
  },
});
