/** Which hosts a run works on: `--limit` and `--exclude`. @module */
import { InventoryError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import { splitHosts } from "./parse.ts";

/** What a pattern is matched against. */
export interface Selectable {
  readonly name: string;
  /** `all` included. */
  readonly groups: readonly string[];
}

/** Keep the hosts that any pattern matches: a name, a group, or a glob of names. No patterns keep all. Throws `InventoryError` for a pattern without a match. */
export function limitHosts<H extends Selectable>(hosts: readonly H[], patterns: readonly string[]): readonly H[] {
  const wanted = matching(hosts, patterns, "limit");
  return patterns.length === 0 ? hosts : hosts.filter(host => wanted.has(host));
}

/** Drop the hosts that any pattern matches. Throws `InventoryError` for a pattern without a match, and when nothing is left. */
export function excludeHosts<H extends Selectable>(
  hosts: readonly H[],
  patterns: readonly string[],
  all: readonly H[],
): readonly H[] {
  const unwanted = matching(all, patterns, "exclude");
  const left = hosts.filter(host => !unwanted.has(host));
  if (left.length === 0 && hosts.length > 0) throw new InventoryError("No hosts are left: --exclude takes all of them");
  return left;
}

function matching<H extends Selectable>(
  hosts: readonly H[],
  patterns: readonly string[],
  option: string,
): ReadonlySet<H> {
  return new Set(patterns.flatMap(splitHosts).flatMap(pattern => matchesOf(hosts, pattern, option)));
}

function matchesOf<H extends Selectable>(hosts: readonly H[], pattern: string, option: string): readonly H[] {
  const exact = hosts.filter(host => host.name === pattern || host.groups.includes(pattern));
  const found = exact.length > 0 ? exact : hosts.filter(host => globPattern(pattern).test(host.name));
  if (found.length > 0) return found;
  const known = new Set(hosts.flatMap(host => [host.name, ...host.groups]));
  throw new InventoryError(`--${option} "${pattern}" matches no host and no group`, {
    hint: didYouMean(pattern, known),
  });
}

/** `*` any text, `?` one character, `[a-c]` one of these, `[!a-c]` none of these. */
function globPattern(glob: string): RegExp {
  const source = glob.replace(/\[(!?)([^\]]+)\]|[\s\S]/g, (part, not: string | undefined, set: string | undefined) => {
    if (set !== undefined) return `[${not === "!" ? "^" : ""}${set.replace(/[\\^[\]]/g, "\\$&")}]`;
    if (part === "*") return ".*";
    return part === "?" ? "." : part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  });
  try {
    return new RegExp(`^${source}$`, "s");
  } catch {
    return /(?!)/;
  }
}
