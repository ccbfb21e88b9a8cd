import { operand, sh } from "../../core/command.ts";
import { operation } from "../../core/operation.ts";
import { DockerNetwork } from "../../facts/docker.ts";
import { checkName, docker, each, eachPair, type Pairs } from "../shared/containers.ts";
import { option } from "../shared/options.ts";

/** Arguments of `docker.network`. */
export interface NetworkArguments {
  /** Name of the network. */
  readonly network: string;
  /** Driver, such as `bridge` or `overlay`; default: docker's own. */
  readonly driver?: string;
  /** Address of the gateway. */
  readonly gateway?: string;
  /** Part of the subnet that containers get addresses from. */
  readonly ipRange?: string;
  /** Driver that gives out addresses. */
  readonly ipamDriver?: string;
  /** Subnet, such as `172.30.0.0/16`. */
  readonly subnet?: string;
  /** How far the network reaches: `local`, `swarm` or `global`. */
  readonly scope?: string;
  /** Addresses that other hosts have, by name. */
  readonly auxAddresses?: Readonly<Record<string, string>>;
  /** Options of the driver, as `NAME=value`, or as a map. */
  readonly opts?: Pairs;
  /** Options of the driver that gives out addresses. */
  readonly ipamOpts?: Pairs;
  /** Labels, as `NAME=value`, or as a map. */
  readonly labels?: Pairs;
  /** Make the swarm's network for published ports; default false. */
  readonly ingress?: boolean;
  /** Let containers outside of services join; default false. */
  readonly attachable?: boolean;
  /** `false`: there must be no such network; default true. */
  readonly present?: boolean;
}

/**
 * Make or remove a network. One that is there is not compared with the arguments.
 * @example docker.network({ network: "backend", subnet: "172.30.0.0/16", attachable: true });
 */
export const network = operation<NetworkArguments>({
  name: "docker.network",
  positional: ["network"],
  async *steps(host, { network: name, present = true, ...args }) {
    checkName("docker.network", "network", name);
    const [found] = await host.getFact(DockerNetwork, { objectId: name });
    if (present && found) return host.noop(`Network ${name} already exists!`);
    if (!present && !found) return host.noop(`Network ${name} does not exist!`);
    if (!present) return yield docker("network", "rm", name);
    const options = [
      ...text("-d", args.driver),
      ...text("--gateway", args.gateway),
      ...text("--ip-range", args.ipRange),
      ...text("--ipam-driver", args.ipamDriver),
      ...text("--subnet", args.subnet),
      ...text("--scope", args.scope),
      args.ingress && "--ingress",
      args.attachable && "--attachable",
      ...eachPair("--aux-address", args.auxAddresses),
      ...eachPair("--opt", args.opts),
      ...eachPair("--ipam-opt", args.ipamOpts),
      ...eachPair("--label", args.labels),
    ];
    yield name.startsWith("-")
      ? sh`docker network create ${[...options, operand(name)]}`
      : sh`docker network create ${[name, ...options]}`;
  },
});

const text = (name: string, value: string | undefined): readonly string[] => option(name, value || undefined);
