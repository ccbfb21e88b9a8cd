/** OpenWrt's packages. @module */
import { sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";
import { packagesFact } from "./shared/packages.ts";

/** Installed opkg packages. */
export const OpkgPackages = packagesFact({
  name: "opkg.OpkgPackages",
  requires: "opkg",
  command: () => sh`/bin/opkg list-installed`,
  line: /^([A-Za-z0-9][\w.+-]*)\s-\s([\w.~+-]+)/,
});

/** Versions of a package that can be upgraded. */
export interface OpkgUpgrade {
  readonly installed: string;
  readonly available: string;
}

/** Packages that can be upgraded. */
export const OpkgUpgradeablePackages = fact<NoArguments, Readonly<Record<string, OpkgUpgrade>>>({
  name: "opkg.OpkgUpgradeablePackages",
  requires: "opkg",
  command: () => sh`/bin/opkg list-upgradable`,
  parse: lines =>
    Object.fromEntries(
      lines.flatMap(line => {
        const [, name, installed, available] =
          /^([A-Za-z0-9][\w.+-]*)\s-\s([\w.~+-]+)\s-\s([\w.~+-]+)/.exec(line) ?? [];
        return name !== undefined && installed !== undefined && available !== undefined
          ? [[name, { installed, available }] as const]
          : [];
      }),
    ),
  empty: {},
});

/** How opkg is configured. */
export interface OpkgConfiguration {
  /** Destinations by name. */
  readonly paths: Readonly<Record<string, string>>;
  /** Where the lists of packages are. */
  readonly listDir: string;
  /** Options; `true` for those without a value. */
  readonly options: Readonly<Record<string, string | true>>;
  /** Priorities of architectures. */
  readonly architectures: Readonly<Record<string, number>>;
}

/** How opkg is configured: `/etc/opkg.conf`. */
export const OpkgConf = fact<NoArguments, OpkgConfiguration>({
  name: "opkg.OpkgConf",
  requires: "opkg",
  command: () => sh`cat /etc/opkg.conf`,
  parse(lines) {
    const paths: Record<string, string> = {};
    const options: Record<string, string | true> = {};
    const architectures: Record<string, number> = {};
    let listDir = "";
    for (const line of lines) {
      const [kind, first = "", ...rest] = line
        .replace(/\s*#.*$/, "")
        .trim()
        .split(/\s+/);
      const value = rest.join(" ");
      if (kind === "dest" && value) paths[first] = value;
      else if (kind === "lists_dir" && value) listDir = value;
      else if (kind === "option" && first) options[first] = value || true;
      else if (kind === "arch" && /^\d+$/.test(value)) architectures[first] = Number(value);
    }
    return { paths, listDir, options, architectures };
  },
  empty: { paths: {}, listDir: "", options: {}, architectures: {} },
});

/** One feed of packages. */
export interface OpkgFeed {
  readonly url: string;
  /** Format: `src/gz`. */
  readonly format: string;
  /** Whether it came with the distribution. */
  readonly kind: "distribution" | "custom";
}

/** Feeds by name. */
export const OpkgFeeds = fact<NoArguments, Readonly<Record<string, OpkgFeed>>>({
  name: "opkg.OpkgFeeds",
  requires: "opkg",
  command: () => sh`cat /etc/opkg/distfeeds.conf; echo CUSTOM; cat /etc/opkg/customfeeds.conf`,
  parse(lines) {
    const custom = lines.findIndex(line => line === "CUSTOM");
    return Object.fromEntries(
      lines.flatMap((line, index) => {
        const [, format, name, url] = /^\s*([\w/]+)\s+(\w+)\s+([\w./:~-]+)(?:\s*#.*)?$/.exec(line) ?? [];
        if (format === undefined || name === undefined || url === undefined) return [];
        return [
          [name, { url, format, kind: custom >= 0 && index > custom ? "custom" : "distribution" } as const] as const,
        ];
      }),
    );
  },
  empty: {},
});

/** Priorities of the architectures whose packages can be installed. */
export const OpkgInstallableArchitectures = fact<NoArguments, Readonly<Record<string, number>>>({
  name: "opkg.OpkgInstallableArchitectures",
  requires: "opkg",
  command: () => sh`/bin/opkg print-architecture`,
  parse: lines =>
    Object.fromEntries(
      lines.flatMap(line => {
        const [, name, priority] = /^\s*arch\s+(\w+)\s+(\d+)(?:\s*#.*)?$/.exec(line) ?? [];
        return name !== undefined ? [[name, Number(priority)] as const] : [];
      }),
    ),
  empty: {},
});
