import { remotePath, sh } from "../../core/command.ts";
import { OperationError } from "../../core/errors.ts";
import type { OperationHost } from "../../core/host.ts";
import { operation, type Steps } from "../../core/operation.ts";
import { AptKeys } from "../../facts/apt.ts";
import { GpgKey, type GpgKeyMap } from "../../facts/gpg.ts";
import { key as gpgKey } from "../gpg.ts";
import { notOption } from "../shared/options.ts";
import { basename } from "../shared/paths.ts";
import { isUrl } from "../shared/urls.ts";

const KEYRINGS = "/etc/apt/keyrings";
/** Where apt's keyrings are. */
const KEYRING_DIRECTORIES = ["/etc/apt/trusted.gpg.d", KEYRINGS, "/usr/share/keyrings"];

/** Arguments of `apt.key`. */
export interface KeyArguments {
  /** Path of a key file on the host, or a URL; text or binary. */
  readonly src?: string;
  /** Server to fetch keys from; needs `keyId`. */
  readonly keyServer?: string;
  /** Ids of the keys to fetch, or to remove. */
  readonly keyId?: string | readonly string[];
  /** Keyring file to write; a relative name is one below `/etc/apt/keyrings`. Default: `apt-key` where the host has it, else a name made from the source. */
  readonly dest?: string;
  /** Add the keys; `false` removes them. Default true. */
  readonly present?: boolean;
}

/**
 * Add or remove keys that sign packages.
 * With `dest`, and on hosts without `apt-key`, each source gets a keyring of its own, to be named by `signed-by` of a package source.
 * @example
 * apt.key({ src: "https://download.docker.com/linux/debian/gpg", dest: "docker.gpg" });
 */
export const key = operation<KeyArguments>({
  name: "apt.key",
  positional: ["src"],
  async *steps(host, args) {
    const { dest, keyId, present = true } = args;
    const ids = keyId === undefined ? [] : [keyId].flat().map(id => notOption("keyId", id));
    if (!present) {
      if (ids.length > 0 && !dest && !args.src)
        return yield* gpgKey.steps(host, { keyId: ids, present, workingDirs: KEYRING_DIRECTORIES });
      return yield* gpgKey.steps(host, { ...(ids.length > 0 ? { keyId: ids } : {}), dest: keyringPath(args), present });
    }
    if (args.keyServer && ids.length === 0) throw new OperationError("`keyId` must be provided with `keyServer`");
    const trusted = dest ? undefined : await host.getFact(AptKeys);
    if (trusted) return yield* aptKey(host, args, ids, trusted);
    const { src, keyServer } = args;
    yield* gpgKey.steps(host, {
      ...(src ? { src } : {}),
      ...(keyServer ? { keyServer } : {}),
      ...(ids.length > 0 ? { keyId: ids } : {}),
      dest: keyringPath(args),
    });
  },
});

async function* aptKey(
  host: OperationHost,
  { src, keyServer }: KeyArguments,
  ids: readonly string[],
  trusted: GpgKeyMap,
): Steps {
  const isTrusted = (id: string): boolean => Object.hasOwn(trusted, id);
  if (src) {
    const inside = Object.keys(await host.getFact(GpgKey, { src }));
    const wanted = inside.length > 0 ? inside : ids;
    if (wanted.length > 0 && wanted.every(isTrusted))
      host.noop(`All keys from ${src} are already available in the apt keychain`);
    else
      yield isUrl(src)
        ? sh`(wget -O - ${src} || curl -sSLf ${src}) | apt-key add -`
        : sh`apt-key add ${remotePath(src)}`;
  }
  if (keyServer) {
    const missing = [...new Set(ids)].filter(id => !isTrusted(id)).sort();
    if (missing.length === 0) host.noop(`Keys ${ids.join(", ")} are already available in the apt keychain`);
    else yield sh`apt-key adv --keyserver ${keyServer} --recv-keys ${missing}`;
  }
}

/** The keyring file: as `dest` says, else named after where the keys come from. */
function keyringPath({ src, keyId, dest }: KeyArguments): string {
  if (dest) return dest.startsWith("/") ? dest : `${KEYRINGS}/${dest}`;
  const file = src && basename(src).replace(/\.(?:asc|gpg)$/, "");
  const site = src && /^\w+:\/\/([^/]+)/.exec(src)?.[1];
  const name = file
    ? [site, file].filter(part => part).join("-")
    : keyId
      ? `keyserver-${[keyId].flat().join("-")}`
      : "apt-key";
  return `${KEYRINGS}/${name.toLowerCase().replace(/[^\w.-]+/g, "_")}.gpg`;
}
