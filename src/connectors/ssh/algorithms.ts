/** Algorithms: what ssh2 can do under Bun, and what the configuration makes of it. @module */
import { ConnectError } from "../../core/errors.ts";
import { matchesAny } from "./config/patterns.ts";
import type { AlgorithmKeyword, HostSettings } from "./config/index.ts";
import { HOST_KEY_ALGORITHMS } from "./host-keys/judge.ts";

interface Offer {
  /** What is offered, best first. */
  readonly usual: readonly string[];
  /** What can be asked for. */
  readonly also: readonly string[];
}

const OFFERS: Readonly<Record<"kexalgorithms" | "ciphers" | "macs" | "hostkeyalgorithms", Offer>> = {
  kexalgorithms: {
    usual: [
      "curve25519-sha256",
      "curve25519-sha256@libssh.org",
      "ecdh-sha2-nistp256",
      "ecdh-sha2-nistp384",
      "ecdh-sha2-nistp521",
      "diffie-hellman-group-exchange-sha256",
      "diffie-hellman-group16-sha512",
      "diffie-hellman-group18-sha512",
      "diffie-hellman-group14-sha256",
    ],
    also: [
      "diffie-hellman-group15-sha512",
      "diffie-hellman-group17-sha512",
      "diffie-hellman-group-exchange-sha1",
      "diffie-hellman-group14-sha1",
      "diffie-hellman-group1-sha1",
    ],
  },
  // Without chacha20-poly1305: Bun's crypto library lacks it.
  ciphers: {
    usual: ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr"],
    also: ["aes256-cbc", "aes192-cbc", "aes128-cbc"],
  },
  macs: {
    usual: [
      "hmac-sha2-256-etm@openssh.com",
      "hmac-sha2-512-etm@openssh.com",
      "hmac-sha1-etm@openssh.com",
      "hmac-sha2-256",
      "hmac-sha2-512",
      "hmac-sha1",
    ],
    also: [],
  },
  hostkeyalgorithms: {
    usual: HOST_KEY_ALGORITHMS,
    also: ["ssh-rsa", ...HOST_KEY_ALGORITHMS.map(algorithm => `${algorithm}-cert-v01@openssh.com`)],
  },
};

/** What to offer to a host. Throws `ConnectError` if the configuration leaves nothing that can be done. */
export function algorithmsFor(settings: HostSettings) {
  return {
    kex: chosen("kexalgorithms", settings),
    cipher: chosen("ciphers", settings),
    hmac: chosen("macs", settings),
    compress: settings.compression ? ["zlib@openssh.com", "none"] : ["none"],
  };
}

/** Host key algorithms that the configuration names; undefined if it names none. */
export const allowedHostKeyAlgorithms = (settings: HostSettings): readonly string[] | undefined =>
  settings.algorithms.hostkeyalgorithms === undefined ? undefined : chosen("hostkeyalgorithms", settings);

function chosen(keyword: keyof typeof OFFERS, settings: HostSettings): string[] {
  const { usual, also } = OFFERS[keyword];
  const list = combine(settings.algorithms[keyword as AlgorithmKeyword], usual);
  const possible = [...new Set(list)].filter(name => usual.includes(name) || also.includes(name));
  if (possible.length > 0) return possible;
  throw new ConnectError(
    `The setting ${keyword} (${settings.algorithms[keyword as AlgorithmKeyword]}) names nothing that can be used`,
    {
      hint: `Possible are ${[...usual, ...also].join(", ")}`,
    },
  );
}

/** A list of ssh_config: in place of the usual ones, or added (`+`), taken away (`-`) or put first (`^`). */
function combine(written: string | undefined, usual: readonly string[]): readonly string[] {
  if (written === undefined) return usual;
  const names = written.replace(/^[-+^]/, "").split(",");
  if (written.startsWith("+")) return [...usual, ...names];
  if (written.startsWith("^")) return [...names, ...usual];
  if (written.startsWith("-")) return usual.filter(name => !matchesAny(name, names));
  return names;
}
