/** Configuration files, each read once. @module */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ConnectError } from "../../../core/errors.ts";
import { limitReached } from "../../../core/limits.ts";
import { remembered, unlessLimit } from "../../shared/remembered.ts";
import { type Directive, parseLines } from "./lines.ts";

/** Reads configuration files; one object serves a run. */
export interface ConfigFiles {
  /** The lines of a file; none if there is no such file and it is not `required`. */
  lines(
    path: string,
    options: { readonly required: boolean; readonly ownedBy?: number },
  ): Promise<readonly Directive[]>;
  /** Paths that match a pattern, sorted; a plain path is its own only match. */
  glob(pattern: string): Promise<readonly string[]>;
}

export function createConfigFiles(): ConfigFiles {
  const parsed = new Map<string, Promise<readonly Directive[] | undefined>>();
  const found = new Map<string, Promise<readonly string[]>>();
  return {
    async lines(path, { required, ownedBy }) {
      const lines = await remembered(parsed, path, () => parseFile(path, ownedBy));
      if (!lines && required)
        throw new ConnectError(`The SSH configuration ${JSON.stringify(path)} does not exist`, {
          hint: "See the host data key sshConfigFile",
        });
      return lines ?? [];
    },
    glob: pattern => remembered(found, pattern, () => glob(pattern)),
  };
}

async function parseFile(path: string, ownedBy: number | undefined): Promise<readonly Directive[] | undefined> {
  let text: string;
  try {
    if (ownedBy !== undefined) {
      const { uid, mode } = await stat(path);
      // Others could put a ProxyCommand into it. ssh refuses such a file too.
      if ((uid !== 0 && uid !== ownedBy) || (mode & 0o022) !== 0) {
        throw new ConnectError(`The SSH configuration ${JSON.stringify(path)} can be changed by others`, {
          hint: `Make it yours alone: chmod 600 ${path}`,
        });
      }
    }
    text = await readFile(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (error instanceof ConnectError || limitReached(error)) throw error;
    throw new ConnectError(`Cannot read the SSH configuration ${JSON.stringify(path)}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return parseLines(text, path);
}

async function glob(pattern: string): Promise<readonly string[]> {
  let paths = ["/"];
  for (const part of pattern.split("/").filter(Boolean)) {
    if (!/[*?[]/.test(part)) paths = paths.map(path => join(path, part));
    else {
      const names = globRegExp(part);
      const lists = await Promise.all(
        paths.map(async path =>
          (await readdir(path).catch(unlessLimit<string[]>([])))
            .filter(name => names.test(name))
            .map(name => join(path, name)),
        ),
      );
      paths = lists.flat().sort();
    }
  }
  return paths;
}

function globRegExp(part: string): RegExp {
  const source = part.replace(
    /\[(!?)([^\]]+)\]|[*?]|[^*?[]+|\[/g,
    (piece, not: string | undefined, chars: string | undefined) => {
      if (piece === "*") return ".*";
      if (piece === "?") return ".";
      if (chars !== undefined) return `[${not ? "^" : ""}${chars.replace(/[\\\]^]/g, "\\$&")}]`;
      return piece.replace(/[\\^$.|+(){}[\]]/g, "\\$&");
    },
  );
  return new RegExp(`^${part.startsWith(".") ? "" : "(?!\\.)"}${source}$`, "s");
}
