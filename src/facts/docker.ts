/** Facts about docker: what the engine of a host runs and holds. @module */
import { operand, sh, type Shell } from "../core/command.ts";
import { type CommandFact, type DerivedFact, derivedFact, fact, type NoArguments } from "../core/fact.ts";
import { json, jsonFact, jsonLines, type JsonRecord } from "./shared/json.ts";
import { splitOnce, words } from "./shared/lines.ts";

/** Something as `docker … inspect` prints it: everything the engine says, in its own words. */
export interface DockerObject extends JsonRecord {
  readonly Id?: string;
  readonly Name?: string;
  /** Of a container. */
  readonly State?: { readonly Status: string; readonly [key: string]: unknown };
  /** Of a plugin. */
  readonly Enabled?: boolean;
  /** Of a plugin; `Env` as `NAME=value`. */
  readonly Settings?: { readonly Env: readonly string[] | null; readonly [key: string]: unknown };
  /** Of a container or an image. */
  readonly Config?: {
    readonly Env?: readonly string[] | null;
    readonly Labels?: Labels | null;
    readonly [key: string]: unknown;
  } | null;
  /** Of a network or a volume. */
  readonly Labels?: Labels | null;
  /** Of a container. */
  readonly Mounts?: readonly JsonRecord[] | null;
  /** Of a container. */
  readonly NetworkSettings?: {
    readonly Networks?: Readonly<Record<string, JsonRecord>> | null;
    readonly Ports?: DockerPorts | null;
    readonly [key: string]: unknown;
  };
  /** Of an image. */
  readonly RootFS?: { readonly Layers?: readonly string[] | null; readonly [key: string]: unknown };
}

type Labels = Readonly<Record<string, string>>;

/** Where ports of a container, such as `80/tcp`, are published; `null` for one that is not. */
export type DockerPorts = Readonly<
  Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>
>;

/** Which object. */
export interface DockerObjectArguments {
  /** Id or name. */
  readonly objectId: string;
}
/** Which container. */
export interface DockerContainerArguments {
  /** Id or name of the container. */
  readonly containerId: string;
}
/** Which image. */
export interface DockerImageArguments {
  /** Id or name of the image. */
  readonly imageId: string;
}

/** What `docker system info` prints. */
export const DockerSystemInfo = jsonFact<NoArguments, JsonRecord>("docker.DockerSystemInfo", {
  requires: "docker",
  command: () => sh`docker system info --format="{{json .}}"`,
  empty: {},
});

/** Version of the client, in its own words: `Docker version 28.2.2, build e6534b4`; empty without docker. */
export const DockerVersion = fact<NoArguments, string>({
  name: "docker.DockerVersion",
  requires: "docker",
  command: () => sh`docker --version`,
  parse: lines => lines.join(""),
  empty: "",
});

/** All containers, running or not. */
export const DockerContainers = all("docker.DockerContainers", "container", sh`docker ps -qa`);
/** All images that have a name, once for each name. */
export const DockerImages = all("docker.DockerImages", "image", sh`docker images -q`);
/** All networks. */
export const DockerNetworks = all("docker.DockerNetworks", "network", sh`docker network ls -q`);
/** All volumes. */
export const DockerVolumes = all("docker.DockerVolumes", "volume", sh`docker volume ls -q`);
/** All plugins of the engine. */
export const DockerPlugins = all("docker.DockerPlugins", "plugin", sh`docker plugin ls -q`);

/** The container of that id or name in a list; an empty one when there is none. */
export const DockerContainer = one("docker.DockerContainer", "container");
/** The image of that id or name in a list; an empty one when there is none. */
export const DockerImage = one("docker.DockerImage", "image");
/** The network of that id or name in a list; an empty one when there is none. */
export const DockerNetwork = one("docker.DockerNetwork", "network");
/** The volume of that name in a list; an empty one when there is none. */
export const DockerVolume = one("docker.DockerVolume", "volume");
/** The plugin of that id or name in a list; an empty one when there is none. */
export const DockerPlugin = one("docker.DockerPlugin", "plugin");

/** Environment variables of all containers, by id. */
export const DockerContainerEnvs = byId("docker.DockerContainerEnvs", DockerContainers, ({ Config }) =>
  Object.fromEntries((Config?.Env ?? []).map(entry => splitOnce(entry, "=") ?? [entry, ""])),
);
/** Labels of all containers, by id. */
export const DockerContainerLabels = byId(
  "docker.DockerContainerLabels",
  DockerContainers,
  ({ Config }) => Config?.Labels ?? {},
);
/** Mounts of all containers, by id. */
export const DockerContainerMounts = byId(
  "docker.DockerContainerMounts",
  DockerContainers,
  ({ Mounts }) => Mounts ?? [],
);
/** Networks of all containers, by id and then by name. */
export const DockerContainerNetworks = byId(
  "docker.DockerContainerNetworks",
  DockerContainers,
  ({ NetworkSettings }) => NetworkSettings?.Networks ?? {},
);
/** Published ports of all containers, by id. */
export const DockerContainerPorts = byId(
  "docker.DockerContainerPorts",
  DockerContainers,
  ({ NetworkSettings }) => NetworkSettings?.Ports ?? {},
);
/** Labels of all images, by id. */
export const DockerImageLabels = byId("docker.DockerImageLabels", DockerImages, ({ Config }) => Config?.Labels ?? {});
/** Digests of the layers of all images, by id. */
export const DockerImageLayers = byId("docker.DockerImageLayers", DockerImages, ({ RootFS }) => RootFS?.Layers ?? []);
/** Labels of all networks, by id. */
export const DockerNetworkLabels = byId(
  "docker.DockerNetworkLabels",
  DockerNetworks,
  ({ Labels: labels }) => labels ?? {},
);
/** Labels of all volumes, by name. */
export const DockerVolumeLabels = byId(
  "docker.DockerVolumeLabels",
  DockerVolumes,
  ({ Labels: labels }) => labels ?? {},
);

