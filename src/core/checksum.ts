/** Checksums of content that is in memory. @module */
import { createHash } from "node:crypto";
import { Secret } from "./command.ts";

/** Kinds of checksum that are compared. */
export type ChecksumAlgorithm = "md5" | "sha1" | "sha256" | "sha384";

/** Hex digest. */
export const checksum = (content: string | Uint8Array | Secret, algorithm: ChecksumAlgorithm): string =>
  createHash(algorithm)
    .update(content instanceof Secret ? content.reveal() : content)
    .digest("hex");
