import { operand, sh } from "../../core/command.ts";
import { operation } from "../../core/operation.ts";
import { DockerImage } from "../../facts/docker.ts";
import { checkName, commandWords, each, eachPair, type Pairs } from "../shared/containers.ts";
import { option } from "../shared/options.ts";

/** Arguments of `docker.build`. */
export interface BuildArguments {
  /** Directory on the host, or URL, that the image is built from. */
  readonly path: string;
  /** Names and tags for the image. Without any, it is built every time. */
  readonly tags?: string | readonly string[];
  /** The Dockerfile; default: `Dockerfile` in `path`. */
  readonly dockerfile?: string;
  /** Values for the Dockerfile's arguments. */
  readonly buildArgs?: Pairs;
  /** Labels for the image. */
  readonly labels?: Pairs;
  /** Stage to build; default: the last one. */
  readonly target?: string;
  /** Platform to build for, such as `linux/arm64`; default: the host's own. */
  readonly platform?: string;
  /** Network for commands of the build. */
  readonly network?: string;
  /** Images or caches to take layers from. */
  readonly cacheFrom?: string | readonly string[];
  /** Where to put layers for other builds; BuildKit only. */
  readonly cacheTo?: string | readonly string[];
  /** What the build may read and must not keep, as `id=NAME,src=FILE`; BuildKit only. */
  readonly secrets?: readonly string[];
  /** Fetch the image that this one is based on even if the host has it; default false. */
  readonly pull?: boolean;
  /** Use no layers of earlier builds; default false. */
  readonly noCache?: boolean;
  /** Build even if there are images of all these tags; default false. */
  readonly force?: boolean;
  /** Name of the builder; buildx only. */
  readonly builder?: string;
  /** Command that builds; default `docker build`. */
  readonly buildCmd?: string | readonly string[];
}

/**
 * Build an image, unless the host has images of all its tags.
 * @example docker.build({ path: "/srv/app", tags: ["app:1.0"], buildArgs: { VERSION: "1.0" } });
 */
export const build = operation<BuildArguments>({
  name: "docker.build",
  positional: ["path"],
  async *steps(host, { path, tags = [], force = false, buildCmd = "docker build", ...args }) {
    checkName("docker.build", "path", path);
    const names = [tags].flat();
    if (names.length > 0 && !force) {
      const found = await Promise.all(names.map(objectId => host.getFact(DockerImage, { objectId })));
      if (found.every(images => images.length > 0)) return host.noop(`Image(s) ${names.join(", ")} already exist!`);
    }
    yield sh`${[
      ...commandWords("buildCmd", buildCmd),
      ...option("--builder", args.builder),
      ...each("-t", names),
      ...option("-f", args.dockerfile),
      ...eachPair("--build-arg", args.buildArgs),
      ...eachPair("--label", args.labels),
      ...option("--target", args.target),
      ...option("--platform", args.platform),
      ...option("--network", args.network),
      ...each("--cache-from", args.cacheFrom),
      ...each("--cache-to", args.cacheTo),
      ...each("--secret", args.secrets),
      args.pull && "--pull",
      args.noCache && "--no-cache",
      operand(path),
    ]}`;
  },
});
