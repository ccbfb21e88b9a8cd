/** Docker and Podman containers. @module */
import { sh } from "../../core/command.ts";
import type { Connector, DataKey, Target } from "../../core/connector.ts";
import { ConnectError, ConnectorDataError } from "../../core/errors.ts";
import { readData } from "../shared/host-data.ts";
import { programConnector } from "./program.ts";

const DATA_KEYS = {
  dockerIdentifier: { type: "string", description: "Image, or name or id of a running container; default: what follows the connector's name." },
  dockerPlatform: { type: "string", description: "Platform of the image, such as linux/amd64." },
  dockerArchitecture: { type: "string", description: "Architecture of the image, such as arm64." },
  dockerOnDisconnect: { type: "string", default: "commit", description: "What becomes of a container made from an image: commit (to a new image, then removed), keep or remove." },
} as const satisfies Record<string, DataKey>;

const ENDINGS = ["commit", "keep", "remove"] as const;

/** `@docker/IMAGE` or `@docker/CONTAINER`. */
export const createDockerConnector = (): Connector => containers("docker");
/** `@podman/IMAGE` or `@podman/CONTAINER`. */
export const createPodmanConnector = (): Connector => containers("podman");

/** A running container is used and left as it is; an image is started, used, and dealt with at the end. */
function containers(program: "docker" | "podman"): Connector {
  return programConnector({
    name: program,
    summary: `Run commands in a ${program} container: a running one, or one made from an image.`,
    dataKeys: DATA_KEYS,
    async open(target, control, context) {
      const data = readData(target.data, { keys: DATA_KEYS, host: target.name });
      const identifier = data.string("dockerIdentifier") ?? target.address;
      if (identifier === "") throw new ConnectError(`@${program} needs an image or a container`, { host: target.name, hint: `Write @${program}/debian:12` });
      const ending = endingOf(target, data.string("dockerOnDisconnect") ?? "commit");
      const running = await control.tryTo(sh`${program} container inspect --format ${"{{.Id}} {{.State.Running}}"} ${identifier}`);
      const [known, isRunning] = running?.split(" ") ?? [];
      if (known !== undefined && isRunning !== "true") {
        throw new ConnectError(`Container "${identifier}" is not running`, { host: target.name, hint: `Start it with: ${program} start ${identifier}` });
      }
      const platform = data.string("dockerPlatform");
      const architecture = data.string("dockerArchitecture");
      const options = [platform !== undefined && ["--platform", platform], architecture !== undefined && ["--arch", architecture]];
      const id =
        known ?? (await control.ask(`Cannot start a container of "${identifier}"`, sh`${program} run -d ${options} ${identifier} tail -f /dev/null`));
      return {
        wrap: (line, { pty }) => sh`${program} exec ${pty ? "-it" : "-i"} ${id} ${line}`,
        async close() {
          if (known !== undefined || ending === "keep") return;
          if (ending === "commit") {
            const image = await control.tryTo(sh`${program} commit ${id}`);
            context.warn(image === undefined ? `The container ${id.slice(0, 12)} of ${target.name} could not be committed` : `${target.name} was committed to the image ${image}`);
            if (image === undefined) return;
          }
          await control.tryTo(sh`${program} rm -f ${id}`);
        },
      };
    },
  });
}

function endingOf(target: Target, ending: string): (typeof ENDINGS)[number] {
  const known = ENDINGS.find(name => name === ending);
  if (known) return known;
  throw new ConnectorDataError(`The host data dockerOnDisconnect of ${target.name} is "${ending}", but must be one of ${ENDINGS.join(", ")}`, { host: target.name });
}
