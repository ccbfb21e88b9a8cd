/** Debian's packages. @module */
import { operand, sh } from "../core/command.ts";
import { fact, type NoArguments } from "../core/fact.ts";
import { firstLine } from "./shared/lines.ts";
import { packagesFact } from "./shared/packages.ts";

const NAME = "[\\w+.-]+";
const VERSION = "[\\w:~.+-]+";

/** Architecture of the host's packages: `amd64`; absent where there is no dpkg. */
export const DebArch = fact<NoArguments, string | undefined>({
  name: "deb.DebArch",
  requires: "dpkg",
  command: () => sh`dpkg --print-architecture`,
  parse: firstLine,
  empty: undefined,
});

/** Installed packages, those on hold among them. */
export const DebPackages = packagesFact({
  name: "deb.DebPackages",
  requires: "dpkg",
  command: () => sh`dpkg -l`,
  line: new RegExp(`^[hi]i\\s+(${NAME}?)(?::\\w+)?\\s+(${VERSION})`),
});

/** Arguments of `deb.DebPackage`. */
export interface DebPackageArguments {
  /** Name of an installed package, or path of a `.deb` file. */
  readonly package: string;
}

/** What a package or a `.deb` file calls itself. */
export interface DebPackageInfo {
  readonly name: string;
  readonly version: string;
}

/** Name and version of a `.deb` file or an installed package; absent when there is no such thing. */
export const DebPackage = fact<DebPackageArguments, DebPackageInfo | undefined>({
  name: "deb.DebPackage",
  requires: "dpkg",
  command({ package: wanted }) {
    const it = operand(wanted);
    return sh`! test -e ${wanted} && (dpkg -s ${it} 2>/dev/null || true) || dpkg -I ${it}`;
  },
  parse(lines) {
    const field = (key: string, value: string) =>
      lines.flatMap(line => new RegExp(`^${key}:\\s+(${value})$`).exec(line.trim())?.[1] ?? []).at(-1);
    const [name, version] = [field("Package", NAME), field("Version", VERSION)];
    return name === undefined || version === undefined ? undefined : { name, version };
  },
  empty: undefined,
});
