import { joined, remotePath, Secret, sh, type Shell, type Word } from "../../core/command.ts";
import { OperationError, OperationValueError } from "../../core/errors.ts";
import type { Fact } from "../../core/fact.ts";
import type { OperationHost } from "../../core/host.ts";
import { operation } from "../../core/operation.ts";
import {
  File,
  Md5File,
  type PathArguments,
  type PathStat,
  Sha1File,
  Sha256File,
  Sha384File,
} from "../../facts/files/index.ts";
import { Date as HostClock, Which } from "../../facts/server/index.ts";
import { type AttributeArguments, attributeCommands, checkAttributes } from "../shared/attributes.ts";
import { checkPath } from "../shared/paths.ts";

/** What `files.download` takes. */
export interface DownloadArguments extends AttributeArguments {
  /** URL, fetched by the host with curl or wget. */
  readonly src: string;
  /** Path of the file on the host. */
  readonly dest: string;
  /** Download again when the file there was written more than this many seconds ago. */
  readonly cacheTime?: number;
  /** Download even if the file is there; default false. */
  readonly force?: boolean;
  /** SHA-384 that the file must have, in hex digits: a file with another one is downloaded again, and one that then still differs is an error. */
  readonly sha384sum?: string;
  /** SHA-256 that the file must have, in hex digits. */
  readonly sha256sum?: string;
  /** SHA-1 that the file must have, in hex digits. */
  readonly sha1sum?: string;
  /** MD5 that the file must have, in hex digits. */
  readonly md5sum?: string;
  /** Headers of the request, by name. */
  readonly headers?: Readonly<Record<string, string | Secret>>;
  /** Do not check the server's certificate; default false. */
  readonly insecure?: boolean;
  /** Proxy to go through: `http://proxy.example:3128`. */
  readonly proxy?: string | Secret;
  /** Highest rate, as curl and wget take it: `"500k"`, `"1M"` bytes a second. */
  readonly limitRate?: string;
  /** Directory of the host for the unfinished file; default: its directory for temporary files. */
  readonly tempDir?: string;
  /** Further options for curl, with their values: `{ "--user": "ada:secret" }`. */
  readonly extraCurlArgs?: Readonly<Record<string, string | Secret>>;
  /** Further options for wget, with their values. */
  readonly extraWgetArgs?: Readonly<Record<string, string | Secret>>;
}

/**
 * Have the host download a file from a URL, unless it is there already.
 * @example files.download({ src: "https://example.com/app.tar.gz", dest: "/srv/app.tar.gz", sha256sum: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" });
 */
export const download = operation<DownloadArguments>({
  name: "files.download",
  positional: ["src", "dest"],
  async *steps(host, args) {
    const { src, dest } = args;
    const wanted = checkAttributes(args);
    checkPath(dest, "dest");
    checkWords(args);
    const found = await host.getFact(File, { path: dest });
    if (found.type !== "file" && found.type !== "absent")
      throw new OperationError(`Destination ${dest} already exists and is not a file`);
    const sums = SUMS.filter(({ argument }) => args[argument]).map(sum => ({
      ...sum,
      value: (args[sum.argument] ?? "").toLowerCase(),
    }));
    const isDue =
      args.force ||
      found.type === "absent" ||
      (await isOld(host, found, args.cacheTime)) ||
      (await differs(host, dest, sums));
    if (!isDue) {
      const changes = found.type === "file" ? attributeCommands(dest, wanted, found, { ownerFirst: true }) : [];
      if (changes.length === 0) return host.noop(`file ${dest} has already been downloaded`);
      return yield* changes;
    }
    const temporary = await host.tempFile(dest, args.tempDir);
    yield await fetchCommand(host, args, src, temporary);
    yield sh`mv ${remotePath(temporary)} ${remotePath(dest)}`;
    yield* attributeCommands(dest, wanted, undefined, { ownerFirst: true });
    for (const { label, tools, value } of sums) {
      const digests = tools.map((tool, at) => sh`${tool} ${remotePath(dest)}${at === 0 ? sh` 2> /dev/null` : sh``}`);
      yield sh`(( ${joined(" || ", digests)} ) | grep ${value} ) || ( echo ${`${label} did not match!`} && exit 1 )`;
    }
  },
});

