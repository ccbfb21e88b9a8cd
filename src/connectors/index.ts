/** Every connector by name. @module */
import type { Connector } from "../core/connector.ts";
import { createLocalConnector } from "./local.ts";
import { createDockerConnector, createDockerSshConnector, createPodmanConnector, createPodmanSshConnector } from "./program/containers.ts";
import { createChrootConnector, createIncusConnector, createKubectlConnector, createLxdConnector, createMachinectlConnector, createNspawnConnector } from "./program/places.ts";
import { createSshConnector } from "./ssh/index.ts";

/** What connectors need from outside. */
export interface ConnectorsOptions {
  /** The home directory; default: the user's own. */
  readonly home?: string;
  /** Environment; default: this process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** One set of connectors serves one run. */
export function createConnectors(options: ConnectorsOptions = {}): ReadonlyMap<string, Connector> {
  const { env } = options;
  const programs = env === undefined ? {} : { env };
  const connectors = [
    createLocalConnector(programs),
    createSshConnector(options),
    createDockerConnector(programs),
    createPodmanConnector(programs),
    createDockerSshConnector(),
    createPodmanSshConnector(),
    createChrootConnector(programs),
    createKubectlConnector(programs),
    createMachinectlConnector(programs),
    createNspawnConnector(programs),
    createLxdConnector(programs),
    createIncusConnector(programs),
  ];
  return new Map(connectors.map(connector => [connector.name, connector]));
}
