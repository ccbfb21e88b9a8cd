/** Hosts over SSH. @module */
import { homedir } from "node:os";
import type { Connection, Connector, ConnectorContext, Explanation, Target } from "../../core/connector.ts";
import { ConnectError, ConnectorDataError } from "../../core/errors.ts";
import { Deadline } from "../shared/deadline.ts";
import { type DataReader, readData } from "../shared/host-data.ts";
import { localUser } from "../shared/local-user.ts";
import { runProcess } from "../shared/process.ts";
import { needOpenFiles, openFilesLeft } from "../shared/open-files.ts";
import { Slots } from "../shared/slots.ts";
import { unlessAborted } from "../../core/abort.ts";
import { type Agent, createAgent } from "./agent.ts";
import { resolveWith } from "./config/canonical.ts";
import { createConfigFiles, type Sources } from "./config/index.ts";
import { SSH_DATA_KEYS, type SshDataKey } from "./data-keys.ts";
import { SshConnection } from "./connection.ts";
import { dial, type DialResources, type Meeting } from "./dial.ts";
import { Door } from "./door.ts";
import { explainOpenSsh, explainRoute } from "./explain.ts";
import { createHostKeys } from "./host-keys/index.ts";
import { createKeyFiles } from "./keys.ts";
import type { Client } from "./library.ts";
import { type Address, createNames, type Names, type NamesOptions } from "./names.ts";
import { OpenSshTransport } from "./openssh/index.ts";
import { type Retry, retrying } from "./retry.ts";
import { type Hop, hopKey, placeKey, routeTo } from "./route.ts";
import { addressesFor } from "./sockets.ts";

/** What the SSH connector needs from outside. */
export interface SshConnectorOptions {
  /** The home directory, where `.ssh` is; default: the user's own. */
  readonly home?: string;
  /** Environment: `SSH_AUTH_SOCK`, `SHELL`, and what ssh_config refers to; default: this process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Configuration after the user's own; default: `/etc/ssh/ssh_config`. */
  readonly systemConfigFile?: string;
  /** Looks names up that CanonicalizeHostname completes; default: as the machine does. */
  readonly resolve?: Sources["resolve"];
  /** Gives a name's addresses, none if it has none; default: as the machine does. */
  readonly lookup?: NamesOptions["ask"];
}

/** Connections that are being made at once: more would only wait for each other, with their clocks running. */
const DIALS = 100;
/** Names that are looked up at once, each by a process of its own. */
const LOOKUPS = 64;
/** A connection, and a file that travels over it. */
const FILES_FOR_HOST = 2;
/** Files that each of those may have open beside the connection itself. */
const FILES_FOR_EACH = 4;

/** `@ssh/HOST`, and plain host names. What the hosts of a run share is in it. */
export function createSshConnector(options: SshConnectorOptions = {}): Connector {
  const run = new SshRun(options);
  return {
    name: "ssh",
    summary: "Run commands over SSH; the connector of plain host names.",
    can: { pty: true, rsync: true, through: true },
    dataKeys: SSH_DATA_KEYS,
    expect: hosts => run.expect(hosts),
    connect: (target, context) => run.connectAndTell(target, context),
    explain: (target, context) => run.explain(target, context),
    close: () => run.close(),
  };
}

/** What connecting to one server needs. */
interface Reaching {
  readonly through?: Connection | undefined;
  /** Seconds. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  readonly context: ConnectorContext;
  readonly retry: Retry;
  readonly meeting?: Meeting;
}

/** False for one that could not be made. */
const wasOpen = (connecting: Promise<Client> | undefined): Promise<boolean> =>
  Promise.resolve(connecting).then(
    client => client !== undefined,
    () => false,
  );

/** What the hosts of a run share. */
class SshRun {
  readonly #home: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #systemConfigFile: string;
  readonly #resolve: Sources["resolve"] | undefined;
  readonly #configFiles = createConfigFiles();
  readonly #agents = new Map<string, Agent>();
  readonly #jumps = new Map<string, Promise<Client>>();
  readonly #dials = new Slots(DIALS);
  readonly #lookups = new Slots(LOOKUPS);
  readonly #doors = new Map<string, Door>();
  readonly #names: Names;
  readonly #ending = new AbortController();
  readonly #resources: DialResources;
  /** Hosts that are still to be connected to. */
  #expected = 0;
  #openSsh: OpenSshTransport | undefined;
  #user: ReturnType<typeof localUser> | undefined;