/** Kinds of checksum, and the tools that make them. */
const SUMS = [
  { argument: "sha1sum", label: "SHA1", fact: Sha1File, tools: [["sha1sum"], ["shasum"], ["sha1"]] },
  {
    argument: "sha256sum",
    label: "SHA256",
    fact: Sha256File,
    tools: [["sha256sum"], ["shasum", "-a", "256"], ["sha256"]],
  },
  { argument: "sha384sum", label: "SHA384", fact: Sha384File, tools: [["sha384sum"], ["shasum", "-a", "384"]] },
  { argument: "md5sum", label: "MD5", fact: Md5File, tools: [["md5sum"], ["md5"]] },
] as const;

/** Refuse what curl, wget or grep would take for an option. */
function checkWords(args: DownloadArguments): void {
  if (!/^[^-\s\0][^\s\0]*$/.test(args.src))
    throw new OperationValueError(`\`src\` is ${JSON.stringify(args.src)}, which is no URL`);
  for (const argument of ["sha1sum", "sha256sum", "sha384sum", "md5sum", "limitRate"] as const) {
    const value = args[argument];
    if (value !== undefined && !/^\w[\w-]*$/.test(value))
      throw new OperationValueError(`\`${argument}\` is ${JSON.stringify(value)}, which cannot be one`);
  }
  for (const option of [args.extraCurlArgs, args.extraWgetArgs].flatMap(options => Object.keys(options ?? {}))) {
    if (!option.startsWith("-")) throw new OperationValueError(`"${option}" is no option: it must begin with a dash`);
  }
}

async function isOld(host: OperationHost, found: PathStat, cacheTime: number | undefined): Promise<boolean> {
  if (!cacheTime) return false;
  const now = await host.getFact(HostClock);
  return now !== undefined && found.mtime !== undefined && found.mtime.getTime() < now.getTime() - cacheTime * 1000;
}

async function differs(
  host: OperationHost,
  path: string,
  sums: readonly { readonly fact: Fact<PathArguments, string | undefined>; readonly value: string }[],
): Promise<boolean> {
  const there = await Promise.all(sums.map(({ fact }) => host.getFact(fact, { path })));
  return sums.some(({ value }, at) => value !== there[at]);
}

async function fetchCommand(
  host: OperationHost,
  args: DownloadArguments,
  src: string,
  temporary: string,
): Promise<Shell> {
  const { proxy, insecure, limitRate, headers = {} } = args;
  const to = remotePath(temporary);
  const common = [
    ...(limitRate ? ["--limit-rate", limitRate] : []),
    ...Object.entries(headers).flatMap(([name, value]) => ["--header", header(name, value)]),
  ];
  const extra = (options: Readonly<Record<string, string | Secret>> = {}): Word[] => Object.entries(options).flat();
  const curl = sh`curl ${["-sSLf", ...extra(args.extraCurlArgs), ...(proxy ? ["--proxy", proxy] : []), insecure && "--insecure", ...common, src]} -o ${to}`;
  const wgetProxy = proxy
    ? ["-e", "use_proxy=yes", "-e", setting(src.startsWith("https:") ? "https_proxy" : "http_proxy", proxy)]
    : [];
  const wget = sh`wget ${["-q", ...extra(args.extraWgetArgs), ...wgetProxy, insecure && "--no-check-certificate", ...common, src]} -O ${to} || ( rm -f ${to} ; exit 1 )`;
  if (await host.getFact(Which, { command: "curl" })) return curl;
  if (await host.getFact(Which, { command: "wget" })) return wget;
  return sh`( ${curl} ) || ( ${wget} )`;
}

const header = (name: string, value: string | Secret): string | Secret => after(`${name}: `, value);
const setting = (name: string, value: string | Secret): string | Secret => after(`${name}=`, value);
const after = (prefix: string, value: string | Secret): string | Secret =>
  value instanceof Secret ? value.map(text => prefix + text) : prefix + value;
