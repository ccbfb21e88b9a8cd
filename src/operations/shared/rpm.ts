/** What dnf, yum and zypper have in common. @module */
import { remotePath, sh, type Shell, substituted } from "../../core/command.ts";
import type { OperationHost } from "../../core/host.ts";
import { type Operation, operation } from "../../core/operation.ts";
import { RpmPackage, RpmPackageProvides } from "../../facts/rpm.ts";
import { download } from "../files/download.ts";
import type { Member } from "./packages.ts";
import { isUrl } from "./urls.ts";

/** A key that signs packages. */
export interface RpmKeyArguments {
  /** Path of a key file on the host, or a URL. */
  readonly src: string;
}

/** `key`: let rpm trust a key. `module` is named. */
export const rpmKeyOperation = (module: string): Operation<RpmKeyArguments> =>
  operation<RpmKeyArguments>({
    name: `${module}.key`,
    positional: ["src"],
    idempotent: "rpm finds out itself whether it knows the key",
    async *steps(_, { src }) {
      yield sh`rpm --import ${isUrl(src) ? src : remotePath(src)}`;
    },
  });

/** The package of one `.rpm` file. */
export interface RpmFileArguments {
  /** Path of the `.rpm` file on the host, or its URL. */
  readonly src: string;
  /** Install it; `false` removes it. Default true. */
  readonly present?: boolean;
}

/** `rpm`: install or remove the package of an `.rpm` file. `remove` is followed by its name. */
export const rpmFileOperation = (module: string, remove: Shell): Operation<RpmFileArguments> =>
  operation<RpmFileArguments>({
    name: `${module}.rpm`,
    positional: ["src"],
    async *steps(host, { src, present = true }) {
      const path = isUrl(src) ? `${await host.tempFile(src)}.rpm` : src;
      if (isUrl(src)) yield* download.steps(host, { src, dest: path });
      const at = remotePath(path);

      const wanted = await host.getFact(RpmPackage, { package: path });
      const installed = wanted && (await host.getFact(RpmPackage, { package: wanted.name }));
      const exists = wanted !== undefined && installed?.version === wanted.version;
      if (exists === present) return host.noop(`rpm ${src} is ${present ? "installed" : "not installed"}`);
      if (wanted && !present) yield sh`${remove} ${wanted.name}`;
      else if (wanted) yield sh`rpm -i ${at}`;
      // Not there yet while changes are foreseen, so what it holds is asked when it is.
      else yield sh`rpm -q ${substituted(sh`rpm -qp ${at}`)} 2> /dev/null || rpm -i ${at}`;
    },
  });

/** The packages that provide a name. */
export async function expandProvides(host: OperationHost, name: string): Promise<readonly Member[]> {
  const providers = await host.getFact(RpmPackageProvides, { package: name });
  return providers.map(([provider, version]) => ({ name: provider, version }));
}
