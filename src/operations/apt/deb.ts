import { remotePath, sh } from "../../core/command.ts";
import { operation } from "../../core/operation.ts";
import { DebPackage, DebPackages } from "../../facts/deb.ts";
import { aptGet } from "../../facts/shared/apt-get.ts";
import { download } from "../files/download.ts";
import { basename } from "../shared/paths.ts";
import { isUrl } from "../shared/urls.ts";

/** Arguments of `apt.deb`. */
export interface DebArguments {
  /** Path of the `.deb` file on the host, or its URL. */
  readonly src: string;
  /** Install it; `false` removes it. Default true. */
  readonly present?: boolean;
  /** Let apt-get do what it warns of (`--force-yes`). Default false. */
  readonly force?: boolean;
}

/**
 * Install or remove the package of a `.deb` file, with the packages that it depends on.
 * The file at a URL is downloaded to find out what it holds, unless its name says so: `name_1.0_amd64.deb`.
 * @example
 * apt.deb({ src: "https://dl.google.com/linux/direct/google-chrome-stable_current_amd64.deb" });
 */
export const deb = operation<DebArguments>({
  name: "apt.deb",
  positional: ["src"],
  async *steps(host, { src, present = true, force = false }) {
    const has = async (wanted: { readonly name: string; readonly version: string } | undefined) =>
      wanted !== undefined && ((await host.getFact(DebPackages))[wanted.name]?.includes(wanted.version) ?? false);
    const note = () => host.noop(`deb ${src} is ${present ? "" : "not "}installed`);

    if (present && isUrl(src) && (await has(namedPackage(src)))) return note();
    const path = isUrl(src) ? await host.tempFile(src) : src;
    if (isUrl(src)) yield* download.steps(host, { src, dest: path });

    const found = await host.getFact(DebPackage, { package: path });
    if ((await has(found)) === present) return note();
    if (!present) {
      if (found) yield aptGet(["remove", found.name], { force });
      return;
    }
    const install = sh`dpkg --force-confdef --force-confold -i ${remotePath(path)}`;
    // The first time it may lack what it depends on; that is then installed, and the second time has to work.
    yield sh`${install} 2> /dev/null || true`;
    yield aptGet(["install", "-f"], { force });
    yield install;
  },
});

/** Name and version that a URL's file name says it has. */
function namedPackage(url: string): { readonly name: string; readonly version: string } | undefined {
  const [, name, version] = /^([a-z0-9][a-z0-9+.-]*)_([^_]+)_[^_]+\.deb$/.exec(basename(url)) ?? [];
  return name === undefined || version === undefined ? undefined : { name, version: version.replace(/%3a/i, ":") };
}
