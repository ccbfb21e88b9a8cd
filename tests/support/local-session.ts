/** A session with this machine, without a run around it. */
import { createLocalConnector, type LocalConnectorOptions } from "../../src/connectors/local.ts";
import type { Connection } from "../../src/core/connector.ts";
import { localTransfers } from "../../src/deploy/local-transfers.ts";
import { Facts } from "../../src/engine/host/facts.ts";
import { Session } from "../../src/engine/host/session.ts";
import type { SessionSettings } from "../../src/engine/host/session.ts";

const { signal } = new AbortController();
const context = { ask: async () => undefined, warn: () => {}, inform: () => {}, cwd: "/" };

export const localConnection = (options?: LocalConnectorOptions): Promise<Connection> =>
  createLocalConnector(options).connect!({ name: "here", address: "", data: {}, timeout: 10, signal }, context);

export function localSession(settings: Partial<SessionSettings> = {}): Session {
  return new Session({
    host: "here",
    fast: true,
    connect: () => localConnection(),
    context,
    transfers: localTransfers,
    onMayHaveChanged: () => {},
    onTransfer: () => {},
    ...settings,
  });
}

export const factsOf = (session: Session, fast: boolean): Facts =>
  new Facts({ host: "here", session, fast, remembers: false, emit: () => {}, now: () => 0, signal });
