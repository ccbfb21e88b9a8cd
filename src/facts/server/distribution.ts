/** Which system it is, and what it brings. @module */
import { sh } from "../../core/command.ts";
import { derivedFact, fact, type NoArguments } from "../../core/fact.ts";
import { splitOnce } from "../shared/lines.ts";
import { distributionOf, type LinuxDistributionAnswer, osRelease } from "./release-files.ts";

/** Name and version of the Linux distribution, from the release files in `/etc`. */
export const LinuxDistribution = fact<NoArguments, LinuxDistributionAnswer>({
  name: "server.LinuxDistribution",
  command: () =>
    sh`cd /etc/ && for file in $(ls -pdL *-release | grep -v /); do echo "/etc/\${file}"; cat "/etc/\${file}"; echo ---; done`,
  parse: lines => distributionOf(releaseFiles(lines)),
  empty: { releaseMeta: {} },
});

/** Name of the Linux distribution: `Debian`, `Ubuntu`, `RedHat`, `Alpine` …; absent when it cannot be told. */
export const LinuxName = derivedFact<NoArguments, string | undefined, LinuxDistributionAnswer>({
  name: "server.LinuxName",
  from: LinuxDistribution,
  derive: ({ name }) => name,
});

/** What `lsb_release` says: `id`, `description`, `release`, `codename`; absent without that program. */
export const LsbRelease = fact<NoArguments, Readonly<Record<string, string>> | undefined>({
  name: "server.LsbRelease",
  requires: "lsb_release",
  command: () => sh`lsb_release -ca`,
  parse: lines =>
    Object.fromEntries(
      lines.flatMap(line => {
        const [key, value] = splitOnce(line, ":") ?? [];
        // `Distributor ID` is known as `id`.
        return key === undefined || value === undefined
          ? []
          : [[key.trim().toLowerCase().replace(/^.* /, ""), value.trim()]];
      }),
    ),
  empty: undefined,
});

/** Settings of the os-release file, by lower-case name. */
export const OsRelease = fact<NoArguments, Readonly<Record<string, string>>>({
  name: "server.OsRelease",
  command: () => sh`cat /etc/os-release 2>/dev/null || cat /usr/lib/os-release 2>/dev/null || true`,
  parse: lines => osRelease(lines),
  empty: {},
});

/** State of SELinux. */
export interface SelinuxState {
  /** `enabled` or `disabled`; absent without SELinux. */
  readonly mode?: string;
}

/** Whether SELinux is on. */
export const Selinux = fact<NoArguments, SelinuxState>({
  name: "server.Selinux",
  requires: "sestatus",
  command: () => sh`sestatus`,
  parse: lines => {
    const mode = /^SELinux status:\s+(\S+)/.exec(lines[0] ?? "")?.[1];
    return mode === undefined ? {} : { mode };
  },
  empty: {},
});

const DESKTOPS: Readonly<Record<string, string>> = {
  "/usr/bin/gnome-session": "GNOME",
  "/usr/bin/mate-session": "MATE",
  "/usr/bin/lxsession": "LXDE",
  "/usr/bin/plasma_session": "KDE Plasma",
  "/usr/bin/xfce4-session": "XFCE 4",
};

/** Names of the desktops that are installed. */
export const LinuxGui = fact<NoArguments, readonly string[]>({
  name: "server.LinuxGui",
  command: () => sh`ls /usr/bin/*session || true`,
  parse: lines => lines.flatMap(line => DESKTOPS[line] ?? []),
  empty: [],
});

/** True when a desktop is installed. */
export const HasGui = derivedFact<NoArguments, boolean, readonly string[]>({
  name: "server.HasGui",
  from: LinuxGui,
  derive: desktops => desktops.length > 0,
});

/** Locales that programs can use, spelled as in `/etc/locale.gen`. */
export const Locales = fact<NoArguments, readonly string[]>({
  name: "server.Locales",
  requires: "locale",
  command: () => sh`locale -a`,
  parse: lines => lines.map(line => line.replace("utf8", "UTF-8")),
  empty: [],
});

/** Contents by path: a path, its lines, and `---`. */
function releaseFiles(lines: readonly string[]): Map<string, readonly string[]> {
  const files = new Map<string, readonly string[]>();
  let start = 0;
  lines.forEach((line, index) => {
    if (line !== "---") return;
    files.set(lines[start]!, lines.slice(start + 1, index));
    start = index + 1;
  });
  return files;
}
