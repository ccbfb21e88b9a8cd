import { OperationValueError } from "../../core/errors.ts";
import { operation } from "../../core/operation.ts";
import { DockerImage } from "../../facts/docker.ts";
import { docker } from "../shared/containers.ts";

/** Arguments of `docker.image`. */
export interface ImageArguments {
  /** Name, with a tag or a digest: `[HOST[:PORT]/]NAME[:TAG][@DIGEST]`. */
  readonly image: string;
  /** `false`: the host must not have it; default true. */
  readonly present?: boolean;
  /** Fetch it even if the host has it; default false. */
  readonly force?: boolean;
}

/**
 * Fetch or remove an image. One with the tag `latest`, or without a tag, is fetched every time, since it may have changed.
 * @example docker.image({ image: "nginx:1.27" });
 */
export const image = operation<ImageArguments>({
  name: "docker.image",
  positional: ["image"],
  async *steps(host, { image: name, present = true, force = false }) {
    const { tag, digest } = parse(name);
    const pull = docker("image", "pull", name);
    if (present && force) return yield pull;
    const [found] = await host.getFact(DockerImage, { objectId: name });
    if (!present) {
      if (found) yield docker("image", "rm", name);
      else host.noop(`There is no ${name} image!`);
    } else if (!found || (digest === undefined && tag === "latest")) yield pull;
    else
      host.noop(
        digest === undefined ? `Image with tag ${tag} already exists!` : `Image with digest ${digest} already exists!`,
      );
  },
});

/** Tag and digest of an image's name. Throws `OperationValueError` for a name that cannot be one. */
function parse(name: string): { readonly tag: string; readonly digest: string | undefined } {
  const [, repository, tag, digest] = /^(\S+?)(?::([^/:@\s]*))?(?:@(\S+))?$/.exec(name.trim()) ?? [];
  if (repository === undefined)
    throw new OperationValueError(
      name.trim() === ""
        ? "Image reference cannot be empty"
        : `\`image\` is ${JSON.stringify(name)}, which cannot be the name of an image`,
    );
  const host = repository.includes("/") ? (repository.split("/")[0] ?? "") : "";
  const port = host.includes(":") ? host.slice(host.lastIndexOf(":") + 1) : undefined;
  if (port === "") throw new OperationValueError(`Invalid registry format "${host}": port cannot be empty`);
  if (port !== undefined && !/^\d+$/.test(port))
    throw new OperationValueError(`Invalid port in registry "${host}": "${port}" is not a valid port number`);
  if (Number(port ?? 0) > 65535)
    throw new OperationValueError(`Invalid port number: ${port}. Port must be between 0 and 65535`);
  if (repository.endsWith("/"))
    throw new OperationValueError(`Invalid image reference: no repository found in "${name}"`);
  return { tag: tag ?? "latest", digest };
}
