/** Making a connection: way, handshake, login. @module */
import type { Connection, ConnectorContext } from "../../core/connector.ts";
import { ConnectError } from "../../core/errors.ts";
import type { Deadline } from "../shared/deadline.ts";
import { onAbort } from "../../core/abort.ts";
import { settlesWithin } from "../shared/wait.ts";
import type { Agent } from "./agent.ts";
import { algorithmsFor, allowedHostKeyAlgorithms } from "./algorithms.ts";
import { type Authentication, createAuthentication } from "./authenticate.ts";
import { gatherWrites } from "./gather.ts";
import type { HostKeyCheck, HostKeys } from "./host-keys/index.ts";
import type { KeyFiles } from "./keys.ts";
import { type Client, type ConnectConfig, loadLibrary, serverSoftware, type SshLibrary } from "./library.ts";
import type { Address } from "./names.ts";
import { DroppedError, type Retry, retrying, saysDropped } from "./retry.ts";
import { type Hop, hopAddress, USE_OPENSSH } from "./route.ts";
import { type Candidate, describeHop, openWay, socketError, type Way } from "./sockets.ts";

/** What all dials of a run share. */
export interface DialResources {
  readonly home: string;
  /** Runs a ProxyCommand. */
  readonly shell: string;
  readonly hostKeys: HostKeys;
  readonly keyFiles: KeyFiles;
  /** The agent to use for a hop; undefined if there is none. */
  agentFor(hop: Hop): Agent | undefined;
}

export interface DialOptions {
  readonly hop: Hop;
  /** The connection to the jump host before it. */
  readonly via: Client | undefined;
  /** The connection of another kind that it goes through. */
  readonly through?: Connection | undefined;
  /** Its addresses, where it is connected to directly. */
  readonly addresses: readonly Address[];
  readonly resources: DialResources;
  readonly context: ConnectorContext;
  readonly deadline: Deadline;
  readonly retry: Retry;
  /** Filled with what the server turns out to be. */
  readonly meeting?: Meeting | undefined;
}

/** What was learnt about a server on the way in; what is absent was not reached. */
export interface Meeting {
  software?: string;
  hostKey?: string | undefined;
  hostKeyStatus?: HostKeyCheck["verdict"];
  algorithms?: {
    readonly kex: string;
    readonly hostKey: string;
    readonly cipher: string;
    readonly mac: string;
    readonly compression: string;
  };
  /** What let us in. */
  login?: string | undefined;
}

/** Seconds between signs of life, and how many may be missing, where the configuration does not say. */
const KEEPALIVE = { interval: 15, count: 3 };

/** Connect and log in. Throws `ConnectError`, or the deadline's reason. */
export function dial(options: DialOptions): Promise<Client> {
  const addresses = options.addresses.map(address => ({ ...address }));
  return retrying(() => dialOnce(options, addresses), { ...options, host: options.hop.name });
}

async function dialOnce(options: DialOptions, addresses: readonly Candidate[]): Promise<Client> {
  const { hop, via, through, resources, context, deadline, meeting = {} } = options;
  const library = await loadLibrary();
  deadline.phase = `a connection to ${hopAddress(hop)}`;
  const check = await resources.hostKeys.checkFor(
    { name: hop.name, settings: hop.settings, allowed: allowedHostKeyAlgorithms(hop.settings) },
    context,
  );
  const agent = resources.agentFor(hop);
  const login = createAuthentication({
    hop,
    library,
    sources: { home: resources.home, keyFiles: resources.keyFiles, agent },
    context,
    deadline,
    isSuspect: () => check.isSuspect,
  });
  const config = clientConfig(hop, { check, login, deadline, agent, library });
  const way = await openWay(hop, { via, through, addresses, deadline, shell: resources.shell });
  const client = library.createClient();
  client.on("handshake", ({ kex, serverHostKey, cs }) => {
    const { cipher, mac, compress } = cs as { cipher: string; mac: string; compress: string };
    meeting.algorithms = {
      kex,
      hostKey: serverHostKey,
      cipher,
      mac: mac || "part of the cipher",
      compression: compress,
    };
  });
  try {
    await handshake(client, { ...config, sock: gatherWrites(way.socket) } as ConnectConfig, {
      hop,
      way,
      check,
      login,
      deadline,
      failure: config.failure,
    });
    meeting.login = login.current ?? "nothing: the server lets everybody in";
    return client;
  } catch (error) {
    client.destroy();
    way.socket.destroy();
    throw error instanceof DroppedError && way.complaint
      ? await programError(
          through ? `The connection that ${hop.name} goes through` : `The ProxyCommand of ${hop.name}`,
          hop,
          way.complaint,
        )
      : error;
  } finally {
    meeting.software = serverSoftware(client);
    meeting.hostKey = check.seen;
    meeting.hostKeyStatus = check.verdict;
  }
}

