/** The keywords of ssh_config(5), and what becomes of each with the embedded transport. @module */

/** What a keyword is about; the keywords as `ssh` spells them. */
export type KeywordGroups = Readonly<Record<string, readonly string[]>>;

/** Mean what they mean to ssh. */
export const HONOURED: KeywordGroups = {
  "which lines count": ["Host", "Match", "Include"],
  "where, and as whom": [
    "HostName",
    "CanonicalizeHostname",
    "CanonicalDomains",
    "CanonicalizeMaxDots",
    "CanonicalizeFallbackLocal",
    "CanonicalizePermittedCNAMEs",
    "Port",
    "User",
    "AddressFamily",
    "BindAddress",
    "ProxyJump",
    "ProxyCommand",
  ],
  "host keys": [
    "HostKeyAlias",
    "UserKnownHostsFile",
    "GlobalKnownHostsFile",
    "KnownHostsCommand",
    "RevokedHostKeys",
    "StrictHostKeyChecking",
    "HashKnownHosts",
    "NoHostAuthenticationForLocalhost",
  ],
  "logging in": [
    "IdentityFile",
    "CertificateFile",
    "IdentitiesOnly",
    "IdentityAgent",
    "ForwardAgent",
    "PreferredAuthentications",
    "PubkeyAuthentication",
    "PasswordAuthentication",
    "KbdInteractiveAuthentication",
    "ChallengeResponseAuthentication",
    "NumberOfPasswordPrompts",
    "BatchMode",
  ],
  "the connection": [
    "ConnectTimeout",
    "ServerAliveInterval",
    "ServerAliveCountMax",
    "Compression",
    "KexAlgorithms",
    "Ciphers",
    "MACs",
    "HostKeyAlgorithms",
  ],
};

/** Only ssh itself can: who uses one is told, with its line. */
export const WARNED: readonly string[] = ["ProxyUseFdpass"];
/** Only ssh itself can, and said where no other way leads in: many a system turns these on for everybody. */
export const WARNED_AT_LOGIN: readonly string[] = ["GSSAPIAuthentication", "HostbasedAuthentication", "PKCS11Provider"];

/** Without effect, and without a warning, though ssh would do something else for each. */
export const WITHOUT_EFFECT: KeywordGroups = {
  "host keys": ["UpdateHostKeys", "VerifyHostKeyDNS", "CheckHostIP", "CASignatureAlgorithms", "RequiredRSASize"],
  "logging in": [
    "AddKeysToAgent",
    "PubkeyAcceptedAlgorithms",
    "SecurityKeyProvider",
    "HostbasedAcceptedAlgorithms",
    "EnableSSHKeysign",
    "GSSAPI…",
    "KbdInteractiveDevices",
  ],
  "the connection": ["BindInterface", "ConnectionAttempts", "TCPKeepAlive", "IPQoS", "RekeyLimit"],
  commands: [
    "SendEnv",
    "SetEnv",
    "RequestTTY",
    "RemoteCommand",
    "LocalCommand",
    "ControlMaster",
    "forwardings, X11, tunnels, escapes, logging",
  ],
};

/** What the README says of them. */
export function keywordTable(): string {
  const list = (words: readonly string[]): string =>
    words
      .map(word => (/^[A-Za-z0-9]+$/.test(word) && /[A-Z]/.test(word) && word !== "X11" ? `\`${word}\`` : word))
      .join(", ");
  const rows = [
    ...Object.entries(HONOURED).map(([about, words]) => ["honoured", about, words] as const),
    ["a warning", "only `ssh` can", WARNED] as const,
    ["told when no login works", "only `ssh` can", WARNED_AT_LOGIN] as const,
    ...Object.entries(WITHOUT_EFFECT).map(([about, words]) => ["no effect", about, words] as const),
  ];
  return [
    "| | | keywords |",
    "|---|---|---|",
    ...rows.map(([what, about, words]) => `| ${what} | ${about} | ${list(words)} |`),
  ].join("\n");
}
