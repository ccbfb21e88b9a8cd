/** The file that RevokedHostKeys names: public keys as text, or a key revocation list. @module */
import { readFile } from "node:fs/promises";
import { ConnectError } from "../../../core/errors.ts";
import { limitReached } from "../../../core/limits.ts";
import { remembered } from "../../shared/remembered.ts";
import { parseCertificate } from "../certificate.ts";
import { isRevocationList, parseRevocationList, type RevocationList } from "./krl.ts";
import { parseKnownHosts } from "./known-hosts.ts";

/** Files of revoked keys, each read once; one object serves a run. */
export interface RevokedKeys {
  /** By what a key or certificate is revoked; undefined if it is not. Throws `ConnectError` if the file cannot be read: nothing can be trusted then. */
  by(key: Buffer, path: string): Promise<string | undefined>;
}

export function createRevokedKeys(): RevokedKeys {
  const lists = new Map<string, Promise<RevocationList>>();
  return {
    async by(key, path) {
      return (await remembered(lists, path, () => load(path))).reason(key);
    },
  };
}

async function load(path: string): Promise<RevocationList> {
  try {
    const bytes = await readFile(path);
    if (!isRevocationList(bytes)) return textList(bytes.toString("latin1"), path);
    const list = parseRevocationList(bytes);
    return {
      reason(key) {
        const reason = list.reason(key);
        return reason && `${path} (${reason})`;
      },
    };
  } catch (error) {
    if (limitReached(error)) throw error;
    throw new ConnectError(`Cannot read RevokedHostKeys ${JSON.stringify(path)}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** A certificate is revoked with its key or with its authority. */
function textList(text: string, path: string): RevocationList {
  const keys = parseKnownHosts(text.replace(/^[ \t]*(?=\S)/gm, "* "), path);
  return {
    reason(key) {
      const certificate = parseCertificate(key);
      const wanted = certificate ? [certificate.key, certificate.authority] : [key];
      const found = keys.find(line => wanted.some(one => line.key.equals(one)));
      return found && `${found.file}:${found.line}`;
    },
  };
}
