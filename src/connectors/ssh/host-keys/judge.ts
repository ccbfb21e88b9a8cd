/** What known_hosts says about a key: the rules, without reading or asking anything. @module */
import { parseCertificate } from "../certificate.ts";
import { keyTypeOf, isCertificateType } from "../wire.ts";
import type { KnownKey } from "./known-hosts.ts";

/** What a host's key is, as far as we know. */
export type Verdict =
  | { readonly type: "known" }
  | { readonly type: "unknown" }
  /** Another key is known. */
  | { readonly type: "changed"; readonly expected: readonly KnownKey[] }
  | { readonly type: "revoked"; readonly by: KnownKey }
  /** Signed by an authority that is trusted for this host; the certificate itself is still to be checked. */
  | { readonly type: "certified" };

/** As OpenSSH decides: a key that matches is known; any other key that is known, of whatever type, makes this one a changed one. */
export function judge(key: Buffer, about: readonly KnownKey[]): Verdict {
  const certificate = isCertificateType(keyTypeOf(key)) ? parseCertificate(key) : undefined;
  const plain = certificate?.key ?? key;
  const same = (known: KnownKey, wanted: Buffer): boolean => known.key.equals(wanted);
  const by = about.find(
    known => known.marker === "revoked" && (same(known, plain) || (certificate && same(known, certificate.authority))),
  );
  if (by) return { type: "revoked", by };
  if (certificate && about.some(known => known.marker === "cert-authority" && same(known, certificate.authority)))
    return { type: "certified" };
  const plainKeys = about.filter(known => known.marker === undefined);
  if (plainKeys.some(known => same(known, plain))) return { type: "known" };
  return plainKeys.length > 0 ? { type: "changed", expected: plainKeys } : { type: "unknown" };
}

/** Algorithms of host keys, best first, the same as OpenSSH's as far as ssh2 has them. */
export const HOST_KEY_ALGORITHMS: readonly string[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
];
const CERTIFICATE_ALGORITHMS: readonly string[] = HOST_KEY_ALGORITHMS.map(
  algorithm => `${algorithm}-cert-v01@openssh.com`,
);

/** What to ask the server for: first what can be checked, so that a host with several keys shows one that is known. */
export function preferredAlgorithms(
  about: readonly KnownKey[],
  allowed: readonly string[] = HOST_KEY_ALGORITHMS,
): readonly string[] {
  const known = new Set(about.filter(({ marker }) => marker === undefined).map(({ type }) => type));
  const isKnown = (algorithm: string): boolean =>
    known.has(algorithm) || (algorithm.startsWith("rsa-") && known.has("ssh-rsa"));
  const certificates = about.some(({ marker }) => marker === "cert-authority")
    ? CERTIFICATE_ALGORITHMS.filter(algorithm => allowed.includes(algorithm) || allowed === HOST_KEY_ALGORITHMS)
    : [];
  const plain = allowed.filter(algorithm => !isCertificateType(algorithm));
  return [...certificates, ...plain.filter(isKnown), ...plain.filter(algorithm => !isKnown(algorithm))];
}
