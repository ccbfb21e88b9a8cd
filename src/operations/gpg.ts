/** GPG keys in keyring files. @module */
import { remotePath, sh, type Shell } from "../core/command.ts";
import { OperationError, OperationValueError } from "../core/errors.ts";
import type { OperationHost } from "../core/host.ts";
import { operation, type Steps } from "../core/operation.ts";
import { File } from "../facts/files/index.ts";
import { GpgKey, type GpgKeyMap, type GpgKeyring, GpgKeyrings } from "../facts/gpg.ts";
import { directory } from "./files/directory.ts";
import { download } from "./files/download.ts";
import { file } from "./files/file.ts";
import { dirname } from "./shared/paths.ts";
import { isUrl } from "./shared/urls.ts";

/** Arguments of `gpg.key`. */
export interface KeyArguments {
  /** Path of a key file on the host, or a URL; text or binary. */
  readonly src?: string;
  /** Keyring file to write, or to remove keys from. Needed to install. */
  readonly dest?: string;
  /** Server to fetch keys from; needs `keyId`. */
  readonly keyServer?: string;
  /** Ids of the keys to fetch, or to remove: long, short, or fingerprints, with or without `0x`. */
  readonly keyId?: string | readonly string[];
  /** Turn keys that are text into binary ones. Default true. */
  readonly dearmor?: boolean;
  /** Mode of the keyring file: octal digits. Default `644`. */
  readonly mode?: string;
  /** Install the keys; `false` removes those of `keyId`, or without it the whole file. Default true. */
  readonly present?: boolean;
  /** To remove keys without `dest`: the directories whose keyrings to look through. */
  readonly workingDirs?: readonly string[];
}

/**
 * Install keys into a keyring file, or remove them.
 * @example
 * gpg.key({ src: "https://download.docker.com/linux/debian/gpg", dest: "/etc/apt/keyrings/docker.gpg" });
 */
export const key = operation<KeyArguments>({
  name: "gpg.key",
  positional: ["src", "dest"],
  async *steps(host, args) {
    const ids = args.keyId === undefined ? [] : [args.keyId].flat();
    if (ids.some(id => !/^(?:0x)?[0-9a-f]+$/i.test(id)))
      throw new OperationValueError(`A key id is hexadecimal: got ${ids.map(id => `"${id}"`).join(", ")}`);
    if (args.present ?? true) yield* install(host, args, ids);
    else yield* remove(host, args, ids);
  },
});

async function* install(
  host: OperationHost,
  { src, dest, keyServer, dearmor: binary = true, mode = "644" }: KeyArguments,
  ids: readonly string[],
): Steps {
  if (!src && !keyServer) throw new OperationError("Either `src` or `keyServer` must be provided for installation");
  if (keyServer && ids.length === 0) throw new OperationError("`keyId` must be provided with `keyServer`");
  if (!dest) throw new OperationError("`dest` must be provided for installation");

  const there = (await host.getFact(GpgKeyrings, { directories: dirname(dest) || "." }))[dest]?.keys ?? {};
  const wanted = keyServer ? ids : Object.keys(await host.getFact(GpgKey, { src: src ?? "" }));
  if (wanted.length > 0 && wanted.every(id => matching(there, id).length > 0)) {
    host.noop(`All keys are already in ${dest}`);
    return yield* file.steps(host, { path: dest, mode });
  }

  yield* directory.steps(host, { path: dirname(dest) || ".", mode: "755", noCheckOwnerMode: true });
  const at = remotePath(dest);
  if (keyServer) {
    yield inOwnHome(
      sh`gpg --batch --keyserver ${keyServer} --recv-keys ${ids} && gpg --batch --yes --output ${at} --export ${ids}`,
    );
  } else if (src) {
    const local = isUrl(src) ? await host.tempFile(src) : src;
    if (local !== src) yield* download.steps(host, { src, dest: local });
    yield binary
      ? sh`if grep -q "BEGIN PGP PUBLIC KEY BLOCK" ${remotePath(local)}; then ${dearmored(local, dest)}; else cp ${remotePath(local)} ${at}; fi`
      : sh`cp ${remotePath(local)} ${at}`;
  }
  yield* file.steps(host, { path: dest, mode });
}