/** The program has ended, or does so now that its input has. */
async function programError(what: string, { name }: Hop, complaint: Promise<string>): Promise<ConnectError> {
  await settlesWithin(complaint, 1000);
  const said = await Promise.race([complaint, ""]);
  const Kind = saysDropped(said) ? DroppedError : ConnectError;
  return new Kind(`${what} ended before the handshake${said === "" ? "" : `: ${said}`}`, {
    host: name,
    retryable: true,
  });
}

interface Parts {
  readonly check: HostKeyCheck;
  readonly login: Authentication;
  readonly deadline: Deadline;
}

function clientConfig(
  hop: Hop,
  {
    check,
    login,
    deadline,
    agent,
    library,
  }: Parts & { readonly agent: Agent | undefined; readonly library: SshLibrary },
) {
  const { settings } = hop;
  let refusal: unknown;
  const forwards = settings.forwardAgent && !hop.isJump && agent !== undefined;
  return {
    username: settings.user,
    // ssh2's own time limit would run while a person is asked.
    readyTimeout: 0,
    keepaliveInterval: (settings.serverAliveInterval ?? KEEPALIVE.interval) * 1000,
    keepaliveCountMax: settings.serverAliveCountMax ?? KEEPALIVE.count,
    algorithms: { ...algorithmsFor(settings), serverHostKey: [...check.algorithms] },
    ...(forwards ? { agent: library.forwardedAgent(agent.socket) } : {}),
    authHandler: login.handler,
    hostVerifier(key: Buffer, accept: (isRight: boolean) => void): void {
      deadline
        .hold(() => check.verify(key))
        .then(
          () => accept(true),
          error => {
            refusal = error;
            accept(false);
          },
        );
    },
    /** Why the host's key was refused, if it was. */
    failure: () => refusal,
  };
}

async function handshake(
  client: Client,
  config: ConnectConfig,
  parts: Parts & { readonly hop: Hop; readonly way: Way; readonly failure: () => unknown },
): Promise<void> {
  const { hop, way, check, login, deadline } = parts;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let stage: "greeting" | "login" | "ready" = "greeting";
  let remembering: Promise<void> | undefined;
  deadline.phase = `the greeting of ${hopAddress(hop)}`;
  let said = "";
  const hear = (chunk: Uint8Array): void => {
    said = (said + Buffer.from(chunk).toString("latin1")).slice(0, MOST_SAID);
    const isGreeted = GREETING.test(said);
    if (isGreeted && stage === "greeting")
      deadline.phase = `the key exchange with ${hopAddress(hop)}, which has greeted`;
    if (isGreeted || said.length === MOST_SAID) way.socket.off("data", hear);
  };
  way.socket.on("data", hear);
  client.on("handshake", () => {
    if (stage !== "greeting") return;
    stage = "login";
    deadline.phase = `the login on ${hopAddress(hop)}`;
    // Written while the login goes on, and waited for at its end: a program that looks then finds the key.
    remembering = check.confirmed();
  });
  client.on("change password", () => reject(login.failure("the password has expired and must be changed")));
  client.on("error", (error: Error & { level?: string; code?: string | number }) => {
    // One key that cannot sign is one try that failed.
    if (error.level === "agent" || stage === "ready") return;
    reject(parts.failure() ?? translate(error, { hop, login, stage, said }));
  });
  client.on("close", () =>
    reject(
      parts.failure() ??
        (stage === "login" ? login.failure("the server closed the connection") : dropped(hop, undefined, said)),
    ),
  );
  client.on("ready", () => {
    stage = "ready";
    resolve();
  });
  using _ = onAbort(deadline.signal, () => reject(deadline.signal.reason));
  try {
    client.connect(config);
  } catch (error) {
    reject(error);
  }
  // A program that fails at once has closed its end before anybody listened.
  if (way.socket.destroyed) reject(dropped(hop));
  await promise;
  await remembering;
}

