/** The way to a host: which servers, in which order, as whom. @module */
import type { Secret } from "../../core/command.ts";
import type { Target } from "../../core/connector.ts";
import { ConnectError, ConnectorDataError } from "../../core/errors.ts";
import type { DataReader } from "../shared/host-data.ts";
import { type HostSettings, hostSettings, POLICIES, type Sources } from "./config/index.ts";
import type { SshDataKey } from "./data-keys.ts";

/** What helps where the embedded transport does not. */
export const USE_OPENSSH = 'The ssh program of this machine may be able to: set the host data sshTransport: "openssh"';

/** One server on the way. */
export interface Hop {
  /** Name for messages: as in the inventory, or as the jump host is written. */
  readonly name: string;
  readonly settings: HostSettings;
  /** What the host's data brings for logging in; a jump host gets none of it. */
  readonly credentials: Credentials;
  readonly isJump: boolean;
  readonly via?: Hop | undefined;
}

/** What somebody logs in with. */
export interface Credentials {
  readonly password?: Secret | undefined;
  readonly keyFile?: string | undefined;
  readonly keyPassword?: Secret | undefined;
  readonly allowAgent: boolean;
  readonly lookForKeys: boolean;
}

/** Equal for hops that can share a connection. */
export function hopKey(hop: Hop): string {
  return JSON.stringify([hop.settings.user, placeKey(hop), hop.via ? hopKey(hop.via) : ""]);
}

/** Equal for hops that lead to the same server, whoever logs in there. */
export function placeKey({ settings, via }: Hop): string {
  const { hostname, port, proxyCommand = "" } = settings;
  return JSON.stringify([hostname, port, proxyCommand, via ? placeKey(via) : ""]);
}

/** `ada@web-1:2222`, for messages. */
export function hopAddress({ settings: { hostname, port } }: Hop): string {
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return port === 22 ? host : `${host}:${port}`;
}

/** Where a host is and how to get there. */
export async function routeTo(
  target: Target,
  data: DataReader<SshDataKey>,
  options: { readonly sources: Sources; readonly home: string; readonly cwd: string },
): Promise<Hop> {
  const { sources } = options;
  const written = parseDestination(target.address, target.name);
  const destination = {
    host: data.string("sshHostname") ?? written.host,
    port: data.number("sshPort") ?? written.port,
    user: data.string("sshUser") ?? written.user,
  };
  const hop = await resolveHop(destination, {
    name: target.name,
    sources,
    jumps: undefined,
    isJump: false,
    passed: [],
  });
  const knownHosts = data.path("sshKnownHostsFile", options);
  const policy = data.string("sshStrictHostKeyChecking");
  if (policy !== undefined && POLICIES[policy] === undefined) {
    throw new ConnectorDataError(
      `The host data sshStrictHostKeyChecking of ${target.name} is ${JSON.stringify(policy)}, but must be "yes", "ask", "accept-new" or "no"`,
      { host: target.name },
    );
  }
  return {
    ...hop,
    settings: {
      ...hop.settings,
      ...(knownHosts === undefined ? {} : { userKnownHostsFiles: [knownHosts] }),
      strictHostKeyChecking: POLICIES[policy ?? ""] ?? hop.settings.strictHostKeyChecking,
      forwardAgent: data.boolean("sshForwardAgent") ?? hop.settings.forwardAgent,
    },
    credentials: {
      password: data.secret("sshPassword"),
      keyFile: data.path("sshKey", options),
      keyPassword: data.secret("sshKeyPassword"),
      allowAgent: data.boolean("sshAllowAgent") ?? true,
      lookForKeys: data.boolean("sshLookForKeys") ?? true,
    },
  };
}

/** A server as people write it: `host`, `ada@host:22`, `ssh://ada@host:22`, `[::1]:22`. */
export interface Destination {
  readonly host: string;
  readonly user?: string | undefined;
  readonly port?: number | undefined;
}

/** Throws `ConnectError` for what is none, naming `host`. */
export function parseDestination(text: string, host: string): Destination {
  if (text.trim() === "") throw new ConnectError("@ssh needs a host", { host, hint: "Write @ssh/HOST" });
  const [, user, rest = ""] = /^(?:ssh:\/\/)?(?:(.*)@)?([^@]*?)\/?$/s.exec(text) ?? [];
  const parts = /^\[([^\]]+)\](?::(\d+))?$/.exec(rest) ?? /^([^:]+):(\d+)$/.exec(rest) ?? [rest, rest];
  const port = parts[2] === undefined ? undefined : Number(parts[2]);
  const name = parts[1] ?? "";
  if (name === "" || name.startsWith("-") || user === "" || (port !== undefined && (port < 1 || port > 65535))) {
    throw new ConnectError(`The address ${JSON.stringify(text)} is not understood`, {
      host,
      hint: "Write host, user@host or user@host:port",
    });
  }
  return { host: name, user, port };
}

interface Resolving {
  readonly name: string;
  readonly sources: Sources;
  /** Jump hosts to use in place of the configured ones. */
  readonly jumps: readonly string[] | undefined;
  readonly isJump: boolean;
  /** The questions that led here, to find loops. */
  readonly passed: readonly string[];
}

/** As `ssh -J a,b c` does it: c through b, b through a, and a as its own configuration says. */
async function resolveHop(
  { host, user, port }: Destination,
  { name, sources, jumps, isJump, passed }: Resolving,
): Promise<Hop> {
  const configured = await hostSettings({ host, user, port }, sources);
  const settings: HostSettings = jumps ? { ...configured, proxyJump: jumps, proxyCommand: undefined } : configured;
  // The same server may well come twice, on purpose; the same question with the same answer would never end.
  const here = JSON.stringify([host, user, port, jumps]);
  if (passed.includes(here))
    throw new ConnectError(`The jump hosts of ${name} lead back to it`, {
      host: name,
      hint: "See ProxyJump in the SSH configuration; `ProxyJump none` ends a chain",
    });
  const nearest = settings.proxyJump.at(-1);
  const before = settings.proxyJump.slice(0, -1);
  const via =
    nearest === undefined
      ? undefined
      : await resolveHop(parseDestination(nearest, name), {
          name: nearest,
          sources,
          jumps: before.length > 0 ? before : undefined,
          isJump: true,
          passed: [...passed, here],
        });
  return { name, settings, credentials: { allowAgent: true, lookForKeys: true }, isJump, via };
}
