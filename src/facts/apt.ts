/** Debian's package sources, keys and pending upgrades. @module */
import { sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";
import { type GpgKeyMap, parseKeys } from "./gpg.ts";
import { aptGet } from "./shared/apt-get.ts";
import { splitOnce, words } from "./shared/lines.ts";

/** One package source. */
export interface AptSource {
  readonly type: "deb" | "deb-src";
  readonly url: string;
  /** Distribution or suite: `trixie`. */
  readonly distribution: string;
  readonly components: readonly string[];
  /** Such as `arch` and `signed-by`; a list where there are several values. */
  readonly options: Readonly<Record<string, string | readonly string[]>>;
}

/** Sources in one-line style: those of `sources.list` and of the `.list` files. */
export const AptSources = fact<NoArguments, readonly AptSource[]>({
  name: "apt.AptSources",
  requires: "apt",
  command: () =>
    sh`(! test -f /etc/apt/sources.list || cat /etc/apt/sources.list) && (cat /etc/apt/sources.list.d/*.list || true)`,
  parse: lines => lines.flatMap(line => parseAptSource(line) ?? []),
  empty: [],
});

/** Sources in deb822 style: those of the `.sources` files that are enabled, one for each type, URI and suite. */
export const AptDeb822Sources = fact<NoArguments, readonly AptSource[]>({
  name: "apt.AptDeb822Sources",
  requires: "apt",
  // An empty line between the files keeps their stanzas apart.
  command: () => sh`for f in /etc/apt/sources.list.d/*.sources; do ! test -f "$f" || { cat "$f"; echo; }; done`,
  parse: parseDeb822Sources,
  empty: [],
});

/** Keys that `apt-key` trusts for every source, by key id; absent where there is no `apt-key`, as on today's Debian, or it knows none. */
export const AptKeys = fact<NoArguments, GpgKeyMap | undefined>({
  name: "apt.AptKeys",
  requires: "apt-key",
  command: () => sh`! command -v gpg || apt-key list --with-colons`,
  parse: lines => parseKeys(lines, "pub", "sub"),
  empty: undefined,
});

/** Arguments of `apt.SimulateOperationWillChange`. */
export interface SimulateOperationWillChangeArguments {
  /** What `apt-get` is asked to do, such as `upgrade --autoremove`. */
  readonly command: string;
}

/** How many packages an apt-get command would touch. */
export interface AptSimulation {
  readonly upgraded: number;
  readonly newlyInstalled: number;
  readonly removed: number;
  readonly notUpgraded: number;
}

/** What an apt-get command would do; absent when apt-get does not say. */
export const SimulateOperationWillChange = fact<SimulateOperationWillChangeArguments, AptSimulation | undefined>({
  name: "apt.SimulateOperationWillChange",
  requires: "apt-get",
  command: ({ command }) => sh`LC_ALL=C ${aptGet([...words(command), "--dry-run"])}`,
  parse(lines) {
    for (const line of lines) {
      const found = /^(\d+) upgraded, (\d+) newly installed, (\d+) to remove and (\d+) not upgraded\.$/.exec(line);
      if (found)
        return {
          upgraded: Number(found[1]),
          newlyInstalled: Number(found[2]),
          removed: Number(found[3]),
          notUpgraded: Number(found[4]),
        };
    }
    throw new SyntaxError(`No summary of changes in what apt-get printed: ${JSON.stringify(lines.at(-1))}`);
  },
  empty: undefined,
});

/** Read a source in one-line style: `deb [arch=amd64] https://example.org/debian trixie main`. */
export function parseAptSource(line: string): AptSource | undefined {
  const [, type, options = "", url, distribution, components] =
    /^(deb|deb-src)(?:\s+\[([^\]]*)\])?\s+(\S+)\s+(\S+)(?:\s+([^#]*))?$/.exec(line.trim()) ?? [];
  if ((type !== "deb" && type !== "deb-src") || url === undefined || distribution === undefined) return undefined;
  // Without components a distribution is a path, which ends in a slash.
  if (!components && !distribution.endsWith("/")) return undefined;
  return { type, url, distribution, components: words(components ?? ""), options: parseOptions(options) };
}

const parseOptions = (text: string): AptSource["options"] =>
  Object.fromEntries(
    words(text).flatMap(option => {
      const [key, value] = splitOnce(option, "=") ?? [];
      return key === undefined || value === undefined
        ? []
        : [[key, value.includes(",") ? value.split(",") : value] as const];
    }),
  );

/** Read stanzas in deb822 style. */
export function parseDeb822Sources(lines: readonly string[]): readonly AptSource[] {
  const stanzas = lines
    .filter(line => !line.startsWith("#"))
    .join("\n")
    .split(/\n\s*\n/);
  return stanzas.flatMap(stanza => {
    const fields = deb822Fields(stanza);
    const list = (key: string) => words(fields.get(key) ?? "");
    if (/^(?:no|false|without|off|disable)$/i.test(fields.get("enabled") ?? "")) return [];
    const options = Object.fromEntries(
      [...DEB822_OPTIONS].flatMap(([field, option]) => {
        const value = fields.get(field) ?? "";
        const values = value.includes("BEGIN PGP") ? [value] : words(value);
        return values.length === 0 ? [] : [[option, values.length === 1 ? (values[0] ?? "") : values] as const];
      }),
    );
    return list("types")
      .filter(type => type === "deb" || type === "deb-src")
      .flatMap(type =>
        list("uris").flatMap(url =>
          list("suites").map(distribution => ({ type, url, distribution, components: list("components"), options })),
        ),
      );
  });
}

/** deb822 fields that are options in one-line style. */
const DEB822_OPTIONS = new Map([
  ["architectures", "arch"],
  ["signed-by", "signed-by"],
  ["trusted", "trusted"],
]);

/** Fields by lower-case name; lines that begin with white space go on with the field before. */
const deb822Fields = (stanza: string): ReadonlyMap<string, string> =>
  new Map(
    [...stanza.matchAll(/^([^\s:]+):((?:.|\n[ \t])*)/gm)].map(([, key = "", value = ""]) => [
      key.toLowerCase(),
      value.trim(),
    ]),
  );
