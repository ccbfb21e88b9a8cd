/** Files of the control machine that exist only in memory. @module */
import { createHash } from "node:crypto";
import { posix } from "node:path";
import { LocalFileError } from "../../src/core/errors.ts";
import type { LocalFile, LocalFiles } from "../../src/core/host.ts";
import { renderJinja } from "../../src/deploy/jinja.ts";

/** One of them. */
export interface MemoryFile extends LocalFile {
  readonly content?: string | Uint8Array;
}

/** Where relative paths start. */
export interface Directories {
  readonly deploy: string;
  readonly working: string;
}

/** Templates are rendered as they are in a deploy, but see no other template. */
export function memoryFiles(files: Iterable<MemoryFile>, { deploy, working }: Directories): LocalFiles {
  const byPath = new Map([...files].map(file => [file.path, file]));
  const bytes = (path: string): Buffer => {
    const content = byPath.get(path)?.content;
    if (content === undefined) throw new LocalFileError(`Cannot read "${path}": there is no such file`);
    return Buffer.from(content);
  };
  const follow = (path: string, links = 8): MemoryFile | undefined => {
    const found = byPath.get(path);
    if (found?.linkTarget === undefined || links === 0) return found;
    return follow(posix.resolve(posix.dirname(path), found.linkTarget), links - 1);
  };
  return {
    resolve: (path, { fromDeploy = true } = {}) => posix.resolve(fromDeploy ? deploy : working, path),
    stat: async path => follow(path),
    read: async path => new Uint8Array(bytes(path)),
    readText: async path => bytes(path).toString(),
    checksum: async (path, algorithm) => createHash(algorithm).update(bytes(path)).digest("hex"),
    list: async path => [...byPath.values()].filter(file => file.path !== path && posix.dirname(file.path) === path),
    render: async (path, data, options = {}) =>
      renderJinja({ path, text: bytes(path).toString(), directories: [], options }, data),
  };
}
