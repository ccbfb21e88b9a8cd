/** Connections, one through the other. @module */
import { connectFailure } from "../../core/connect-failure.ts";
import type { Connection, Target } from "../../core/connector.ts";
import { ConnectError, ConnectionLostError } from "../../core/errors.ts";
import type { HostDefinition, RunSettings } from "../settings.ts";

/** What is needed of a host to connect to it. */
export type ChainedHost = Pick<HostDefinition, "name" | "connector" | "address" | "through">;

export interface ChainOptions extends Pick<RunSettings, "connectors" | "connectorContext" | "signal"> {
  readonly data: Readonly<Record<string, unknown>>;
  /** Seconds for each of the connections. */
  readonly timeout: number;
}

/** Open the connections of a host's chain, one through the other. Those that were opened are closed when a later one fails. */
export async function openChain(
  { name, connector, address, through = [] }: ChainedHost,
  options: ChainOptions,
): Promise<Connection> {
  const { data, timeout, signal } = options;
  let outer: Connection | undefined;
  for (const hop of [...through, { connector, address }]) {
    const target: Target = { name, address: hop.address, data, timeout, signal, ...(outer ? { through: outer } : {}) };
    try {
      const inner = await connectHop(options, hop.connector, target);
      outer = outer ? behind(outer, inner) : inner;
    } catch (error) {
      await outer?.close();
      throw error;
    }
  }
  return outer!;
}

async function connectHop(
  { connectors, connectorContext }: ChainOptions,
  name: string,
  target: Target,
): Promise<Connection> {
  const connector = connectors.get(name);
  if (!connector?.connect)
    throw new ConnectError(`The connector "@${name}" cannot run commands`, { host: target.name });
  if (target.through && !connector.can.through)
    throw new ConnectError(`The connector "@${name}" cannot go through another connection`, { host: target.name });
  try {
    return await connector.connect(target, connectorContext);
  } catch (error) {
    if (target.signal.aborted) throw error;
    throw connectFailure(error, target.name, `the connector "@${name}"`);
  }
}

/** A connection that takes the one it goes through with it when it ends. */
function behind(outer: Connection, inner: Connection): Connection {
  const close = async (): Promise<void> => {
    await inner.close();
    await outer.close();
  };
  const watched = async <R>(running: Promise<R>): Promise<R> => {
    try {
      return await running;
    } catch (error) {
      // The next command makes a new chain.
      if (error instanceof ConnectionLostError) void outer.close();
      throw error;
    }
  };
  const { rsync, stage } = inner;
  const isLost = (): boolean => Boolean(inner.isLost?.() || outer.isLost?.());
  // Each member of `Connection` has to be here: one that it gains is a type error until it is.
  const abilities: { readonly [Ability in keyof Required<Connection>]: Connection[Ability] | undefined } = {
    run: (command, options) => watched(inner.run(command, options)),
    way: inner.way,
    rsync: rsync && ((...args) => watched(rsync.apply(inner, args))),
    stage: stage && (signal => watched(stage.call(inner, signal))),
    isLost: inner.isLost || outer.isLost ? isLost : undefined,
    close,
  };
  return Object.fromEntries(Object.entries(abilities).filter(([, ability]) => ability)) as unknown as Connection;
}
