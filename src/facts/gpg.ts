/** GPG keys and keyrings. @module */
import { remotePath, sh, type Shell } from "../core/command.ts";
import { fact } from "../core/fact.ts";

/** What gpg says about a subkey. */
export interface GpgSubkey {
  /** One letter of gpg's: `-` unknown, `e` expired, `r` revoked, `u` ultimate, … */
  readonly validity: string;
  /** Bits. */
  readonly length: number;
  /** Absent where gpg does not print it. */
  readonly fingerprint?: string;
  readonly uid?: string;
  readonly uidHash?: string;
}

/** What gpg says about a key. */
export interface GpgKeyInfo extends GpgSubkey {
  /** By key id. */
  readonly subkeys: Readonly<Record<string, GpgSubkey>>;
}

/** Keys by key id. */
export type GpgKeyMap = Readonly<Record<string, GpgKeyInfo>>;

/** Arguments of `gpg.GpgKey`. */
export interface GpgKeyArguments {
  /** Path of a key file on the host, or a URL. */
  readonly src: string;
}

/** The keys in a file or at a URL. None where there is no such thing. */
export const GpgKey = fact<GpgKeyArguments, GpgKeyMap>({
  name: "gpg.GpgKey",
  requires: "gpg",
  command({ src }) {
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(src)) return sh`(wget -O - ${src} || curl -sSLf ${src}) | gpg --with-colons`;
    return sh`gpg --with-colons ${remotePath(src)}`;
  },
  parse: lines => parseKeys(lines, "pub", "sub"),
  empty: {},
});

/** Arguments of `gpg.GpgKeys` and `gpg.GpgSecretKeys`. */
export interface GpgKeysArguments {
  /** Path of a keyring; default: the user's own. */
  readonly keyring?: string;
}

/** Public keys of a keyring. */
export const GpgKeys = fact<GpgKeysArguments, GpgKeyMap>({
  name: "gpg.GpgKeys",
  requires: "gpg",
  command: ({ keyring }) => sh`gpg --list-keys --with-colons${inKeyring(keyring)}`,
  parse: lines => parseKeys(lines, "pub", "sub"),
  empty: {},
});

/** Secret keys of a keyring. */
export const GpgSecretKeys = fact<GpgKeysArguments, GpgKeyMap>({
  name: "gpg.GpgSecretKeys",
  requires: "gpg",
  command: ({ keyring }) => sh`gpg --list-secret-keys --with-colons${inKeyring(keyring)}`,
  parse: lines => parseKeys(lines, "sec", "ssb"),
  empty: {},
});

const inKeyring = (keyring: string | undefined): Shell =>
  keyring === undefined ? sh`` : sh` --keyring ${keyring} --no-default-keyring`;

/** Arguments of `gpg.GpgKeyrings`. */
export interface GpgKeyringsArguments {
  /** Directories to look in, and below. Those that are not there hold nothing. */
  readonly directories: string | readonly string[];
}

/** A keyring file. */
export interface GpgKeyring {
  /** What its name ends with: `gpg` and `kbx` are binary, `asc` is text. */
  readonly format: string;
  readonly keys: GpgKeyMap;
}

/** Keyring files (`.gpg`, `.kbx`, `.asc`) with their keys, by path. */
export const GpgKeyrings = fact<GpgKeyringsArguments, Readonly<Record<string, GpgKeyring>>>({
  name: "gpg.GpgKeyrings",
  requires: "gpg",
  command: ({ directories }) => keyringsCommand([directories].flat()),
  parse(lines) {
    const files = new Map<string, string[]>();
    for (const line of lines) {
      if (line.startsWith(KEYRING)) files.set(line.slice(KEYRING.length), []);
      else [...files.values()].at(-1)?.push(line);
    }
    return Object.fromEntries(
      [...files].map(([path, output]) => [
        path,
        { format: path.slice(path.lastIndexOf(".") + 1), keys: parseKeys(output, "pub", "sub") },
      ]),
    );
  },
  empty: {},
});

const KEYRING = "KEYRING:";

/** `--show-keys` reads text and binary alike and leaves the user's own keyring alone. */
const keyringsCommand = (directories: readonly string[]): Shell =>
  sh`find ${directories.map(remotePath)} -type f \\( -name '*.gpg' -o -name '*.kbx' -o -name '*.asc' \\) -exec sh -c 'for f do echo "KEYRING:$f"; case $f in *.kbx) gpg --batch --list-keys --with-colons --no-default-keyring --keyring "$f";; *) gpg --batch --show-keys --with-colons "$f";; esac; done' sh {} + 2>/dev/null || true`;

/** Read `--with-colons`: a key, its fingerprint and user id, then its subkeys the same way. */
export function parseKeys(lines: readonly string[], keyRecord: string, subkeyRecord: string): GpgKeyMap {
  const keys: Record<string, Mutable<GpgKeyInfo>> = {};
  const current: { key?: Mutable<GpgKeyInfo>; part?: Mutable<GpgSubkey> } = {};
  for (const line of lines) {
    const [record, validity = "", length = "", , id = "", , , hash = "", , text = ""] = line.split(":");
    if (record === keyRecord) {
      const key: Mutable<GpgKeyInfo> = { validity, length: Number(length), subkeys: {} };
      keys[id] = current.key = current.part = key;
    } else if (record === subkeyRecord && current.key) {
      current.part = { validity, length: Number(length) };
      current.key.subkeys = { ...current.key.subkeys, [id]: current.part };
    } else if (record === "fpr" && current.part) {
      current.part.fingerprint = text;
    } else if (record === "uid" && current.part) {
      current.part.uidHash = hash;
      current.part.uid = text;
    }
  }
  return keys;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