function translate(
  error: Error & { level?: string; code?: string | number },
  {
    hop,
    login,
    stage,
    said,
  }: { readonly hop: Hop; readonly login: Authentication; readonly stage: string; readonly said: string },
): ConnectError {
  if (error.level === "client-authentication") return login.failure();
  if (stage === "login") return login.failure(printable(error.message));
  // A number is the server's own reason to leave, and its words for it.
  if (typeof error.code === "number") return ended(hop, error.message, error);
  if (error.code === "ECONNRESET" || error.level === "protocol") return dropped(hop, error, said);
  if (error.level === "client-socket") return socketError(hop, error as NodeJS.ErrnoException);
  const reason = printable(error.message).replace(/^Handshake failed: /, "");
  return new ConnectError(`${describeHop(hop)} and this program do not understand each other: ${reason}`, {
    host: hop.name,
    cause: error,
    ...(/no matching/i.test(reason)
      ? {
          hint: `The server offers only algorithms that are not supported here, or that KexAlgorithms, Ciphers, MACs or HostKeyAlgorithms leave out. ${USE_OPENSSH}`,
        }
      : {}),
  });
}

/** As much of what a server says is looked at. */
const MOST_SAID = 2000;
const GREETING = /^SSH-[^\n]*\n/m;

/** Words of a server, in one short line that steers no terminal. */
const printable = (text: string): string =>
  text
    .replace(/\s+/g, " ")
    .replace(/[^\x20-\x7e\u00a1-\u{10ffff}]/gu, "?")
    .trim()
    .slice(0, 200);

const ended = (hop: Hop, words: string, cause: unknown): ConnectError =>
  new ConnectError(
    `${describeHop(hop)} ended the connection before the login: ${printable(words) || "it gave no reason"}`,
    {
      host: hop.name,
      cause,
      retryable: true,
    },
  );

/** A busy sshd says nothing, or this. */
const BUSY = /^(?:Exceeded MaxStartups|Not allowed at this time)?\s*$/;

/** The words of a server that says goodbye before keys are exchanged. ssh2 does not tell those of a goodbye in good order. */
function goodbye(said: string): string | undefined {
  const bytes = Buffer.from(said, "latin1");
  let at = said.indexOf("\n", said.search(GREETING)) + 1;
  while (at + 14 <= bytes.length && bytes[at + 5] !== DISCONNECT) at += 4 + bytes.readUInt32BE(at);
  if (at + 14 > bytes.length) return undefined;
  return bytes.subarray(at + 14, at + 14 + bytes.readUInt32BE(at + 10)).toString();
}
const DISCONNECT = 1;

function dropped(hop: Hop, cause?: unknown, said = ""): ConnectError {
  const parting = GREETING.test(said) ? goodbye(said) : undefined;
  if (parting !== undefined) return ended(hop, parting, cause);
  const isBusy = BUSY.test(said) || GREETING.test(said);
  const Kind = isBusy ? DroppedError : ConnectError;
  const words = isBusy ? "" : `: it said ${JSON.stringify(printable(said))}`;
  return new Kind(`${describeHop(hop)} closed the connection before the handshake${words}`, {
    host: hop.name,
    cause,
    retryable: true,
  });
}
