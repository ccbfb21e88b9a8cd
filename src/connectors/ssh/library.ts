/** The door to ssh2, opened when the first host needs it. @module */
import { connect } from "node:net";
import type {
  AnyAuthMethod,
  BaseAgent,
  Client,
  ClientChannel,
  ConnectConfig,
  ExecOptions,
  ParsedKey,
  PseudoTtyOptions,
  SFTPWrapper,
  SignCallback,
  SigningRequestOptions,
  Stats,
} from "ssh2";
import { isCertificateType, keyTypeOf } from "./wire.ts";

export type {
  AnyAuthMethod,
  BaseAgent,
  Client,
  ClientChannel,
  ConnectConfig,
  ExecOptions,
  ParsedKey,
  PseudoTtyOptions,
  SFTPWrapper,
  Stats,
};

/** Called with what to try next, or `false` when there is nothing more. */
export type AuthHandler = (
  allowed: readonly string[] | null,
  partialSuccess: boolean | null,
  next: (attempt: AnyAuthMethod | false) => void,
) => void;

/** What is used of ssh2. */
export interface SshLibrary {
  createClient(): Client;
  /** A key, or an error that says why it is none. */
  parseKey(key: Buffer | string, passphrase?: string): ParsedKey | Error;
  /** An agent that holds one key or certificate. ssh2 signs with files on the spot but lets agents take their time. */
  signer(identity: Signer): BaseAgent;
  /** The local agent, to be used by a host. */
  forwardedAgent(socket: string): BaseAgent;
}

export interface Signer {
  /** What is offered: a public key or a certificate. */
  readonly blob: Buffer;
  /** The public key itself. */
  readonly plain: Buffer;
  sign(message: Buffer, hash: string | undefined): Promise<Buffer>;
}

/** What the server says that it is: `OpenSSH_9.2p1`. */
export const serverSoftware = (client: Client): string => (client as { readonly _remoteVer?: string })._remoteVer ?? "";

let loaded: Promise<SshLibrary> | undefined;

export function loadLibrary(): Promise<SshLibrary> {
  loaded ??= import("ssh2").then(library => {
    // As a CommonJS module it may come whole or by name, depending on how it was bundled.
    const ssh2 = (library.default ?? library) as typeof import("ssh2");
    const parseKey: SshLibrary["parseKey"] = (key, passphrase) => {
      const parsed = ssh2.utils.parseKey(key, passphrase);
      return Array.isArray(parsed) ? (parsed[0] as ParsedKey) : parsed;
    };
    return { createClient: () => new ssh2.Client(), parseKey, ...agents(ssh2, parseKey) };
  });
  return loaded;
}

type Agents = Pick<SshLibrary, "signer" | "forwardedAgent">;

function agents({ BaseAgent }: typeof import("ssh2"), parseKey: SshLibrary["parseKey"]): Agents {
  class SigningAgent extends BaseAgent<ParsedKey> {
    readonly #signer: Signer;
    constructor(signer: Signer) {
      super();
      this.#signer = signer;
    }
    override getIdentities(done: (error?: Error | null, keys?: ParsedKey[]) => void): void {
      const key = offeredKey(this.#signer, parseKey);
      if (key instanceof Error) done(key);
      else done(undefined, [key]);
    }
    override sign(
      _key: ParsedKey,
      message: Buffer,
      options: SigningRequestOptions | SignCallback,
      done?: SignCallback,
    ): void {
      const answer = typeof options === "function" ? options : done;
      const hash = typeof options === "function" ? undefined : options?.hash;
      this.#signer.sign(message, hash).then(
        signature => answer?.(undefined, signature),
        (error: Error) => answer?.(error),
      );
    }
  }

  class ForwardedAgent extends BaseAgent<ParsedKey> {
    readonly #socket: string;
    constructor(socket: string) {
      super();
      this.#socket = socket;
    }
    override getIdentities(done: (error?: Error | null, keys?: ParsedKey[]) => void): void {
      done(undefined, []);
    }
    override sign(): void {
      throw new Error("A forwarded agent is used by the host alone");
    }
    override getStream(done: Parameters<NonNullable<BaseAgent["getStream"]>>[0]): void {
      const socket = connect(this.#socket);
      socket.once("connect", () => done(undefined, socket));
      socket.once("error", error => done(error));
    }
  }
  return { signer: signer => new SigningAgent(signer), forwardedAgent: socket => new ForwardedAgent(socket) };
}

function offeredKey({ blob, plain }: Signer, parseKey: SshLibrary["parseKey"]): ParsedKey | Error {
  const key = parseKey(plain);
  if (key instanceof Error || !isCertificateType(keyTypeOf(blob))) return key;
  // ssh2 does not parse certificates, but offers whatever a key says that it is.
  return Object.create(key, { type: { value: keyTypeOf(blob) }, getPublicSSH: { value: () => blob } }) as ParsedKey;
}
