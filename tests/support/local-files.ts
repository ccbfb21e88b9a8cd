/** The control machine's files as operations see them, straight from the disk. @module */
import { createHash } from "node:crypto";
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import nunjucks from "nunjucks";
import type { LocalFile, LocalFiles } from "../../src/core/host.ts";

/** Relative paths start from `deployDir`, or with `fromDeploy: false` from the working directory. */
export function localFiles(deployDir: string): LocalFiles {
  const files: LocalFiles = {
    resolve: (path, options = {}) => (isAbsolute(path) ? path : resolve(options.fromDeploy === false ? process.cwd() : deployDir, path)),
    stat: describe,
    read: async path => new Uint8Array(await readFile(path)),
    readText: path => readFile(path, "utf8"),
    checksum: async (path, algorithm) => createHash(algorithm).update(await readFile(path)).digest("hex"),
    async list(path) {
      const found = await Promise.all((await readdir(path)).sort().map(name => describe(join(path, name))));
      return found.filter(file => file !== undefined);
    },
    async render(path, data, options) {
      if (path.endsWith(".ts")) {
        const module: { default(data: unknown): string | Promise<string> } = await import(path);
        return module.default(data);
      }
      const environment = new nunjucks.Environment(new nunjucks.FileSystemLoader(deployDir), { autoescape: false, throwOnUndefined: true, ...options });
      return environment.renderString(await readFile(path, "utf8"), { ...data });
    },
  };
  return files;
}

async function describe(path: string): Promise<LocalFile | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return undefined;
  const linkTarget = await readlink(path).catch(() => undefined);
  return {
    path,
    type: found.isFile() ? "file" : found.isDirectory() ? "directory" : "other",
    size: found.size,
    mode: (found.mode & 0o7777).toString(8).padStart(4, "0"),
    atime: found.atime,
    mtime: found.mtime,
    ...(linkTarget === undefined ? {} : { linkTarget }),
  };
}
