/** Containers of LXD. @module */
import { operand, sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { LxdContainers } from "../facts/lxd.ts";
import { checkName } from "./shared/containers.ts";

/** Arguments of `lxd.container`. */
export interface ContainerArguments {
  /** Name of the container. */
  readonly id: string;
  /** `false`: there must be no such container; one that runs is stopped and deleted. Default true. */
  readonly present?: boolean;
  /** Image that a new one is made of; default `ubuntu:16.04`. */
  readonly image?: string;
}

/**
 * Launch or delete a container. One that is there is not compared with the image.
 * @example lxd.container({ id: "web", image: "ubuntu:24.04" });
 */
export const container = operation<ContainerArguments>({
  name: "lxd.container",
  positional: ["id"],
  async *steps(host, { id, present = true, image = "ubuntu:16.04" }) {
    checkName("lxd.container", "id", id);
    const found = (await host.getFact(LxdContainers)).find(({ name }) => name === id);
    if (present && found) host.noop(`container ${id} exists`);
    // It would take what is left of our standard input for the container's settings.
    else if (present)
      yield sh`lxc launch ${image.startsWith("-") ? ["--", image, id] : [image, operand(id)]} < /dev/null`;
    else if (!found) host.noop(`container ${id} does not exist`);
    else {
      if (found.status === "Running") yield sh`lxc stop ${operand(id)}`;
      yield sh`lxc delete ${operand(id)}`;
    }
  },
});
