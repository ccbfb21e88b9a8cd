/** How a host is reached: what was decided, where each part was said, and what comes of trying. @module */
import type { ConnectorContext, Explanation } from "../../core/connector.ts";
import { connectFailure } from "../../core/connect-failure.ts";
import { TsinfraError } from "../../core/errors.ts";
import { allowedHostKeyAlgorithms } from "./algorithms.ts";
import { CHANNELS } from "./connection.ts";
import type { DialResources, Meeting } from "./dial.ts";
import { identitiesFor } from "./identities.ts";
import type { Client } from "./library.ts";
import type { Names } from "./names.ts";
import type { SshSettings } from "./openssh/index.ts";
import { type Hop, hopAddress } from "./route.ts";

export interface ExplainOptions {
  readonly data: Readonly<Record<string, unknown>>;
  readonly context: ConnectorContext;
  readonly resources: DialResources;
  readonly names: Names;
  /** Aborted when looking a name up takes too long. */
  readonly signal: AbortSignal;
  /** Connect to a hop. */
  connect(hop: Hop, options: { readonly via: Client | undefined; readonly meeting: Meeting }): Promise<Client>;
}

/** Explain each server on the way, the nearest first. */
export async function explainRoute(route: Hop, options: ExplainOptions): Promise<Explanation> {
  const hops: Hop[] = [];
  for (let hop: Hop | undefined = route; hop; hop = hop.via) hops.unshift(hop);
  const explained: Explanation[] = [];
  const clients: Client[] = [];
  let isReached = true;
  try {
    for (const hop of hops) {
      const plan = await planOf(hop, options);
      if (!isReached) {
        explained.push({ ...plan, connected: "not tried" });
        continue;
      }
      const meeting: Meeting = {};
      try {
        clients.push(await options.connect(hop, { via: clients.at(-1), meeting }));
        explained.push({ ...plan, ...meeting, connected: "yes" });
      } catch (error) {
        isReached = false;
        explained.push({ ...plan, ...meeting, ...failure(connectFailure(error, hop.name)) });
      }
    }
  } finally {
    for (const client of clients.reverse()) client.end();
  }
  return { transport: "embedded", hops: explained, commandsAtOnce: CHANNELS };
}

async function planOf(hop: Hop, { data, context, resources, names, signal }: ExplainOptions): Promise<Explanation> {
  const { settings, isJump, name } = hop;
  const from = (key: string, place: string | undefined, otherwise: string): string =>
    !isJump && data[key] !== undefined ? key : (place ?? otherwise);
  const offer = await identitiesFor(hop, {
    home: resources.home,
    keyFiles: resources.keyFiles,
    agent: resources.agentFor(hop),
    // Nobody is asked for a key that may not be wanted.
    passphrase: { given: hop.credentials.keyPassword, ask: async () => undefined },
  });
  return {
    name,
    address: hopAddress(hop),
    addressFrom: from("sshHostname", settings.places.hostname, "its name"),
    resolved:
      hop.via || settings.proxyCommand !== undefined
        ? undefined
        : await addressesOf(settings.hostname, { names, signal }),
    port: settings.port,
    portFrom: from("sshPort", settings.places.port, "default"),
    user: settings.user,
    userFrom: from("sshUser", settings.userFrom, "the local user, or the address"),
    through: hop.via ? `the jump host ${hop.via.name}` : (settings.proxyCommand ?? "nothing"),
    throughFrom: settings.places.proxy,
    keys: offer.identities.map(identity => identity.label),
    keysLeftOut: offer.leftOut.length > 0 ? offer.leftOut : undefined,
    password: hop.credentials.password ? "sshPassword" : undefined,
    knownHostKeys: await resources.hostKeys.known(
      { name, settings, allowed: allowedHostKeyAlgorithms(settings) },
      context,
    ),
    strictHostKeyChecking: settings.strictHostKeyChecking,
    forwardAgent: settings.forwardAgent && !isJump,
    notHonoured: settings.unsupported.length > 0 ? settings.unsupported : undefined,
  };
}

async function addressesOf(
  hostname: string,
  { names, signal }: Pick<ExplainOptions, "names" | "signal">,
): Promise<readonly string[] | string> {
  try {
    const found = await names.addressesOf(hostname, signal);
    return found.length > 0 ? found.map(({ address }) => address) : "cannot be resolved";
  } catch (error) {
    return `cannot be resolved: ${(error as Error).message}`;
  }
}

const TOLD = [
  "hostname",
  "port",
  "user",
  "proxyjump",
  "proxycommand",
  "hostkeyalias",
  "identityfile",
  "certificatefile",
  "identityagent",
  "userknownhostsfile",
  "stricthostkeychecking",
];

/** What ssh says that it will do, and what comes of it. */
export async function explainOpenSsh(settings: SshSettings, connect: () => Promise<string>): Promise<Explanation> {
  const told = Object.fromEntries(TOLD.flatMap(name => (settings[name] === undefined ? [] : [[name, settings[name]]])));
  try {
    return { transport: "openssh", settings: told, connected: await connect() };
  } catch (error) {
    return { transport: "openssh", settings: told, ...failure(error) };
  }
}

function failure(error: unknown): Explanation {
  if (!(error instanceof TsinfraError)) throw error;
  return { connected: "no", error: error.message, hint: error.hint };
}
