/** Repository files of the rpm families. @module */
import { OperationError } from "../../core/errors.ts";
import type { OperationHost } from "../../core/host.ts";
import type { Steps } from "../../core/steps.ts";
import { File } from "../../facts/files/index.ts";
import { download } from "../files/download.ts";
import { file } from "../files/file.ts";
import { put } from "../files/put.ts";
import { basename } from "./paths.ts";
import { checkLine } from "./options.ts";
import { isUrl } from "./urls.ts";

/** One `.repo` file. */
export interface RepositoryArguments {
  /** Name of the repository, or the URL of a `.repo` file, which is downloaded once. */
  readonly src: string;
  /** Write the file; `false` removes it. Default true. */
  readonly present?: boolean;
  /** Where the packages are. Needed unless `src` is a URL. */
  readonly baseUrl?: string;
  /** What people read. Default: the name. */
  readonly description?: string;
  /** Use it. Default true. */
  readonly enabled?: boolean;
  /** Check signatures. Default true. */
  readonly gpgCheck?: boolean;
  /** URL of the key that signs the packages. */
  readonly gpgKey?: string;
}

/** Write or remove a `.repo` file in a directory. */
export async function* ensureRepository(
  host: OperationHost,
  { src, present = true, ...args }: RepositoryArguments & { readonly type?: string },
  directory: string,
): Steps {
  const name = isUrl(src) ? basename(src.replace(/[?#].*/, "")).replace(/\.repo$/, "") : src;
  const path = `${directory}/${name}.repo`;
  if (!present) return yield* file.steps(host, { path, present });
  if (isUrl(src)) {
    if ((await host.getFact(File, { path })).type === "file") return host.noop(`repository ${name} exists`);
    return yield* download.steps(host, { src, dest: path });
  }
  const { baseUrl, description = name, enabled = true, gpgCheck = true, type, gpgKey } = args;
  if (!baseUrl) throw new OperationError(`\`baseUrl\` must be provided for a repository that is not a URL: "${src}"`);
  for (const [argument, value] of Object.entries({ src, description, baseUrl, type: type ?? "", gpgKey: gpgKey ?? "" }))
    checkLine(argument, value);
  const lines = [
    `[${name}]`,
    `name=${description}`,
    `baseurl=${baseUrl}`,
    `enabled=${Number(enabled)}`,
    `gpgcheck=${Number(gpgCheck)}`,
    type && `type=${type}`,
    gpgKey && `gpgkey=${gpgKey}`,
  ];
  yield* put.steps(host, { content: lines.flatMap(line => (line ? `${line}\n` : [])).join(""), dest: path });
}
