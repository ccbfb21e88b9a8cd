/** The control machine's files as a case describes them. @module */
import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { LocalFile, LocalFiles } from "../../src/core/host.ts";
import type { Json, LocalDirectory } from "./cases.ts";
import { instant, isPlain } from "./translate.ts";

const CONTENT = "_test_data_";
const SOME_TIME = instant("2008-08-09T13:21:44");

/** Files of a case; relative names start at `/`. Reading what is not there throws. */
export function caseFiles(root: LocalDirectory = {}): LocalFiles {
  const entries = new Map<string, { readonly file: LocalFile; readonly content?: string }>();
  const children = new Map<string, LocalFile[]>();
  const put = (parent: string, file: LocalFile, content?: string) => {
    entries.set(file.path, content === undefined ? { file } : { file, content });
    children.set(parent, [...(children.get(parent) ?? []), file]);
  };
  const addDirectory = (path: string, directory: LocalDirectory): void => {
    for (const [name, data] of Object.entries(directory.files ?? {})) {
      put(
        path,
        describe(posix.resolve(path, name), "file", data),
        typeof data === "string" && data !== "" ? data : CONTENT,
      );
    }
    for (const [name, inner] of Object.entries(directory.dirs ?? {})) {
      const at = posix.resolve(path, name);
      put(path, describe(at, "directory", null));
      addDirectory(at, inner);
    }
  };
  addDirectory("/", root);
  const content = (path: string): string => {
    const text = entries.get(path)?.content;
    if (text === undefined) throw new Error(`No such local file in the case: ${path}`);
    return text;
  };
  return {
    resolve: path => posix.resolve("/", path),
    stat: async path => entries.get(path)?.file,
    read: async path => new TextEncoder().encode(content(path)),
    readText: async path => content(path),
    checksum: async (path, algorithm) => createHash(algorithm).update(content(path)).digest("hex"),
    list: async path => children.get(path) ?? [],
    render: async path => content(path),
  };
}

function describe(path: string, type: "file" | "directory", data: Json): LocalFile {
  const stat = isPlain(data) ? data : {};
  return {
    path,
    type,
    size: Number(stat["size"] ?? 10240),
    mode: String(stat["mode"] ?? (type === "file" ? 644 : 755)).padStart(4, "0"),
    atime: time(stat["atime"]),
    mtime: time(stat["mtime"]),
  };
}

function time(value: unknown): Date {
  if (value === undefined) return SOME_TIME;
  const text = String(value);
  return text.startsWith("datetime:") ? instant(text.slice(9)) : new Date(Number(text) * 1000);
}
