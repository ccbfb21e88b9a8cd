/** Public keys that may log in. @module */
import { LocalFileError } from "../../core/errors.ts";
import type { OperationHost } from "../../core/host.ts";
import { operation } from "../../core/operation.ts";
import { Home } from "../../facts/server/index.ts";
import { directory } from "../files/directory.ts";
import { file } from "../files/file.ts";
import { line } from "../files/line.ts";
import { put } from "../files/put.ts";
import { checkLine } from "../shared/options.ts";

/** Arguments of `server.userAuthorizedKeys`. */
export interface UserAuthorizedKeysArguments {
  /** Who they may log in as. */
  readonly user: string;
  /** Public keys, or paths of local files with keys, relative to the deploy file's directory. */
  readonly publicKeys: string | readonly string[];
  /** Group of the directory and the file; default: the user's name. */
  readonly group?: string;
  /** Remove every other key; default false. */
  readonly deleteKeys?: boolean;
  /** Default: `.ssh` in the user's home. */
  readonly authorizedKeyDirectory?: string;
  /** Default: `authorized_keys`. */
  readonly authorizedKeyFilename?: string;
}

/**
 * Make sure that public keys may log in as a user.
 * @example server.userAuthorizedKeys({ user: "ada", publicKeys: ["keys/ada.pub", "ssh-ed25519 AAAAC3 ada@laptop"] });
 */
export const userAuthorizedKeys = operation<UserAuthorizedKeysArguments>({
  name: "server.userAuthorizedKeys",
  positional: ["user", "publicKeys"],
  async *steps(
    host,
    {
      user,
      publicKeys,
      group = user,
      deleteKeys = false,
      authorizedKeyDirectory,
      authorizedKeyFilename = "authorized_keys",
    },
  ) {
    const keys = (await Promise.all([publicKeys].flat().map(given => readKeys(host, given)))).flat();
    // A user who is yet to be made has no home to ask for.
    const path = authorizedKeyDirectory ?? `${(await host.getFact(Home, { user })) ?? `/home/${user}`}/.ssh`;
    yield* directory.steps(host, { path, user, group, mode: "700" });
    const keyFile = `${path}/${authorizedKeyFilename}`;
    if (deleteKeys)
      return yield* put.steps(host, { content: `${keys.join("\n")}\n`, dest: keyFile, user, group, mode: "600" });
    yield* file.steps(host, { path: keyFile, user, group, mode: "600" });
    for (const key of keys) {
      // A key's options may hold what means something else in a pattern.
      const pattern = key.replace(/[\\*[\]^$]/g, "\\$&");
      yield* line.steps(host, {
        path: keyFile,
        line: pattern,
        ensureNewline: true,
        ...(pattern === key ? {} : { replace: key }),
      });
    }
  },
});

/** The keys in a local file, or the key itself. */
async function readKeys(host: OperationHost, given: string): Promise<readonly string[]> {
  const key = given.trim();
  if (/^(?:ssh-|ecdsa-sha2-|sk-)\S+ \S/.test(key)) return [checkLine("publicKeys", key)];
  const path = host.local.resolve(given);
  if ((await host.local.stat(path))?.type === "file") {
    const lines = (await host.local.readText(path)).split("\n").map(line => line.trim());
    return lines.filter(line => line !== "" && !line.startsWith("#"));
  }
  if (/^\S*(?:\/|\.pub$)\S*$/.test(key))
    throw new LocalFileError(`No such file: ${path}`, {
      hint: "A public key begins with its type, such as ssh-ed25519",
    });
  return [checkLine("publicKeys", key)];
}
