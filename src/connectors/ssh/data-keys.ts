/** Host data that the SSH connector reads. @module */
import type { DataKey } from "../../core/connector.ts";

export type SshDataKey = keyof typeof SSH_DATA_KEYS;

/** Each wins over what ssh_config says. */
export const SSH_DATA_KEYS = {
  sshTransport: {
    type: "string",
    default: "embedded",
    description:
      "What speaks SSH: `embedded` needs nothing on this machine; `openssh` is its own ssh program, for PKCS#11, FIDO keys, GSSAPI and whatever else only that can do.",
  },
  sshHostname: {
    type: "string",
    description: "Address to connect to. Default: HostName of ssh_config, else the host's name in the inventory.",
  },
  sshPort: { type: "number", description: "Port. Default: Port of ssh_config, else 22." },
  sshUser: { type: "string", description: "User to log in as. Default: User of ssh_config, else the local user." },
  sshPassword: {
    type: "secret",
    description: "Password to log in with. Default: asked once on a terminal when the host wants one.",
  },
  sshKey: {
    type: "string",
    description:
      "Private key file. Only this key is offered then; KEY-cert.pub beside it is offered as its certificate.",
  },
  sshKeyPassword: { type: "secret", description: "Passphrase of sshKey. Default: asked once on a terminal." },
  sshAllowAgent: { type: "boolean", default: true, description: "Use the keys of a running agent." },
  sshLookForKeys: {
    type: "boolean",
    default: true,
    description: "Offer the default keys in ~/.ssh where ssh_config names none.",
  },
  sshForwardAgent: {
    type: "boolean",
    default: false,
    description: "Let the host use the local agent. Wins over ForwardAgent of ssh_config.",
  },
  sshConfigFile: {
    type: "string",
    description: "Configuration to read in place of ~/.ssh/config and /etc/ssh/ssh_config; `none` reads none.",
  },
  sshKnownHostsFile: {
    type: "string",
    description: "File of known host keys. Default: UserKnownHostsFile of ssh_config, else ~/.ssh/known_hosts.",
  },
  sshStrictHostKeyChecking: {
    type: "string",
    default: "ask",
    description:
      "What happens to unknown host keys: `yes` refuses, `ask` asks on a terminal and refuses without one, `accept-new` accepts and remembers, `no` also tolerates changed keys. Default: StrictHostKeyChecking of ssh_config.",
  },
  sshFileTransferProtocol: {
    type: "string",
    default: "shell",
    description:
      "What carries files that are large or not text: `shell`, the input and output of commands, or `sftp`, for hosts where those do not pass them unharmed. The latter needs three sessions at once, and space in the host's temporary directory.",
  },
  sshConnectRetries: {
    type: "number",
    default: 3,
    description: "How often a refused or unreachable connection is tried again before the connect timeout ends.",
  },
  sshConnectRetryMinDelay: {
    type: "number",
    default: 0.1,
    description: "Seconds before the first retry; the delay doubles with each.",
  },
  sshConnectRetryMaxDelay: {
    type: "number",
    default: 2,
    description: "Seconds that a delay between tries takes at most.",
  },
} as const satisfies Readonly<Record<string, DataKey>>;
