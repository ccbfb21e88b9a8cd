/** Gentoo's packages. @module */
import { sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";
import { packagesFact } from "./shared/packages.ts";

/** Installed packages by category and name: `sys-devel/gcc`. */
export const PortagePackages = packagesFact({
  name: "portage.PortagePackages",
  requires: "qlist",
  command: () => sh`qlist -Iv`,
  line: /^(\S+?)-(\d\S*)$/,
});

/** Available versions of the packages that an upgrade of everything would upgrade. */
export const PortageUpgradeablePackages = fact<NoArguments, Readonly<Record<string, string>>>({
  name: "portage.PortageUpgradeablePackages",
  requires: "emerge",
  command: () => sh`emerge -puDN --color n @world 2>/dev/null || true`,
  parse: lines =>
    Object.fromEntries(
      lines.flatMap(line => {
        const [, name, version] = /^\[(?:ebuild|binary)\s[^\]]*U[^\]]*\]\s+(\S+?)-(\d[^:\s]*)/.exec(line) ?? [];
        return name !== undefined && version !== undefined ? [[name, version] as const] : [];
      }),
    ),
  empty: {},
});

/** Packages that `package.mask` keeps back, sorted. */
export const PortageMaskedPackages = fact<NoArguments, readonly string[]>({
  name: "portage.PortageMaskedPackages",
  command: () => sh`grep -rh '^[^#]' /etc/portage/package.mask 2>/dev/null || true`,
  parse: lines =>
    [
      ...new Set(
        lines.flatMap(line => /^[<>=~!]*([\w+-]+\/[\w+-]+?)(?:-\d\S*)?(?::\S*)?(?:\s|$)/.exec(line.trim())?.[1] ?? []),
      ),
    ].sort(),
  empty: [],
});
