/** Every connector by name. @module */
import type { Connector } from "../core/connector.ts";
import { finder, type FinderOptions } from "./inventory/finder.ts";
import { createLocalConnector } from "./local.ts";
import {
  createDockerConnector,
  createDockerSshConnector,
  createPodmanConnector,
  createPodmanSshConnector,
} from "./program/containers.ts";
import {
  createChrootConnector,
  createIncusConnector,
  createKubectlConnector,
  createLxdConnector,
  createMachinectlConnector,
  createNspawnConnector,
} from "./program/places.ts";
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
    ...finders(options),
  ];
  return new Map(connectors.map(connector => [connector.name, connector]));
}

/** Connectors that bring hosts; each is loaded when its hosts are wanted. */
const finders = (options: FinderOptions): readonly Connector[] => [
  finder(
    "terraform",
    "Hosts from the outputs of Terraform: of the working directory, another one, a state file or saved outputs.",
    async (address, context) => (await import("./inventory/terraform.ts")).terraformHosts(address, context, options),
  ),
  finder("vagrant", "Running machines of the Vagrantfile in the working directory.", async (address, context) =>
    (await import("./inventory/vagrant.ts")).vagrantHosts(address, context, options),
  ),
  finder("ssh-config", "Hosts that ~/.ssh/config names, by pattern.", async address =>
    (await import("./inventory/ssh-config.ts")).sshConfigHosts(address, options),
  ),
  finder(
    "ansible",
    "Hosts of an Ansible inventory: an INI or YAML file, a script or a directory.",
    async (address, context) => (await import("./inventory/ansible/index.ts")).ansibleHosts(address, context, options),
  ),
];