  constructor({
    home = homedir(),
    env = process.env,
    systemConfigFile = "/etc/ssh/ssh_config",
    resolve,
    lookup,
  }: SshConnectorOptions) {
    this.#names = createNames({ signal: this.#ending.signal, slots: this.#lookups, ask: lookup });
    this.#resolve = resolve;
    this.#home = home;
    this.#env = env;
    this.#systemConfigFile = systemConfigFile;
    this.#resources = {
      home,
      shell: env.SHELL || "/bin/sh",
      hostKeys: createHostKeys({ env, signal: this.#ending.signal }),
      keyFiles: createKeyFiles(),
      agentFor: hop => this.#agentFor(hop),
    };
  }

  expect(hosts: number): void {
    this.#expected = hosts;
    needOpenFiles(hosts, FILES_FOR_HOST);
    const room = Math.floor((openFilesLeft() - hosts) / (2 * FILES_FOR_EACH));
    this.#dials.shrink(room);
    this.#lookups.shrink(room);
  }

  /** Connect, and with the last host that is expected say what was accepted of all of them. */
  async connectAndTell(target: Target, context: ConnectorContext): Promise<Connection> {
    try {
      return await this.connect(target, context);
    } finally {
      this.#expected--;
      if (this.#expected <= 0) this.#resources.hostKeys.tellAccepted();
    }
  }

  async connect(target: Target, context: ConnectorContext): Promise<Connection> {
    target.signal.throwIfAborted();
    const data = readData(target.data, { keys: SSH_DATA_KEYS, host: target.name });
    const retry = {
      times: data.number("sshConnectRetries") ?? SSH_DATA_KEYS.sshConnectRetries.default,
      minDelay: data.number("sshConnectRetryMinDelay") ?? SSH_DATA_KEYS.sshConnectRetryMinDelay.default,
      maxDelay: data.number("sshConnectRetryMaxDelay") ?? SSH_DATA_KEYS.sshConnectRetryMaxDelay.default,
    };
    const transport = data.string("sshTransport") ?? SSH_DATA_KEYS.sshTransport.default;
    if (transport === "openssh" && target.through) {
      throw new ConnectorDataError(
        `${target.name} goes through another connection, which the transport "openssh" cannot`,
        { host: target.name, hint: 'Set the host data sshTransport: "embedded", or use ProxyJump' },
      );
    }
    const carrier = data.string("sshFileTransferProtocol") ?? SSH_DATA_KEYS.sshFileTransferProtocol.default;
    if (carrier !== "shell" && carrier !== "sftp")
      throw new ConnectorDataError(
        `The host data sshFileTransferProtocol of ${target.name} is ${JSON.stringify(carrier)}, but must be "shell" or "sftp"`,
        { host: target.name },
      );
    if (carrier === "sftp" && transport === "openssh")
      throw new ConnectorDataError(
        `Files of ${target.name} are to travel over SFTP, which the transport "openssh" cannot`,
        { host: target.name, hint: 'Leave out the host data sshFileTransferProtocol, or set sshTransport: "embedded"' },
      );
    if (transport === "openssh") return await this.#throughOpenSsh(target, { data, context, retry });
    if (transport !== "embedded")
      throw new ConnectorDataError(
        `The host data sshTransport of ${target.name} is ${JSON.stringify(transport)}, but must be "embedded" or "openssh"`,
        { host: target.name },
      );
    const route = await this.#route(target, data, context);
    // A chain is stronger than ProxyJump and ProxyCommand, as -J is.
    const hop: Hop = target.through
      ? { ...route, via: undefined, settings: { ...route.settings, proxyCommand: undefined } }
      : route;
    for (const setting of hop.settings.unsupported)
      context.warn(
        `The SSH configuration of ${target.name} uses ${setting}, which only the ssh program honours: set the host data sshTransport: "openssh" where that matters`,
      );
    const meeting: Meeting = {};
    const client = await this.#reach(hop, {
      through: target.through,
      timeout: target.timeout,
      signal: target.signal,
      context,
      retry,
      meeting,
    });
    // A host that may be somebody else does not get at the keys.
    const agentForward =
      hop.settings.forwardAgent && meeting.hostKeyStatus !== "changed" && this.#agentFor(hop) !== undefined;
    return new SshConnection(client, { host: target.name, sftp: carrier === "sftp", agentForward });
  }

