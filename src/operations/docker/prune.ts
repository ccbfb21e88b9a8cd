import { sh } from "../../core/command.ts";
import { operation } from "../../core/operation.ts";

/** Arguments of `docker.prune`. */
export interface PruneArguments {
  /** Remove every image that no container uses, not only those without a name; default false. */
  readonly all?: boolean;
  /** Remove unused volumes without a name, too; default false. */
  readonly volumes?: boolean;
  /** Only what this is true of, such as `until=24h` or `label=NAME=value`. */
  readonly filter?: string;
}

/**
 * Remove containers that do not run, and networks, images and build caches that nothing uses.
 * @example docker.prune({ all: true, filter: "until=720h" });
 */
export const prune = operation<PruneArguments>({
  name: "docker.prune",
  idempotent: "What is unused is only known to docker, which is asked to remove it every time",
  async *steps(_, { all = false, volumes = false, filter }) {
    yield sh`docker system prune ${[all && "-a", filter ? `--filter=${filter}` : false, volumes && "--volumes", "-f"]}`;
  },
});