/** A file that a container has changed. */
export interface DockerFsChange {
  readonly path: string;
  /** `A` was added, `C` was changed, `D` was deleted. */
  readonly change: string;
}

/** What a container has changed in the file system of its image; nothing when there is no such container. */
export const DockerContainerFsChanges = fact<DockerContainerArguments, readonly DockerFsChange[]>({
  name: "docker.DockerContainerFsChanges",
  requires: "docker",
  command: ({ containerId }) => sh`docker container diff ${operand(containerId)} 2>&- || true`,
  parse: lines =>
    lines.flatMap(line => {
      const [change, path] = splitOnce(line, " ") ?? [];
      return change !== undefined && path !== undefined ? [{ path, change }] : [];
    }),
  empty: [],
});

/** Processes of a container, by the headings of `ps`; none when it does not run. */
export const DockerContainerProcesses = fact<DockerContainerArguments, readonly Readonly<Record<string, string>>[]>({
  name: "docker.DockerContainerProcesses",
  requires: "docker",
  command: ({ containerId }) => sh`docker container top ${operand(containerId)} 2>&- || true`,
  parse(lines) {
    const headings = words(lines[0] ?? "");
    // The last column is a command line, with spaces in it.
    const row = new RegExp(
      `^\\s*${headings.map((_, index) => (index < headings.length - 1 ? "(\\S+)\\s+" : "(.*)")).join("")}$`,
    );
    return lines.slice(1).flatMap(line => {
      const cells = row.exec(line)?.slice(1);
      return cells ? [Object.fromEntries(headings.map((heading, index) => [heading, cells[index] ?? ""]))] : [];
    });
  },
  empty: [],
});

/** What running containers use now: processor, memory, network, disk, in the words of `docker stats`. */
export const DockerContainerStats = fact<NoArguments, readonly Readonly<Record<string, string>>[]>({
  name: "docker.DockerContainerStats",
  requires: "docker",
  command: () => sh`docker stats --no-stream --format '{{json .}}'`,
  parse: lines => jsonLines(lines),
  empty: [],
});

/** Layers of an image, newest first, in the words of `docker image history`; none when there is no such image. */
export const DockerImageHistory = fact<DockerImageArguments, readonly Readonly<Record<string, string>>[]>({
  name: "docker.DockerImageHistory",
  requires: "docker",
  command: ({ imageId }) => sh`docker image history --no-trunc --format '{{json .}}' ${operand(imageId)} 2>&- || true`,
  parse: lines => jsonLines(lines),
  empty: [],
});

/** Registries that the user has credentials for. */
export const DockerAuths = fact<NoArguments, readonly string[]>({
  name: "docker.DockerAuths",
  // The credentials themselves stay on the host.
  command: () =>
    sh`config="\${DOCKER_CONFIG:-$HOME/.docker}/config.json"; [ ! -r "$config" ] || sed -E 's/("(auth|password|identitytoken|registrytoken)"[[:space:]]*:[[:space:]]*)"[^"]*"/\\1""/g' "$config"`,
  parse: lines => Object.keys(json<{ readonly auths?: JsonRecord }>(lines).auths ?? {}),
  empty: [],
});

/** Everything of one kind. */
function all(name: string, kind: string, list: Shell): CommandFact<NoArguments, readonly DockerObject[]> {
  return fact<NoArguments, readonly DockerObject[]>({
    name,
    requires: "docker",
    command: () => sh`ids=$(${list}) && [ -n "$ids" ] && docker ${kind} inspect $ids || echo "[]"`,
    // What went away between the two commands makes the second one fail after it has printed the rest.
    parse: lines => json(lines.length > 1 && lines.at(-1) === "[]" ? lines.slice(0, -1) : lines),
    empty: [],
  });
}

/** One thing of a kind. */
function one(name: string, kind: string): CommandFact<DockerObjectArguments, readonly DockerObject[]> {
  return jsonFact<DockerObjectArguments, readonly DockerObject[]>(name, {
    requires: "docker",
    command: ({ objectId }) => sh`docker ${kind} inspect ${operand(objectId)} 2>&- || true`,
    empty: [],
  });
}

/** One detail of everything of a kind. */
function byId<T>(
  name: string,
  from: CommandFact<NoArguments, readonly DockerObject[]>,
  detail: (object: DockerObject) => T,
): DerivedFact<NoArguments, Readonly<Record<string, T>>> {
  return derivedFact<NoArguments, Readonly<Record<string, T>>, readonly DockerObject[]>({
    name,
    from,
    derive: objects => Object.fromEntries(objects.map(object => [object.Id ?? object.Name ?? "", detail(object)])),
  });
}