  async explain(target: Target, context: ConnectorContext): Promise<Explanation> {
    const data = readData(target.data, { keys: SSH_DATA_KEYS, host: target.name });
    const connect = async (): Promise<string> => {
      await (await this.connect(target, context)).close();
      return "yes";
    };
    if (data.string("sshTransport") === "openssh") {
      this.#openSsh ??= new OpenSshTransport({ env: this.#env, home: this.#home });
      return explainOpenSsh(await this.#openSsh.settings(target, data, context.cwd), connect);
    }
    const route = await this.#route(target, data, context);
    const retry = { times: 0, minDelay: 0, maxDelay: 0 };
    using deadline = this.#deadline(target.name, target);
    return await explainRoute(route, {
      data: target.data,
      context,
      names: this.#names,
      signal: deadline.signal,
      resources: this.#resources,
      connect: (hop, { via, meeting }) =>
        this.#dial(hop, { via, timeout: target.timeout, signal: target.signal, context, retry, meeting }),
    });
  }

  async #route(target: Target, data: DataReader<SshDataKey>, context: ConnectorContext): Promise<Hop> {
    const places = { home: this.#home, cwd: context.cwd };
    const written = data.string("sshConfigFile");
    const only = written?.toLowerCase() === "none" ? "none" : data.path("sshConfigFile", places);
    using deadline = this.#deadline(target.name, target);
    deadline.phase = "the canonical names that its SSH configuration wants";
    return await routeTo(target, data, { ...places, sources: await this.#sources(only, deadline.signal) });
  }

  async close(): Promise<void> {
    this.#resources.hostKeys.tellAccepted();
    this.#ending.abort(new Error("The run has ended"));
    const jumps = await Promise.allSettled(this.#jumps.values());
    for (const jump of jumps) if (jump.status === "fulfilled") jump.value.end();
    this.#jumps.clear();
    await this.#openSsh?.close();
  }

  async #throughOpenSsh(
    target: Target,
    options: { readonly data: DataReader<SshDataKey>; readonly context: ConnectorContext; readonly retry: Retry },
  ): Promise<Connection> {
    this.#openSsh ??= new OpenSshTransport({ env: this.#env, home: this.#home });
    const turn = async <T>(attempt: (deadline: Deadline) => Promise<T>): Promise<T> => {
      using _ = await this.#dials.take(target.signal);
      using deadline = this.#deadline(target.name, target);
      return await attempt(deadline);
    };
    const limits = { patience: target.timeout, retry: options.retry, signal: target.signal };
    return await this.#openSsh.connect(target, {
      ...options,
      turn,
      enter: (place, attempt) => this.#door(place).enter(() => turn(attempt), limits),
    });
  }

  /** One connection for all hosts behind a jump host. */
  #jump(hop: Hop, timeout: number, context: ConnectorContext): Promise<Client> {
    const key = hopKey(hop);
    const known = this.#jumps.get(key);
    if (known) return known;
    const { sshConnectRetries, sshConnectRetryMinDelay, sshConnectRetryMaxDelay } = SSH_DATA_KEYS;
    const client = this.#reach(hop, {
      timeout,
      signal: this.#ending.signal,
      context,
      retry: {
        times: sshConnectRetries.default,
        minDelay: sshConnectRetryMinDelay.default,
        maxDelay: sshConnectRetryMaxDelay.default,
      },
    });
    this.#jumps.set(key, client);
    // A later host, or a later try, makes a new one.
    const forget = (): void => {
      if (this.#jumps.get(key) === client) this.#jumps.delete(key);
    };
    client.then(open => open.on("close", forget), forget);
    return client;
  }

