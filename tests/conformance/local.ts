/** The control machine's files as a case describes them. @module */
import { posix } from "node:path";
import type { LocalFiles } from "../../src/core/host.ts";
import { type MemoryFile, memoryFiles } from "../cases/local-files.ts";
import type { Json, LocalDirectory } from "./cases.ts";
import { instant, isPlain } from "./translate.ts";

const CONTENT = "_test_data_";
const SOME_TIME = instant("2008-08-09T13:21:44");

/** Files of a case; relative names start at `/`. Reading what is not there throws, and a template is its own text. */
export function caseFiles(root: LocalDirectory = {}): LocalFiles {
  const files = memoryFiles(filesIn("/", root), { deploy: "/", working: "/" });
  return { ...files, render: path => files.readText(path) };
}

const filesIn = (path: string, directory: LocalDirectory): readonly MemoryFile[] => [
  ...Object.entries(directory.files ?? {}).map(([name, data]) => ({
    ...describe(posix.resolve(path, name), "file", data),
    content: typeof data === "string" && data !== "" ? data : CONTENT,
  })),
  ...Object.entries(directory.dirs ?? {}).flatMap(([name, inner]) => {
    const at = posix.resolve(path, name);
    return [describe(at, "directory", null), ...filesIn(at, inner)];
  }),
];

function describe(path: string, type: "file" | "directory", data: Json): MemoryFile {
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
