/** Packages of the rpm families: Fedora, Red Hat, SUSE. @module */
import { remotePath, sh } from "../core/command.ts";
import { fact } from "../core/fact.ts";
import { packagesFact } from "./shared/packages.ts";

const FORMAT = "%{NAME} %{VERSION}-%{RELEASE}\\n";
const LINE = /^(\S+) (\S+)$/;

/** Installed rpm packages; versions with their release. */
export const RpmPackages = packagesFact({
  name: "rpm.RpmPackages",
  requires: "rpm",
  command: () => sh`rpm --queryformat ${FORMAT} -qa`,
  line: LINE,
});

/** Arguments of `rpm.RpmPackage`. */
export interface RpmPackageArguments {
  /** Name of an installed package, or path of an `.rpm` file. */
  readonly package: string;
}

/** What a package or an `.rpm` file calls itself. */
export interface RpmPackageInfo {
  readonly name: string;
  /** With its release. */
  readonly version: string;
}

/** Name and version of an installed package or an `.rpm` file; absent when there is no such thing. */
export const RpmPackage = fact<RpmPackageArguments, RpmPackageInfo | undefined>({
  name: "rpm.RpmPackage",
  requires: "rpm",
  command({ package: wanted }) {
    const it = remotePath(wanted);
    return sh`rpm --queryformat ${FORMAT} -q ${it} || ! test -e ${it} || rpm --queryformat ${FORMAT} -qp ${it} 2> /dev/null`;
  },
  parse(lines) {
    for (const line of lines) {
      const [, name, version] = LINE.exec(line) ?? [];
      if (name !== undefined && version !== undefined) return { name, version };
    }
    return undefined;
  },
  empty: undefined,
});

/** Arguments of `rpm.RpmPackageProvides`. */
export interface RpmPackageProvidesArguments {
  /** A package, a command, a file: anything that packages provide. */
  readonly package: string;
}

/** The available packages that provide something, each with one of its versions. */
export const RpmPackageProvides = fact<
  RpmPackageProvidesArguments,
  readonly (readonly [name: string, version: string])[]
>({
  name: "rpm.RpmPackageProvides",
  requires: "repoquery",
  // repoquery fails for what it does not know, which is an answer too.
  command: ({ package: wanted }) =>
    sh`repoquery --queryformat ${FORMAT} ${wanted.startsWith("-") ? `--whatprovides=${wanted}` : ["--whatprovides", wanted]} || true`,
  parse: lines =>
    lines.flatMap(line => {
      const [, name, version] = LINE.exec(line) ?? [];
      return name !== undefined && version !== undefined ? [[name, version] as const] : [];
    }),
  empty: [],
});
