import { operand, sh } from "../../core/command.ts";
import { operation } from "../../core/operation.ts";
import { DockerVolume } from "../../facts/docker.ts";
import { checkName, docker, eachPair, type Pairs } from "../shared/containers.ts";
import { option } from "../shared/options.ts";

/** Arguments of `docker.volume`. */
export interface VolumeArguments {
  /** Name of the volume. */
  readonly volume: string;
  /** Driver; default: docker's own. */
  readonly driver?: string;
  /** Labels, as `NAME=value`, or as a map. */
  readonly labels?: Pairs;
  /** `false`: there must be no such volume; default true. */
  readonly present?: boolean;
}

/**
 * Make or remove a volume. One that is there is not compared with the arguments.
 * @example docker.volume({ volume: "app_data", labels: ["team=web"] });
 */
export const volume = operation<VolumeArguments>({
  name: "docker.volume",
  positional: ["volume"],
  async *steps(host, { volume: name, driver, labels, present = true }) {
    checkName("docker.volume", "volume", name);
    const [found] = await host.getFact(DockerVolume, { objectId: name });
    if (present && found) host.noop("Volume already exists!");
    else if (!present && !found) host.noop(`There is no ${name} volume!`);
    else if (!present) yield docker("volume", "rm", name);
    else
      yield sh`docker volume create ${[operand(name), ...option("-d", driver || undefined), ...eachPair("--label", labels)]}`;
  },
});
