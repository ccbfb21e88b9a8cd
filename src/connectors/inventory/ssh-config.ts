/** Hosts that the user's SSH configuration names. @module */
import { homedir } from "node:os";
import { join } from "node:path";
import type { FoundHost } from "../../core/connector.ts";
import { expandHome } from "../shared/paths.ts";
import { createConfigFiles } from "../ssh/config/index.ts";
import { matchesPattern } from "../ssh/config/patterns.ts";
import type { FinderOptions } from "./finder.ts";

/** Includes may nest this deep, as in ssh. */
const DEEPEST = 16;

/** `@ssh-config`: every name of a `Host` line that is no pattern; `@ssh-config/web-*`: those that match. */
export async function sshConfigHosts(
  pattern: string,
  { home = homedir() }: FinderOptions,
): Promise<readonly FoundHost[]> {
  const files = createConfigFiles();
  const directory = join(home, ".ssh");
  const names = async (file: string, depth: number): Promise<readonly string[]> => {
    const found: string[] = [];
    for (const { keyword, args } of await files.lines(file, { required: false })) {
      if (keyword === "host") found.push(...args.filter(isName));
      if (keyword !== "include" || depth === DEEPEST) continue;
      const included = await Promise.all(args.map(written => files.glob(expandHome(written, { home }, directory))));
      for (const path of included.flat()) found.push(...(await names(path, depth + 1)));
    }
    return found;
  };
  const found = new Set(await names(join(directory, "config"), 0));
  return [...found]
    .filter(name => pattern === "" || matchesPattern(name, pattern))
    .map(name => ({ name, at: `@ssh/${name}`, data: {}, groups: [] }));
}

const isName = (pattern: string): boolean => !/[*?!]/.test(pattern);
