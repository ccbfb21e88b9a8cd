/** Is this the host it claims to be? @module */
import type { ConnectorContext } from "../../../core/connector.ts";
import { HostKeyError } from "../../../core/errors.ts";
import { quote } from "../../../core/command.ts";
import { hostCertificateProblem, parseCertificate } from "../certificate.ts";
import type { HostSettings } from "../config/index.ts";
import { fingerprint, keyTypeName, keyTypeOf } from "../wire.ts";
import { AcceptedKeys } from "./accepted.ts";
import { type Confirmation, createConfirmation } from "./confirm.ts";
import { judge, preferredAlgorithms, type Verdict } from "./judge.ts";
import { type Asking, askKnownHostsCommand } from "./command.ts";
import { createKnownHosts, type KnownHosts, type KnownKey, knownHostName } from "./known-hosts.ts";
import { createMemory, type Memory } from "./remember.ts";
import { createRevokedKeys, type RevokedKeys } from "./revoked.ts";

/** Checks host keys; one object serves a run. */
export interface HostKeys {
  /** Everything about one host, asked before its key is seen. */
  checkFor(host: CheckedHost, context: ConnectorContext): Promise<HostKeyCheck>;
  /** What known_hosts files say about a host, a line each, for people. */
  known(host: CheckedHost, context: ConnectorContext): Promise<readonly string[]>;
  /** Say which unknown keys were accepted since the last time. */
  tellAccepted(): void;
}

/** The host whose key is checked. */
export interface CheckedHost {
  /** Name in the inventory, for messages. */
  readonly name: string;
  readonly settings: HostSettings;
  /** Algorithms that the configuration allows. */
  readonly allowed?: readonly string[] | undefined;
}

export interface HostKeyCheck {
  /** Host key algorithms to offer, best first. */
  readonly algorithms: readonly string[];
  /** Resolves if the key may be used; throws `HostKeyError` if not. May ask a person, which takes as long as it takes. */
  verify(key: Buffer): Promise<void>;
  /** The handshake is done: the host has the key that it showed. Remembers a new one. */
  confirmed(): Promise<void>;
  /** The key is a changed one, tolerated by configuration: no secret may be typed into such a connection. */
  readonly isSuspect: boolean;
  /** The key that the host has shown, for explanations. */
  readonly seen: string | undefined;
  /** How the key was judged, for explanations. */
  readonly verdict: Verdict["type"] | undefined;
}

export function createHostKeys(asking: Asking): HostKeys {
  const knownHosts = createKnownHosts();
  const shared: Shared = {
    knownHosts,
    confirmation: createConfirmation(),
    memory: createMemory(knownHosts),
    revoked: createRevokedKeys(),
    accepted: new AcceptedKeys(),
    asking,
  };
  return {
    tellAccepted: () => shared.accepted.tell(),
    async known(host, context) {
      const lines = await new Check(host, context, shared).about();
      return lines.map(
        ({ key, marker, file, line }) =>
          `${marker === undefined ? "" : `@${marker} `}${describe(key)} (${file}:${line})`,
      );
    },
    async checkFor(host, context) {
      const check = new Check(host, context, shared);
      await check.prepare();
      return check;
    },
  };
}

interface Shared {
  readonly knownHosts: KnownHosts;
  readonly confirmation: Confirmation;
  readonly memory: Memory;
  readonly revoked: RevokedKeys;
  readonly accepted: AcceptedKeys;
  readonly asking: Asking;
}

class Check implements HostKeyCheck {
  algorithms: readonly string[] = [];
  isSuspect = false;
  seen: string | undefined;
  verdict: Verdict["type"] | undefined;
  readonly #host: CheckedHost;
  readonly #context: ConnectorContext;
  readonly #shared: Shared;
  /** Name in known_hosts. */
  readonly #name: string;
  readonly #files: readonly string[];
  #accepted: Buffer | undefined;
  #isNew = false;

  constructor(host: CheckedHost, context: ConnectorContext, shared: Shared) {
    const { hostname, port, hostKeyAlias, userKnownHostsFiles, globalKnownHostsFiles } = host.settings;
    this.#host = host;
    this.#context = context;
    this.#shared = shared;
    this.#name = hostKeyAlias ?? knownHostName(hostname, port);
    this.#files = [...userKnownHostsFiles, ...globalKnownHostsFiles];
  }

