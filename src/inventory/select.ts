/** Which hosts a run works on: `--limit` and `--exclude`. @module */
import { type CallSite, InventoryError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import { splitHosts } from "./parse.ts";

/** What a pattern is matched against. */
export interface Selectable {
  readonly name: string;
  /** `all` included. */
  readonly groups: readonly string[];
}

/** How a message calls an option, and where it is written, if it comes from a file. */
export interface GivenBy {
  readonly name: string;
  readonly at?: CallSite | undefined;
}

/**
 * The hosts that any pattern of `limit` matches and none of `exclude`: a name, a group, or a glob of names. No limit keeps all.
 * Throws `InventoryError` for a pattern without a match, and when nothing is left; `givenBy` tells who asked for it.
 */
export function selectHosts<H extends Selectable>(
  hosts: readonly H[],
  { limit, exclude }: { readonly limit: readonly string[]; readonly exclude: readonly string[] },
  givenBy: (option: "limit" | "exclude") => GivenBy = option => ({ name: `--${option}` }),
): readonly H[] {
  const wanted = limit.length === 0 ? new Set(hosts) : matching(hosts, limit, givenBy("limit"));
  const unwanted = matching(hosts, exclude, givenBy("exclude"));
  const left = hosts.filter(host => wanted.has(host) && !unwanted.has(host));
  if (left.length === 0 && wanted.size > 0) {
    const { name, at } = givenBy("exclude");
    throw new InventoryError(`No hosts are left: ${name} takes all of them`, { at });
  }
  return left;
}

function matching<H extends Selectable>(
  hosts: readonly H[],
  patterns: readonly string[],
  option: GivenBy,
): ReadonlySet<H> {
  const named = patterns.flatMap(splitHosts);
  if (named.length === 0 && patterns.length > 0)
    throw new InventoryError(`${option.name} names no host and no group`, { at: option.at });
  return new Set(named.flatMap(pattern => matchesOf(hosts, pattern, option)));
}

function matchesOf<H extends Selectable>(hosts: readonly H[], pattern: string, { name, at }: GivenBy): readonly H[] {
  const exact = hosts.filter(host => host.name === pattern || host.groups.includes(pattern));
  const found = exact.length > 0 ? exact : hosts.filter(host => globPattern(pattern).test(host.name));
  if (found.length > 0) return found;
  const known = new Set(hosts.flatMap(host => [host.name, ...host.groups]));
  throw new InventoryError(`${name} "${pattern}" matches no host and no group`, {
    at,
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
