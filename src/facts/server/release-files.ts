/** Reading the release files of Linux distributions. @module */
import { splitOnce } from "../shared/lines.ts";

/** A Linux distribution; what its files do not say is absent. */
export interface LinuxDistributionAnswer {
  /** `Debian`, `Ubuntu`, `CentOS`, `RedHat` …; another distribution's own name as it writes it. */
  readonly name?: string;
  /** First part of the version. */
  readonly major?: number;
  /** Second part of the version. */
  readonly minor?: number;
  /** Settings of os-release, by upper-case name; `CODENAME` is worked out where it is not written. */
  readonly releaseMeta: Readonly<Record<string, string>>;
}

/** Names by id, so that a script can compare with one spelling. */
const NAMES: Readonly<Record<string, string>> = {
  alpine: "Alpine",
  centos: "CentOS",
  debian: "Debian",
  fedora: "Fedora",
  gentoo: "Gentoo",
  opensuse: "openSUSE",
  rhel: "RedHat",
  ubuntu: "Ubuntu",
};
const OTHER_IDS: Readonly<Record<string, string>> = { "opensuse-leap": "opensuse", redhat: "rhel" };

/** Files that do not name the distribution. */
const NOT_A_NAME = new Set([
  "lsb-release",
  "oem-release",
  "os-release",
  "system-release",
  "plesk-release",
  "iredmail-release",
  "board-release",
]);

/** The distribution that these files describe, by path. os-release comes first; what it leaves open an older file may say. */
export function distributionOf(files: ReadonlyMap<string, readonly string[]>): LinuxDistributionAnswer {
  const meta = withCodename(osRelease(files.get("/etc/os-release") ?? []));
  const older = olderRelease(files);
  const id = (meta["id"] ?? older?.id ?? "").toLowerCase().replaceAll(" ", "_");
  const name = NAMES[OTHER_IDS[id] ?? id] ?? meta["name"] ?? older?.name;
  const version = meta["version_id"] || older?.version || nameAndVersion(meta["pretty_name"] ?? "").version || "";
  const [, major, minor] = /^(\d+)\.?(\d+)?/.exec(version) ?? [];
  return {
    ...(name && { name }),
    ...(major && { major: Number(major) }),
    ...(minor && { minor: Number(minor) }),
    releaseMeta: Object.fromEntries(Object.entries(meta).map(([key, value]) => [key.toUpperCase(), value])),
  };
}

/** `NAME="value"` lines, by lower-case name. */
export function osRelease(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.flatMap(line => {
      const [key, value] = splitOnce(line.trim(), "=") ?? [];
      return key === undefined || value === undefined || key.startsWith("#")
        ? []
        : [[key.trim().toLowerCase(), unquoted(value.trim())]];
    }),
  );
}

function unquoted(value: string): string {
  const quote = value[0];
  if (quote === "'" && value.endsWith("'")) return value.slice(1, -1);
  if (quote === '"' && value.endsWith('"')) return value.slice(1, -1).replace(/\\(["$`\\])/g, "$1");
  return value;
}

function withCodename(meta: Readonly<Record<string, string>>): Record<string, string> {
  const [, inBrackets, afterComma] = /\((\D+)\)|,\s*(\D+)/.exec(meta["version"] ?? "") ?? [];
  const codename = meta["version_codename"] ?? meta["ubuntu_codename"] ?? inBrackets ?? afterComma;
  return { ...meta, ...(codename !== undefined && { codename }) };
}

interface OlderRelease {
  readonly id: string;
  readonly name?: string;
  readonly version?: string;
}

/** `/etc/centos-release` and its like: one line, such as `CentOS release 6.9 (Final)`. */
function olderRelease(files: ReadonlyMap<string, readonly string[]>): OlderRelease | undefined {
  for (const [path, lines] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const file = path.replace(/^.*\//, "");
    const id = /^(\w+)[-_](?:release|version)$/.exec(file)?.[1];
    const { name, version } = nameAndVersion(lines[0] ?? "");
    if (id && name && !NOT_A_NAME.has(file)) return { id, name, ...(version && { version }) };
  }
  return undefined;
}

/** The name is what stands before the last number, `release` and `LTS` aside; what follows in brackets is the code name. */
function nameAndVersion(line: string): { name?: string; version?: string } {
  const text = line.trim().replace(/\s*\([^)]*\).*$/, "");
  const [, name, version] = /^(.+?) *(?: release)? *(\d[\d.+\-a-z]*)(?: LTS)?$/.exec(text) ?? [];
  if (version === undefined) return text ? { name: text } : {};
  return { name: name!, version };
}
