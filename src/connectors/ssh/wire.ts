/** The binary words of the SSH protocol: keys, certificates, agents. @module */
import { createHash } from "node:crypto";

/** Reads length-prefixed words one after the other; throws `RangeError` at a premature end. */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  get position(): number {
    return this.#at;
  }
  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }
  byte(): number {
    return this.raw(1)[0] as number;
  }
  uint32(): number {
    return this.raw(4).readUInt32BE();
  }
  uint64(): bigint {
    return this.raw(8).readBigUInt64BE();
  }
  blob(): Buffer {
    return this.raw(this.uint32());
  }
  text(): string {
    return this.blob().toString("utf8");
  }
  raw(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw new RangeError("The message ends too early");
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }
}

/** A length-prefixed word. */
export function wireBlob(bytes: Uint8Array | string): Buffer {
  const content = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
  return Buffer.concat([uint32(content.length), content]);
}
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The type that a public key or certificate says it has; empty if it is none. */
export function keyTypeOf(key: Uint8Array): string {
  try {
    return new WireReader(key).text();
  } catch {
    return "";
  }
}

/** `SHA256:…`, as ssh-keygen prints it. */
export const fingerprint = (key: Uint8Array): string =>
  `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;

/** What people call a key type: `ED25519`. */
export function keyTypeName(type: string): string {
  const plain = plainType(type);
  if (plain === "ssh-rsa" || plain.startsWith("rsa-")) return "RSA";
  if (plain.startsWith("ecdsa-")) return "ECDSA";
  if (plain === "ssh-ed25519") return "ED25519";
  if (plain === "ssh-dss") return "DSA";
  return plain;
}

const CERTIFICATE = "-cert-v01@openssh.com";
export const isCertificateType = (type: string): boolean => type.endsWith(CERTIFICATE);
/** The type of the key inside a certificate. */
export const plainType = (type: string): string =>
  isCertificateType(type) ? type.slice(0, -CERTIFICATE.length) : type;