  async prepare(): Promise<void> {
    this.algorithms = preferredAlgorithms(await this.about(), this.#host.allowed);
  }

  async verify(key: Buffer): Promise<void> {
    // Asked again when keys are renewed during the connection: it has to be the same host still.
    if (this.#accepted) {
      if (this.#accepted.equals(key)) return;
      throw this.#error(key, "has changed during the connection");
    }
    this.seen = describe(key);
    const { settings } = this.#host;
    if (!(settings.noHostAuthenticationForLocalhost && isLoopback(settings.hostname))) await this.#judge(key);
    this.#accepted = key;
  }

  async confirmed(): Promise<void> {
    const { settings, name } = this.#host;
    const key = this.#accepted;
    const file = settings.userKnownHostsFiles[0];
    if (!key || !this.#isNew) return;
    this.#isNew = false;
    const plain = parseCertificate(key)?.key ?? key;
    try {
      if (file !== undefined)
        await this.#shared.memory.remember({ name: this.#name, key: plain, file, hashed: settings.hashKnownHosts });
      if (settings.strictHostKeyChecking !== "ask")
        this.#shared.accepted.add({ name, file, key: describe(key) }, this.#context);
    } catch (error) {
      this.#context.warn(`The host key of ${name} cannot be added to ${file}: ${(error as Error).message}`);
    }
  }

  /** What the files, and the program that KnownHostsCommand names, say of the host: before its key is seen, and of its key. */
  async about(key?: Buffer): Promise<readonly KnownKey[]> {
    const { knownHostsCommand, hostname } = this.#host.settings;
    const filed = await this.#filed();
    return knownHostsCommand
      ? [
          ...filed,
          ...(await askKnownHostsCommand(knownHostsCommand, { name: this.#name, hostname, key }, this.#shared.asking)),
        ]
      : filed;
  }

  async #filed(): Promise<readonly KnownKey[]> {
    const { hostname, port, hostKeyAlias } = this.#host.settings;
    const known = await this.#shared.knownHosts.about(this.#name, this.#files);
    // A key filed without the port counts too, unless something is filed with it.
    if (known.length > 0 || hostKeyAlias !== undefined || port === 22) return known;
    return await this.#shared.knownHosts.about(hostname, this.#files);
  }

  async #judge(key: Buffer): Promise<void> {
    await this.#checkRevokedFile(key);
    const verdict = judge(key, await this.about(key));
    this.verdict = verdict.type;
    switch (verdict.type) {
      case "known":
        return;
      case "revoked":
        throw this.#error(key, `is revoked by ${verdict.by.file}:${verdict.by.line}`);
      case "certified":
        return await this.#checkCertificate(key);
      case "changed":
        return this.#changed(key, verdict);
      case "unknown":
        return await this.#unknown(key);
    }
  }

  async #checkCertificate(key: Buffer): Promise<void> {
    const certificate = parseCertificate(key);
    const { hostKeyAlias, hostname } = this.#host.settings;
    const problem = certificate
      ? await hostCertificateProblem(certificate, hostKeyAlias ?? hostname, new Date())
      : "cannot be read";
    if (problem !== undefined) throw this.#error(key, `comes with a certificate that ${problem}`);
  }

  #changed(key: Buffer, { expected }: Verdict & { readonly type: "changed" }): void {
    const [first] = expected;
    const known = expected.map(line => `${describe(line.key)} (${line.file}:${line.line})`).join(" or ");
    const error = this.#error(key, `has changed, or somebody pretends to be it; expected ${known}`, {
      hint: `If the change is known to be right, remove the old key with: ssh-keygen -f ${quote(first?.file ?? "")} -R ${quote(this.#name)}`,
    });
    if (this.#host.settings.strictHostKeyChecking !== "no") throw error;
    this.isSuspect = true;
    this.#context.warn(
      `${error.message}. StrictHostKeyChecking is "no": going on without passwords and agent forwarding`,
    );
  }

  async #unknown(key: Buffer): Promise<void> {
    const { settings, name } = this.#host;
    const { strictHostKeyChecking: policy, batchMode } = settings;
    if (policy === "accept-new" || policy === "no") this.#isNew = true;
    else if (policy === "ask" && !batchMode)
      this.#isNew = await this.#shared.confirmation.confirm(
        { name: this.#name, host: name, key: describe(key) },
        this.#context,
      );
    if (this.#isNew) return;
    throw this.#error(key, "is not known", {
      hint:
        policy === "yes"
          ? `Add it to ${settings.userKnownHostsFiles[0] ?? "known_hosts"}: StrictHostKeyChecking is "yes"`
          : 'Connect once with ssh and compare the fingerprint, or accept unknown keys with the host data sshStrictHostKeyChecking: "accept-new"',
    });
  }

  async #checkRevokedFile(key: Buffer): Promise<void> {
    const { revokedHostKeys } = this.#host.settings;
    const by = revokedHostKeys === undefined ? undefined : await this.#shared.revoked.by(key, revokedHostKeys);
    if (by !== undefined) throw this.#error(key, `is revoked by ${by}`);
  }

  #error(key: Buffer, what: string, details: { readonly hint?: string } = {}): HostKeyError {
    const { name } = this.#host;
    const at = name === this.#name ? "" : ` (${this.#name})`;
    return new HostKeyError(`The host key of ${name}${at} ${what}: found ${describe(key)}`, { host: name, ...details });
  }
}

const describe = (key: Buffer): string =>
  `${keyTypeName(keyTypeOf(key))} ${fingerprint(parseCertificate(key)?.key ?? key)}`;

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
