import { operand, type Shell, sh } from "../../core/command.ts";
import { OperationError } from "../../core/errors.ts";
import { operation } from "../../core/operation.ts";
import { DockerContainer } from "../../facts/docker.ts";
import { checkName, commandWords, docker, each, eachPair, type Pairs } from "../shared/containers.ts";
import { option } from "../shared/options.ts";

/** Arguments of `docker.container`. */
export interface ContainerArguments {
  /** Name of the container. */
  readonly container: string;
  /** Image and tag that it is made of, such as `nginx:alpine`; needed to make one. */
  readonly image?: string;
  /** Ports to publish, such as `80:8080`. */
  readonly ports?: readonly string[];
  /** Networks that it is in. */
  readonly networks?: readonly string[];
  /** Volumes and directories, as `SOURCE:TARGET[:OPTIONS]`. */
  readonly volumes?: readonly string[];
  /** Environment variables, as `NAME=value`, or as a map. */
  readonly envVars?: Pairs;
  /** Files on the host with environment variables. */
  readonly envFiles?: readonly string[];
  /** Labels, as `NAME=value`, or as a map. */
  readonly labels?: Pairs;
  /** Fetch the image even if the host has it; default false. */
  readonly pullAlways?: boolean;
  /** `false`: there must be no such container; default true. */
  readonly present?: boolean;
  /** Make it again if there is one; default false. */
  readonly force?: boolean;
  /** It must run; `false`: it must not. Default true. */
  readonly start?: boolean;
  /** What to do when it ends: `no`, `always`, `unless-stopped`, `on-failure[:TIMES]`. */
  readonly restartPolicy?: string;
  /** Remove it when it ends; default false. */
  readonly autoRemove?: boolean;
  /** Mounts, as `type=bind,source=/src,target=/app`. */
  readonly mounts?: readonly string[];
  /** Give it every right on the host; default false. */
  readonly privileged?: boolean;
  /** Name that it sees itself by. */
  readonly hostname?: string;
  /** Program in place of the image's entry point. */
  readonly entrypoint?: string;
  /** User in it, by name or number, perhaps with a group: `1000:1000`. */
  readonly user?: string;
  /** Processors it may use, such as 1.5. */
  readonly cpus?: number;
  /** Memory it may use, such as `512m`. */
  readonly memory?: string;
  /** Further words for `docker container create`, each taken as it is. */
  readonly extraArgs?: readonly string[];
  /** Addresses of name servers. */
  readonly dns?: readonly string[];
  /** Command in place of the image's: a list of words, or a line that is taken apart as a shell would, without expanding anything. */
  readonly command?: string | readonly string[];
}

/**
 * Make, start, stop or remove a container. One that is there is not compared with the arguments: `force` makes it again.
 * @example docker.container({ container: "web", image: "nginx:alpine", ports: ["80:80"], restartPolicy: "unless-stopped" });
 */
export const container = operation<ContainerArguments>({
  name: "docker.container",
  positional: ["container"],
  async *steps(host, args) {
    const { container: name, present = true, force = false, start = true } = args;
    checkName("docker.container", "container", name);
    const [found] = await host.getFact(DockerContainer, { objectId: name });
    const isRunning = found?.State?.Status === "running";
    if (!present) {
      if (found) yield remove(name);
      else host.noop(`There is no ${name} container!`);
      return;
    }
    const isMade = !found || force;
    const creation = isMade ? create(args) : undefined;
    if (found && force) yield remove(name);
    if (creation) yield creation;
    if (start && (isMade || !isRunning)) yield docker("container", "start", name);
    else if (!start && !isMade && isRunning) yield docker("container", "stop", name);
    else if (!isMade) host.noop(`Container ${name} is already ${start ? "running" : "stopped"}!`);
  },
});

function create({ container: name, image, ...args }: ContainerArguments): Shell {
  if (!image) throw new OperationError("Docker image not specified");
  return sh`docker container create --name ${[
    name,
    ...each("--network", args.networks),
    ...each("-p", args.ports),
    ...each("-v", args.volumes),
    ...eachPair("-e", args.envVars),
    ...each("--env-file", args.envFiles),
    ...eachPair("--label", args.labels),
    args.pullAlways && "--pull always".split(" "),
    ...option("--restart", args.restartPolicy),
    args.autoRemove && "--rm",
    ...each("--mount", args.mounts),
    args.privileged && "--privileged",
    ...option("--hostname", args.hostname),
    ...option("--entrypoint", args.entrypoint),
    ...option("--user", args.user),
    ...option("--cpus", args.cpus),
    ...option("--memory", args.memory),
    ...(args.extraArgs ?? []),
    ...each("--dns", args.dns),
    operand(image),
    ...commandWords("command", args.command ?? []),
  ]}`;
}

const remove = (name: string): Shell => sh`docker container rm -f ${operand(name)}`;
