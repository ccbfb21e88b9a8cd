/** The control machine's files, as operations read them. @module */
import { createHash } from "node:crypto";
import { type BigIntStats, createReadStream, statSync, type Stats } from "node:fs";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { LocalFileError } from "../core/errors.ts";
import type { LocalFile, LocalFiles } from "../core/host.ts";
import { limitReached } from "../core/limits.ts";
import { utf8 } from "../core/utf8.ts";
import { createTemplates } from "./template.ts";

/** Where relative paths start from. */
export interface LocalDirectories {
  /** The deploy files' directory. */
  readonly deployDir: string;
  /** The working directory. */
  readonly cwd: string;
}

/** One run's view of the local files: a checksum is computed once per file, and again only when the file has changed. */
export function createLocalFiles({ deployDir, cwd }: LocalDirectories): LocalFiles {
  const checksums = new Map<string, Promise<string>>();
  const templates = createTemplates([deployDir, cwd]);
  return {
    resolve: (path, { fromDeploy = true } = {}) =>
      isAbsolute(path) ? resolve(path) : resolve(fromDeploy ? deployDir : cwd, path),
    stat: path => orUndefined(describe(path)),
    read: path => readFile(path).catch(explained(path)),
    readText: async path => utf8(await readFile(path).catch(explained(path)), path),
    async checksum(path, algorithm) {
      const found = statOf(path);
      const key = [algorithm, path, found.ino, found.size, found.mtimeNs].join("\0");
      const known = checksums.get(key);
      if (known) return known;
      const computed = digest(path, algorithm).catch(explained(path));
      checksums.set(key, computed);
      return computed;
    },
    async list(path) {
      const names = await readdir(path).catch(explained(path));
      const found = await Promise.all(names.sort().map(name => orUndefined(describeEntry(join(path, name)))));
      return found.filter(entry => entry !== undefined);
    },
    render: (path, data, options) => templates.render(path, data, options),
  };
}

function statOf(path: string): BigIntStats {
  try {
    return statSync(path, { bigint: true });
  } catch (error) {
    throw told(error, path);
  }
}

/** What is at a path, a final link followed. */
async function describe(path: string): Promise<LocalFile> {
  // Asked once per host and operation: a turn through the thread pool costs twenty times what the answer does.
  return entry(path, statSync(path));
}

/** What is in a directory: a link is a link. */
async function describeEntry(path: string): Promise<LocalFile> {
  const found = await lstat(path);
  return found.isSymbolicLink() ? { ...entry(path, found), linkTarget: await readlink(path) } : entry(path, found);
}

const entry = (path: string, found: Stats): LocalFile => ({
  path,
  type: found.isFile() ? "file" : found.isDirectory() ? "directory" : found.isSymbolicLink() ? "link" : "other",
  size: found.size,
  mode: (found.mode & 0o7777).toString(8).padStart(4, "0"),
  atime: found.atime,
  mtime: found.mtime,
});

async function digest(path: string, algorithm: string): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}

/** Nothing is there, or not anymore. Everything else, a directory that may not be entered for one, is an error to tell. */
async function orUndefined(found: Promise<LocalFile>): Promise<LocalFile | undefined> {
  try {
    return await found;
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes(codeOf(error))) return undefined;
    throw told(error);
  }
}

const explained =
  (path: string) =>
  (error: unknown): never => {
    throw told(error, path);
  };

function told(error: unknown, path = pathOf(error)): LocalFileError {
  const reason = {
    ENOENT: "there is no such file",
    EACCES: "it may not be read",
    EISDIR: "it is a directory",
    ENOTDIR: "it is not a directory",
  }[codeOf(error)];
  const limit = limitReached(error);
  return new LocalFileError(
    `Cannot read "${path}": ${limit?.message ?? reason ?? (error instanceof Error ? error.message : String(error))}`,
    { cause: error, ...(limit ? { hint: limit.hint } : {}) },
  );
}

const codeOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
const pathOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "path" in error ? String(error.path) : "a file";
