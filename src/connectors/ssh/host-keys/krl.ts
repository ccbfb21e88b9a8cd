/** Key revocation lists, as `ssh-keygen -k` makes them. @module */
import { createHash } from "node:crypto";
import { parseCertificate } from "../certificate.ts";
import { WireReader } from "../wire.ts";

/** A list that was read. */
export interface RevocationList {
  /** Why a key or certificate is revoked; undefined if it is not. */
  reason(key: Buffer): string | undefined;
}

const MAGIC = Buffer.from("SSHKRL\n\0");
const FORMAT = 1;
const SECTION = { certificates: 1, keys: 2, sha1: 3, signature: 4, sha256: 5, extension: 255 } as const;
const CERTIFICATES = { serials: 0x20, range: 0x21, bitmap: 0x22, keyIds: 0x23, extension: 0x39 } as const;

export const isRevocationList = (bytes: Buffer): boolean => bytes.subarray(0, 6).equals(MAGIC.subarray(0, 6));

/** Throws `RangeError` if the list is cut short, `SyntaxError` if it has parts that are not understood: what it revokes would be accepted. */
export function parseRevocationList(bytes: Buffer): RevocationList {
  const reader = new WireReader(bytes);
  if (!reader.raw(MAGIC.length).equals(MAGIC)) throw new SyntaxError("It is not a key revocation list");
  const format = reader.uint32();
  if (format !== FORMAT) throw new SyntaxError(`The format ${format} of the list is unknown`);
  // Its number, its date and its flags.
  reader.raw(24);
  reader.blob();
  reader.blob();
  const keys = new Set<string>();
  const hashes = { sha1: new Set<string>(), sha256: new Set<string>() };
  const authorities: RevokedCertificates[] = [];
  while (!reader.isAtEnd) {
    const type = reader.byte();
    const content = reader.blob();
    if (type === SECTION.certificates) authorities.push(parseCertificates(content));
    else if (type === SECTION.keys) for (const key of blobs(content)) keys.add(key.toString("base64"));
    else if (type === SECTION.sha1) for (const hash of blobs(content)) hashes.sha1.add(hash.toString("base64"));
    else if (type === SECTION.sha256) for (const hash of blobs(content)) hashes.sha256.add(hash.toString("base64"));
    // Who signed it is not asked, as in ssh.
    else if (type === SECTION.signature) reader.blob();
    else if (type === SECTION.extension) passExtension(content);
    else throw new SyntaxError(`The part ${type} of the list is not understood`);
  }
  const plainReason = (plain: Buffer): string | undefined => {
    if (keys.has(plain.toString("base64"))) return "the key itself";
    const hash = (["sha1", "sha256"] as const).find(name =>
      hashes[name].has(createHash(name).update(plain).digest("base64")),
    );
    return hash && `the key's ${hash.toUpperCase()}`;
  };
  return {
    reason(key) {
      const certificate = parseCertificate(key);
      if (!certificate) return plainReason(key);
      const { authority, keyId, serial } = certificate;
      const found =
        plainReason(certificate.key) ??
        authorities
          .filter(one => one.authority.length === 0 || one.authority.equals(authority))
          .map(one => one.reason(keyId, serial))
          .find(reason => reason !== undefined);
      return found ?? (plainReason(authority) && "the key of its authority");
    },
  };
}

/** What is revoked of one authority; of all if its key is empty. */
interface RevokedCertificates {
  readonly authority: Buffer;
  reason(keyId: string, serial: bigint): string | undefined;
}

function parseCertificates(content: Buffer): RevokedCertificates {
  const reader = new WireReader(content);
  const authority = reader.blob();
  reader.blob();
  const keyIds = new Set<string>();
  const serials: ((serial: bigint) => boolean)[] = [];
  while (!reader.isAtEnd) {
    const type = reader.byte();
    const part = reader.blob();
    const words = new WireReader(part);
    if (type === CERTIFICATES.serials) {
      const list = new Set<bigint>();
      while (!words.isAtEnd) list.add(words.uint64());
      serials.push(serial => list.has(serial));
    } else if (type === CERTIFICATES.range) {
      const [first, last] = [words.uint64(), words.uint64()];
      serials.push(serial => serial >= first && serial <= last);
    } else if (type === CERTIFICATES.bitmap) {
      const offset = words.uint64();
      const bitmap = words.blob();
      serials.push(serial => serial >= offset && hasBit(bitmap, serial - offset));
    } else if (type === CERTIFICATES.keyIds) for (const keyId of blobs(part)) keyIds.add(keyId.toString());
    else if (type === CERTIFICATES.extension) passExtension(part);
    else throw new SyntaxError(`The part ${SECTION.certificates}.${type} of the list is not understood`);
  }
  return {
    authority,
    reason(keyId, serial) {
      if (keyIds.has(keyId)) return `the key id ${JSON.stringify(keyId)}`;
      // A certificate without a serial number has the number zero.
      return serial !== 0n && serials.some(isRevoked => isRevoked(serial)) ? `the serial number ${serial}` : undefined;
    },
  };
}

/** Bit 0 is the lowest of the last byte. */
function hasBit(bitmap: Buffer, bit: bigint): boolean {
  if (bit >= BigInt(bitmap.length) * 8n) return false;
  const byte = bitmap[bitmap.length - 1 - Number(bit >> 3n)] as number;
  return ((byte >> Number(bit & 7n)) & 1) === 1;
}

/** Throws `SyntaxError` if it matters. */
function passExtension(content: Buffer): void {
  const reader = new WireReader(content);
  const name = reader.text();
  if (reader.byte() !== 0) throw new SyntaxError(`The extension ${JSON.stringify(name)} of the list is not understood`);
}

function blobs(content: Buffer): Buffer[] {
  const reader = new WireReader(content);
  const found: Buffer[] = [];
  while (!reader.isAtEnd) found.push(reader.blob());
  return found;
}