async function* remove(host: OperationHost, { dest, workingDirs }: KeyArguments, ids: readonly string[]): Steps {
  if (!dest && (ids.length === 0 || !workingDirs))
    throw new OperationError("For removal, either `dest` or both `keyId` and `workingDirs` must be provided");
  if (dest && ids.length === 0) return yield* file.steps(host, { path: dest, present: false });
  const keyrings = await host.getFact(GpgKeyrings, { directories: dest ? dirname(dest) || "." : (workingDirs ?? []) });
  const hits = Object.entries(keyrings).flatMap(([path, keyring]) => {
    const found = ids.flatMap(id => matching(keyring.keys, id));
    return found.length > 0 && (!dest || path === dest) ? [{ path, keyring, found }] : [];
  });
  if (hits.length === 0) return host.noop(`no keyring has the keys ${ids.join(", ")}`);
  for (const { path, keyring, found } of hits) yield* removeKeys(host, path, keyring, found);
}

async function* removeKeys(
  host: OperationHost,
  path: string,
  { format, keys }: GpgKeyring,
  found: readonly string[],
): Steps {
  if (Object.keys(keys).every(id => found.includes(id))) return yield* file.steps(host, { path, present: false });
  if (format === "asc")
    throw new OperationError(
      `The keyring "${path}" is text and holds other keys too: gpg can only remove keys from a binary one`,
    );
  const at = remotePath(path);
  yield inOwnHome(
    sh`gpg --batch --yes --no-auto-check-trustdb --no-default-keyring --keyring ${at} --delete-keys ${found} && rm -f ${at}~`,
  );
}

/** With a home that is there for the command alone: the user's own keys must neither grow nor stand in the way. */
const inOwnHome = (command: Shell): Shell =>
  sh`export GNUPGHOME="$(mktemp -d)" && trap 'gpgconf --kill all 2> /dev/null; rm -rf "$GNUPGHOME"' EXIT && ${command}`;

/** Ids of the keys that an id, which may be short or a fingerprint, stands for. */
function matching(keys: GpgKeyMap, id: string): readonly string[] {
  const wanted = id.replace(/^0x/i, "").toUpperCase();
  return Object.entries(keys).flatMap(([known, { fingerprint = known }]) =>
    [known, fingerprint].some(name => name.toUpperCase().endsWith(wanted)) || wanted.endsWith(known.toUpperCase())
      ? [known]
      : [],
  );
}

/** Arguments of `gpg.dearmor`. */
export interface DearmorArguments {
  /** Path of the key file on the host, which is text. */
  readonly src: string;
  /** Path of the binary keyring file to write. */
  readonly dest: string;
  /** Mode of the keyring file: octal digits. Default `644`. */
  readonly mode?: string;
}

/**
 * Make a binary keyring file of a key file that is text.
 * @example
 * gpg.dearmor({ src: "/tmp/key.asc", dest: "/etc/apt/keyrings/key.gpg" });
 */
export const dearmor = operation<DearmorArguments>({
  name: "gpg.dearmor",
  positional: ["src", "dest"],
  async *steps(host, { src, dest, mode = "644" }) {
    const there = await host.getFact(File, { path: dest });
    const [wanted, found] =
      there.type === "file"
        ? await Promise.all([host.getFact(GpgKey, { src }), host.getFact(GpgKey, { src: dest })])
        : [{}, {}];
    const ids = Object.keys(wanted);
    if (ids.length > 0 && ids.every(id => Object.hasOwn(found, id)))
      host.noop(`All keys of ${src} are already in ${dest}`);
    else {
      yield* directory.steps(host, { path: dirname(dest) || ".", mode: "755", noCheckOwnerMode: true });
      yield dearmored(src, dest);
    }
    yield* file.steps(host, { path: dest, mode });
  },
});

const dearmored = (src: string, dest: string) =>
  sh`gpg --batch --yes --dearmor -o ${remotePath(dest)} ${remotePath(src)}`;