  /** Connect to a server, through its jump host if it has one. */
  async #reach(hop: Hop, options: Reaching): Promise<Client> {
    for (let losses = 0; ; losses++) {
      const jump = hop.via && this.#jump(hop.via, options.timeout, options.context);
      try {
        return await this.#dial(hop, { ...options, via: jump && (await unlessAborted(jump, options.signal)) });
      } catch (error) {
        // A connection to the jump host that was lost meanwhile does not count against this server: there is another one.
        const isLost = hop.via && this.#jumps.get(hopKey(hop.via)) !== jump && (await wasOpen(jump));
        if (!isLost || losses >= options.retry.times || options.signal.aborted) throw error;
      }
    }
  }

  async #dial(hop: Hop, options: Reaching & { readonly via: Client | undefined }): Promise<Client> {
    const { via, through, context, retry, meeting } = options;
    const signal = AbortSignal.any([options.signal, this.#ending.signal]);
    const timeout = hop.settings.connectTimeout ?? options.timeout;
    const isDirect = !via && !through && hop.settings.proxyCommand === undefined;
    const addresses = isDirect ? await this.#addressesOf(hop, { timeout, signal, retry }) : [];
    return await this.#door(placeKey(hop)).enter(
      async () => {
        using _ = await this.#dials.take(signal);
        using deadline = this.#deadline(hop.name, { timeout, signal });
        return await dial({
          ...{ hop, via, through, addresses, context, deadline, retry, meeting },
          resources: this.#resources,
        });
      },
      { patience: timeout, retry, signal },
    );
  }

  /** Before there is a place among the dials: whoever waits for a name server holds nobody up. */
  async #addressesOf(
    hop: Hop,
    { retry, ...limits }: { readonly timeout: number; readonly signal: AbortSignal; readonly retry: Retry },
  ): Promise<readonly Address[]> {
    using deadline = this.#deadline(hop.name, limits);
    return await retrying(() => addressesFor(hop, this.#names, deadline), { host: hop.name, deadline, retry });
  }

  #door(key: string): Door {
    const door = this.#doors.get(key) ?? new Door(DIALS);
    this.#doors.set(key, door);
    return door;
  }

  #deadline(host: string, { timeout, signal }: { readonly timeout: number; readonly signal: AbortSignal }): Deadline {
    return new Deadline({
      seconds: timeout,
      phase: "the start",
      signal,
      onExpiry: (phase, seconds) =>
        new ConnectError(`No connection to ${host} within ${seconds} seconds: still waiting for ${phase}`, {
          host,
          retryable: true,
        }),
    });
  }

  async #sources(only: string | undefined, signal: AbortSignal): Promise<Sources> {
    this.#user ??= localUser().catch((error: unknown) => {
      this.#user = undefined;
      throw error;
    });
    const { name, uid } = await this.#user;
    return {
      files: this.#configFiles,
      surroundings: { home: this.#home, user: name, uid, env: this.#env },
      only,
      systemFile: this.#systemConfigFile,
      succeeds: async command =>
        (
          await runProcess([this.#env.SHELL || "/bin/sh", "-c", command], {
            env: this.#env,
            signal: this.#ending.signal,
          })
        ).exitCode === 0,
      resolve: this.#resolve ?? resolveWith(this.#names, signal),
    };
  }

  #agentFor({ credentials, settings }: Hop): Agent | undefined {
    const socket = settings.identityAgent ?? this.#env.SSH_AUTH_SOCK;
    if (!credentials.allowAgent || !socket || socket === "none") return undefined;
    const agent = this.#agents.get(socket) ?? createAgent(socket);
    this.#agents.set(socket, agent);
    return agent;
  }
}
