/** Connecting and disconnecting. @module */
import { onAbort } from "../../core/abort.ts";
import { openChain } from "../host/chain.ts";
import type { Engine } from "../engine.ts";
import { Facts, type FactSettings } from "../host/facts.ts";
import { HostState } from "../host-state.ts";
import { forEachHost } from "./pool.ts";
import type { HostDefinition, RunSettings } from "../settings.ts";
import { Session } from "../host/session.ts";
import { stopwatch } from "../stopwatch.ts";

/** A host that is not connected yet. */
export function createHost(
  settings: RunSettings,
  definition: HostDefinition,
  { changes, remembers }: Pick<FactSettings, "changes" | "remembers">,
): HostState {
  const { clock, emit, signal, transfers, connectorContext } = settings;
  const host = definition.name;
  const session = new Session({
    host,
    connect: timeout =>
      openChain(definition, { ...settings, data: state.data(), timeout: timeout ?? settings.config.connectTimeout }),
    context: connectorContext,
    transfers,
    fast: settings.fast,
    signal,
    onMayHaveChanged: () => facts.forget(),
    onTransfer: (direction, path, bytes, total) =>
      emit({ type: "transfer", host, direction, path, bytes, ...(total === undefined ? {} : { total }) }),
  });
  const facts: Facts = new Facts({
    host,
    session,
    fast: settings.fast,
    remembers,
    emit,
    now: () => clock.monotonic(),
    changes,
    signal,
  });
  const state: HostState = new HostState(definition, session, facts);
  return state;
}

/** Connect to every host, many at once. A host that cannot be reached fails alone. */
export async function connectHosts(engine: Engine): Promise<void> {
  const { clock, emit, config, signal } = engine.settings;
  const seconds = stopwatch(clock);
  engine.stage = "connect";
  emit({ type: "stage:start", stage: "connect", hosts: engine.hosts.length });
  try {
    expectHosts(engine);
    await forEachHost(engine.hosts, config.parallel, async host => {
      const connecting = stopwatch(clock);
      emit({ type: "host:connecting", host: host.name });
      try {
        await host.session.connect();
        host.isConnected = true;
        // It opens while the other hosts connect and the deploy is evaluated.
        await host.session.openShell(
          engine.resolve(host, { context: {}, config: engine.settings.config, data: [] }).surroundings,
        );
        emit({ type: "host:connected", host: host.name, seconds: connecting() });
      } catch (error) {
        if (signal.aborted) emit({ type: "host:disconnected", host: host.name });
        signal.throwIfAborted();
        engine.fail(host, error, "connect");
      }
    });
  } finally {
    engine.endStage("connect", seconds());
  }
}

/** Tell each connector how many hosts it is to connect to; of a chain only the first part is a connection of this machine. */
function expectHosts({ hosts, settings }: Engine): void {
  const counts = new Map<string, number>();
  for (const { definition } of hosts) {
    const first = definition.through?.[0]?.connector ?? definition.connector;
    counts.set(first, (counts.get(first) ?? 0) + 1);
  }
  for (const [name, count] of counts) settings.connectors.get(name)?.expect?.(count);
}

/** Close every connection and what the connectors shared. Never rejects; what does not end, once nothing is to be waited for, is left. */
export async function disconnectHosts(engine: Engine): Promise<void> {
  const { clock, emit, connectors, givenUp } = engine.settings;
  const seconds = stopwatch(clock);
  engine.stage = "disconnect";
  const connected = engine.inventoryHosts.filter(host => host.session.isConnected);
  emit({ type: "stage:start", stage: "disconnect", hosts: connected.length });
  using moment = momentAfter(givenUp);
  const closed = (closing: Promise<unknown> | undefined): Promise<unknown> =>
    Promise.race([closing?.catch(() => undefined), moment.over]);
  await Promise.all(
    engine.inventoryHosts.map(async host => {
      // Also of one whose connection was lost it is told that it has ended.
      const wasConnected = host.session.isConnected || (host.isConnected && !host.isDisconnected);
      host.isDisconnected = true;
      // Also where there is no connection: nobody is to make one now.
      await closed(host.session.close());
      await closed(host.facts.ended());
      if (wasConnected) emit({ type: "host:disconnected", host: host.name });
    }),
  );
  await Promise.all([...connectors.values()].map(connector => closed(connector.close?.())));
  engine.endStage("disconnect", seconds());
}

/** Resolves a moment after the signal was aborted: what was told to end has had the time to. */
function momentAfter(signal: AbortSignal | undefined): Disposable & { readonly over: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const listening = onAbort(signal, () => (timer = setTimeout(resolve, MOMENT)));
  return {
    over: promise,
    [Symbol.dispose]: () => {
      listening[Symbol.dispose]();
      clearTimeout(timer);
    },
  };
}
/** Milliseconds. */
const MOMENT = 500;
