import { sh } from "../../core/command.ts";
import { OperationValueError } from "../../core/errors.ts";
import { operation } from "../../core/operation.ts";
import { AptDeb822Sources, type AptSource, AptSources, parseAptSource } from "../../facts/apt.ts";
import { words } from "../../facts/shared/lines.ts";
import { file } from "../files/file.ts";
import { line } from "../files/line.ts";
import { put } from "../files/put.ts";
import { checkLine, notOption } from "../shared/options.ts";

/** Arguments of `apt.repo`. */
export interface RepoArguments {
  /** The source as apt's one-line style has it: `deb https://example.org/debian trixie main`. */
  readonly src: string;
  /** Add it; `false` removes it. Default true. */
  readonly present?: boolean;
  /** Name of the file below `/etc/apt/sources.list.d`, without `.list`. Default: `/etc/apt/sources.list`. */
  readonly filename?: string;
}

/**
 * Add or remove one package source in one-line style.
 * @example
 * apt.repo({ src: "deb https://download.virtualbox.org/virtualbox/debian bookworm contrib", filename: "virtualbox" });
 */
export const repo = operation<RepoArguments>({
  name: "apt.repo",
  positional: ["src"],
  async *steps(host, { src, present = true, filename }) {
    checkLine("src", src);
    const path = filename ? `/etc/apt/sources.list.d/${filename}.list` : "/etc/apt/sources.list";
    const wanted = parseAptSource(src);
    const isThere = async (fact: typeof AptSources) =>
      wanted !== undefined && (await host.getFact(fact)).some(source => sameSource(source, wanted));
    // What another file names in deb822 style need not be added, but is not ours to remove either.
    const found = (await isThere(AptSources)) || (present && (await isThere(AptDeb822Sources)));
    if (found === present) return host.noop(`apt repo "${src}" ${present ? "exists" : "does not exist"}`);
    yield* line.steps(host, { path, line: src, present, escapeRegexCharacters: true });
  },
});

function sameSource(one: AptSource, other: AptSource): boolean {
  const key = ({ type, url, distribution, components, options }: AptSource) =>
    JSON.stringify([type, url, distribution, components, Object.entries(options).sort()]);
  return key(one) === key(other);
}

/** Arguments of `apt.ppa`. */
export interface PpaArguments {
  /** The archive: `ppa:user/name`. */
  readonly src: string;
  /** Add it; `false` removes it. Default true. */
  readonly present?: boolean;
}

/**
 * Add or remove one of Launchpad's personal package archives. The host needs `apt-add-repository`.
 * @example
 * apt.ppa({ src: "ppa:bitcoin/bitcoin" });
 */
export const ppa = operation<PpaArguments>({
  name: "apt.ppa",
  positional: ["src"],
  idempotent: "apt-add-repository finds out itself whether anything is to do",
  async *steps(_, { src, present = true }) {
    notOption("src", src);
    yield sh`${["apt-add-repository", "-y", !present && "--remove", src]}`;
  },
});

/** Arguments of `apt.sourcesFile`. Values that are several may be a list, or a text with spaces between them. */
export interface SourcesFileArguments {
  /** Name of the file below `/etc/apt/sources.list.d`, without `.sources`. */
  readonly filename: string;
  /** `deb`, `deb-src` or both. Default `deb`. */
  readonly types?: string | readonly string[];
  /** Where the packages are. Needed unless the file is removed. */
  readonly uris?: string | readonly string[];
  /** Distributions or suites: `trixie`. Needed unless the file is removed. */
  readonly suites?: string | readonly string[];
  /** Such as `main` and `contrib`. */
  readonly components?: string | readonly string[];
  /** Only packages of these architectures. Default: those of the host. */
  readonly architectures?: string | readonly string[];
  /** Absolute path of the keyring that signs them. */
  readonly signedBy?: string;
  /** Write it; `false` removes it. Default true. */
  readonly present?: boolean;
}

/**
 * Write or remove a file of package sources in deb822 style.
 * @example
 * apt.sourcesFile({
 *   filename: "docker",
 *   uris: "https://download.docker.com/linux/debian",
 *   suites: "trixie",
 *   components: ["stable"],
 *   signedBy: "/etc/apt/keyrings/docker.gpg",
 * });
 */
export const sourcesFile = operation<SourcesFileArguments>({
  name: "apt.sourcesFile",
  positional: ["filename"],
  async *steps(host, { filename, present = true, ...args }) {
    const dest = `/etc/apt/sources.list.d/${filename}.sources`;
    if (!present) return yield* file.steps(host, { path: dest, present });
    const fields = {
      Types: values(args.types ?? "deb"),
      URIs: values(args.uris),
      Suites: values(args.suites),
      Components: values(args.components),
      Architectures: values(args.architectures),
      "Signed-By": args.signedBy === undefined ? [] : [args.signedBy],
    };
    if (fields.URIs.length === 0 || fields.Suites.length === 0)
      throw new OperationValueError("`apt.sourcesFile` needs at least one of `uris` and one of `suites`");
    const argument = (field: string): string => (field === "Signed-By" ? "signedBy" : field.toLowerCase());
    const lines = Object.entries(fields).flatMap(([field, list]) =>
      list.length === 0 ? [] : [`${field}: ${checkLine(argument(field), list.join(" "))}\n`],
    );
    yield* put.steps(host, { content: lines.join(""), dest, mode: "644" });
  },
});

const values = (given: string | readonly string[] = []): readonly string[] =>
  typeof given === "string" ? words(given) : given;
