/** OpenSSH certificates. @module */
import { createPublicKey, verify } from "node:crypto";
import { matchesPattern } from "./config/patterns.ts";
import { loadLibrary } from "./library.ts";
import { isCertificateType, keyTypeOf, plainType, WireReader, wireBlob } from "./wire.ts";

/** What a certificate says. */
export interface Certificate {
  /** `ssh-ed25519-cert-v01@openssh.com` … */
  readonly type: string;
  /** Zero where the authority gave none. */
  readonly serial: bigint;
  readonly purpose: "user" | "host";
  /** The certified key, without certificate. */
  readonly key: Buffer;
  readonly keyId: string;
  readonly principals: readonly string[];
  /** Seconds since 1970. */
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  readonly criticalOptions: readonly string[];
  /** The key of the authority that signed it. */
  readonly authority: Buffer;
  readonly signed: Buffer;
  readonly signature: Buffer;
}

/** How many words the key itself has, by type. */
const KEY_WORDS: Readonly<Record<string, number>> = {
  "ssh-rsa": 2,
  "ssh-dss": 4,
  "ssh-ed25519": 1,
  "ecdsa-sha2-nistp256": 2,
  "ecdsa-sha2-nistp384": 2,
  "ecdsa-sha2-nistp521": 2,
  "sk-ssh-ed25519@openssh.com": 2,
  "sk-ecdsa-sha2-nistp256@openssh.com": 3,
};

/** Undefined if it is no certificate that can be read. */
export function parseCertificate(blob: Uint8Array): Certificate | undefined {
  try {
    const reader = new WireReader(blob);
    const type = reader.text();
    const words = KEY_WORDS[plainType(type)];
    if (!isCertificateType(type) || words === undefined) return undefined;
    reader.blob();
    const key = Buffer.concat([
      wireBlob(plainType(type)),
      ...Array.from({ length: words }, () => wireBlob(reader.blob())),
    ]);
    const serial = reader.uint64();
    const purpose = reader.uint32() === 2 ? "host" : "user";
    const keyId = reader.text();
    const principals = texts(reader.blob());
    const validAfter = reader.uint64();
    const validBefore = reader.uint64();
    const criticalOptions = texts(reader.blob()).filter((_, index) => index % 2 === 0);
    reader.blob();
    reader.blob();
    const authority = reader.blob();
    const signed = Buffer.from(blob.subarray(0, reader.position));
    const signature = reader.blob();
    return {
      type,
      serial,
      purpose,
      key,
      keyId,
      principals,
      validAfter,
      validBefore,
      criticalOptions,
      authority,
      signed,
      signature,
    };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Why a certificate does not prove that it is this host, or undefined if it does. The caller has found its authority trusted. */
export async function hostCertificateProblem(
  certificate: Certificate,
  host: string,
  now: Date,
): Promise<string | undefined> {
  const seconds = BigInt(Math.floor(now.getTime() / 1000));
  if (certificate.purpose !== "host") return "is made for a user, not for a host";
  if (seconds < certificate.validAfter) return "is not valid yet";
  if (seconds >= certificate.validBefore) return "has expired";
  if (!certificate.principals.some(principal => matchesPattern(host.toLowerCase(), principal.toLowerCase()))) {
    return `is for ${certificate.principals.map(name => JSON.stringify(name)).join(", ") || "nobody"}, not for ${JSON.stringify(host)}`;
  }
  if (certificate.criticalOptions.length > 0)
    return `has the critical option ${JSON.stringify(certificate.criticalOptions[0])}, which is not understood`;
  if (!(await isSigned(certificate))) return "is not signed by its authority";
  return undefined;
}

/** RSA with SHA-1 is left out, as in OpenSSH. */
const HASHES: Readonly<Record<string, string | null>> = {
  "ssh-ed25519": null,
  "rsa-sha2-256": "sha256",
  "rsa-sha2-512": "sha512",
  "ecdsa-sha2-nistp256": "sha256",
  "ecdsa-sha2-nistp384": "sha384",
  "ecdsa-sha2-nistp521": "sha512",
};
const CURVE_BYTES: Readonly<Record<string, number>> = {
  "ecdsa-sha2-nistp256": 32,
  "ecdsa-sha2-nistp384": 48,
  "ecdsa-sha2-nistp521": 66,
};

async function isSigned({ signed, signature, authority }: Certificate): Promise<boolean> {
  const { parseKey } = await loadLibrary();
  const parsed = parseKey(authority);
  if (parsed instanceof Error) return false;
  try {
    const reader = new WireReader(signature);
    const type = reader.text();
    const hash = HASHES[type];
    const keyType = keyTypeOf(authority);
    if (hash === undefined || (type.startsWith("rsa-") ? keyType !== "ssh-rsa" : keyType !== type)) return false;
    const size = CURVE_BYTES[type];
    const value = reader.blob();
    return verify(
      hash,
      signed,
      { key: createPublicKey(parsed.getPublicPEM()), dsaEncoding: "ieee-p1363" },
      size === undefined ? value : fixedWidth(value, size),
    );
  } catch {
    return false;
  }
}

/** The two numbers of an ECDSA signature, each of the curve's size. */
function fixedWidth(value: Buffer, size: number): Buffer {
  const reader = new WireReader(value);
  const number = (): Buffer => {
    const bytes = reader.blob();
    const digits = bytes.subarray(bytes.findIndex(byte => byte !== 0));
    return Buffer.concat([Buffer.alloc(Math.max(0, size - digits.length)), digits]);
  };
  return Buffer.concat([number(), number()]);
}

function texts(list: Buffer): readonly string[] {
  const reader = new WireReader(list);
  const found: string[] = [];
  while (!reader.isAtEnd) found.push(reader.text());
  return found;
}
