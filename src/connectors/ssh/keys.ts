/** Private keys in files, each read and unlocked once per run. @module */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Secret } from "../../core/command.ts";
import { limitReached } from "../../core/limits.ts";
import { remembered, unlessLimit } from "../shared/remembered.ts";
import { loadLibrary, type ParsedKey } from "./library.ts";
import { uint32, WireReader, wireBlob } from "./wire.ts";

/** A private key file. */
export interface KeyFile {
  readonly path: string;
  /** The public half, where it can be told without a passphrase. */
  readonly publicKey: Buffer | undefined;
  readonly isEncrypted: boolean;
  /** The key, after asking `passphrase` for one if it is encrypted. Throws `KeyError`. */
  unlock(passphrase: PassphraseSource): Promise<ParsedKey>;
}

/** Where a passphrase comes from. */
export interface PassphraseSource {
  /** From the host's data; then nobody is asked. */
  readonly given?: Secret | undefined;
  /** Ask a person, for try number `attempt`, from 1 on; `undefined` when there is no answer. */
  ask(path: string, attempt: number): Promise<Secret | undefined>;
}

/** Why a key cannot be used. */
export class KeyError extends Error {}

/** Reads key files; one object serves a run. */
export interface KeyFiles {
  /** Undefined if there is no such file. Throws `KeyError` if it is no key. */
  load(path: string): Promise<KeyFile | undefined>;
  /** What is written in `PATH.pub`, `PATH-cert.pub` and the like, if anything. */
  publicFile(path: string): Promise<Buffer | undefined>;
}

export function createKeyFiles(): KeyFiles {
  const files = new Map<string, Promise<KeyFile | undefined>>();
  const publicFiles = new Map<string, Promise<Buffer | undefined>>();
  const publicFile = (path: string) => remembered(publicFiles, path, () => readPublicFile(path));
  return { load: path => remembered(files, path, () => loadKeyFile(path, publicFile)), publicFile };
}

async function readPublicFile(path: string): Promise<Buffer | undefined> {
  const text = await readFile(path, "utf8").catch(unlessLimit(""));
  const [, base64 = ""] = text.trim().split(/\s+/);
  const blob = Buffer.from(base64, "base64");
  return blob.length > 0 ? blob : undefined;
}

async function loadKeyFile(
  path: string,
  publicFile: (path: string) => Promise<Buffer | undefined>,
): Promise<KeyFile | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (limitReached(error)) throw error;
    throw new KeyError(`cannot be read: ${(error as Error).message}`);
  }
  const isEncrypted = needsPassphrase(text);
  const publicKey =
    publicPart(text) ??
    (await publicFile(`${path}.pub`)) ??
    (isEncrypted ? undefined : (await parsePrivateKey(text)).getPublicSSH());
  const unlocked = new Map<string, Promise<ParsedKey>>();
  return {
    path,
    publicKey,
    isEncrypted,
    unlock(passphrase) {
      // bcrypt takes 200 ms of this process's time: once per key and given passphrase, not once per host.
      const given = passphrase.given?.reveal() ?? "";
      const key = unlocked.get(given) ?? unlockKey(path, text, isEncrypted ? passphrase : undefined);
      unlocked.set(given, key);
      return key;
    },
  };
}

async function unlockKey(path: string, text: string, passphrase: PassphraseSource | undefined): Promise<ParsedKey> {
  if (!passphrase) return await parsePrivateKey(text);
  if (passphrase.given) return await parsePrivateKey(text, passphrase.given.reveal());
  for (let attempt = 1; attempt <= MOST_QUESTIONS; attempt++) {
    const secret = await passphrase.ask(path, attempt);
    if (!secret) throw new KeyError("needs a passphrase, and none is given");
    try {
      return await parsePrivateKey(text, secret.reveal());
    } catch (error) {
      if (!(error instanceof KeyError)) throw error;
    }
  }
  throw new KeyError("has another passphrase");
}
const MOST_QUESTIONS = 3;

const PKCS8 = /-----BEGIN (?:ENCRYPTED )?PRIVATE KEY-----/;

function needsPassphrase(text: string): boolean {
  if (text.includes("BEGIN ENCRYPTED PRIVATE KEY") || /Proc-Type: *4, *ENCRYPTED/.test(text)) return true;
  if (/^PuTTY-User-Key-File/.test(text)) return !/^Encryption: none/m.test(text);
  const cipher = openSshHeader(text)?.cipher;
  return cipher !== undefined && cipher !== "none";
}

/** The public half that the OpenSSH format keeps in the open. */
const publicPart = (text: string): Buffer | undefined => openSshHeader(text)?.publicKey;

function openSshHeader(text: string): { readonly cipher: string; readonly publicKey: Buffer } | undefined {
  const base64 = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/.exec(text)?.[1];
  if (base64 === undefined) return undefined;
  try {
    const reader = new WireReader(Buffer.from(base64, "base64"));
    reader.raw(MAGIC.length);
    const cipher = reader.text();
    reader.blob();
    reader.blob();
    reader.uint32();
    return { cipher, publicKey: reader.blob() };
  } catch {
    return undefined;
  }
}
const MAGIC = Buffer.from("openssh-key-v1\0");

async function parsePrivateKey(text: string, passphrase?: string): Promise<ParsedKey> {
  const { parseKey } = await loadLibrary();
  const parsed = parseKey(PKCS8.test(text) ? fromPkcs8(text, passphrase) : text, passphrase);
  if (parsed instanceof Error) throw new KeyError(`cannot be used: ${parsed.message}`);
  if (!parsed.isPrivateKey()) throw new KeyError("is not a private key");
  return parsed;
}

/** ssh2 does not know this format: turned into one that it knows. */
function fromPkcs8(text: string, passphrase: string | undefined): string {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: text, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (error) {
    throw new KeyError(`cannot be used: ${(error as Error).message}`);
  }
  if (key.asymmetricKeyType === "rsa") return key.export({ type: "pkcs1", format: "pem" }).toString();
  if (key.asymmetricKeyType === "ec") return key.export({ type: "sec1", format: "pem" }).toString();
  if (key.asymmetricKeyType !== "ed25519")
    throw new KeyError(`has the type ${key.asymmetricKeyType}, which SSH does not know`);
  const { x = "", d = "" } = key.export({ format: "jwk" });
  const pub = Buffer.from(x, "base64url");
  const type = wireBlob("ssh-ed25519");
  const check = uint32(0x01020304);
  const inner = Buffer.concat([
    check,
    check,
    type,
    wireBlob(pub),
    wireBlob(Buffer.concat([Buffer.from(d, "base64url"), pub])),
    wireBlob(""),
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (inner.length % 8)) % 8 }, (_, index) => index + 1));
  const blob = Buffer.concat([
    MAGIC,
    wireBlob("none"),
    wireBlob("none"),
    wireBlob(""),
    uint32(1),
    wireBlob(Buffer.concat([type, wireBlob(pub)])),
    wireBlob(Buffer.concat([inner, padding])),
  ]);
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${blob.toString("base64").replace(/.{70}/g, "$&\n")}\n-----END OPENSSH PRIVATE KEY-----\n`;
}
