/** Docker and Podman containers. @module */
import { sh, type Shell } from "../../core/command.ts";
import type { Connector, ConnectorContext, DataKey, Target } from "../../core/connector.ts";
import { ConnectError, ConnectorDataError, InventoryError } from "../../core/errors.ts";
import type { DataReader } from "../shared/host-data.ts";
import { type Controller, isAlive, thisController } from "./controller.ts";
import { type ProgramControl, type ProgramPlace, type ProgramOptions, programConnector } from "./program.ts";

const DATA_KEYS = {
  dockerIdentifier: {
    type: "string",
    description: "Image, or name or id of a running container; default: what follows the connector's name.",
  },
  dockerImage: { type: "string", description: "Image to make a container from, even where a container has that name." },
  dockerContainerId: {
    type: "string",
    description: "Running container to use in place of the image; it is left as it is.",
  },
  dockerPlatform: { type: "string", description: "Platform of the image, such as linux/amd64." },
  dockerArchitecture: {
    type: "string",
    description: "Architecture of the image, such as arm64; short for the platform linux/arm64.",
  },
  dockerOnDisconnect: {
    type: "string",
    default: "commit",
    description:
      "What becomes of a container made from an image: commit (to a new image, then removed), keep or remove. After an interrupt it is not committed.",
  },
} as const satisfies Record<string, DataKey>;

type Program = "docker" | "podman";
const ENDINGS = ["commit", "keep", "remove"] as const;
type ContainerEnding = (typeof ENDINGS)[number];

/** `@docker/IMAGE` or `@docker/CONTAINER`. */
export const createDockerConnector = (options?: ProgramOptions): Connector => containers("docker", options);
/** `@podman/IMAGE` or `@podman/CONTAINER`. */
export const createPodmanConnector = (options?: ProgramOptions): Connector => containers("podman", options);
/** `@dockerssh/HOST:IMAGE`, short for `@ssh/HOST/@docker/IMAGE`. */
export const createDockerSshConnector = (): Connector => onSshHost("docker");
/** `@podmanssh/HOST:IMAGE`, short for `@ssh/HOST/@podman/IMAGE`. */
export const createPodmanSshConnector = (): Connector => onSshHost("podman");

function onSshHost(program: Program): Connector {
  const name = `${program}ssh`;
  return {
    name,
    summary: `Run commands in a ${program} container on an SSH host: @${name}/HOST:IMAGE is short for @ssh/HOST/@${program}/IMAGE.`,
    can: { pty: true, rsync: true },
    dataKeys: {},
    async hosts(address) {
      const [, host, image] = /^((?:[^:[]|\[[^\]]*\])+):(.+)$/.exec(address) ?? [];
      if (host === undefined || image === undefined)
        throw new InventoryError(`"@${name}/${address}" does not say which image on which host`, {
          hint: `Write @${name}/HOST:IMAGE`,
        });
      return [{ name: `@${name}/${address}`, at: `@ssh/${host}/@${program}/${image}`, data: {}, groups: [] }];
    },
  };
}

/** A container that was made for a host of this run. */
interface Made {
  readonly id: string;
  readonly image: Image;
  readonly ending: ContainerEnding;
  readonly target: Target;
  control: ProgramControl;
  /** Connections that are neither closed nor lost. */
  users: number;
}

/** A running container is used and left as it is; an image is started, used, and dealt with at the end. */
function containers(program: Program, options: ProgramOptions | undefined): Connector {
  const made = new Set<Made>();
  /** What hosts were when they were disconnected last. */
  const committed = new Map<string, string>();
  let context: ConnectorContext | undefined;
  let controller: Promise<Controller | undefined> | undefined;

  /** Commit or remove; what is to be kept stays. */
  const end = async (one: Made): Promise<void> => {
    if (!made.delete(one)) return;
    const { id, image, ending, target, control } = one;
    const host = target.name;
    if (ending === "keep") {
      committed.set(host, id);
      return context?.inform(`${host} is kept as the container ${short(id)}`);
    }
    if (ending === "commit" && !target.signal.aborted) {
      const result = await control.ask(
        `The container ${short(id)} of ${host} cannot be committed, and is kept`,
        sh`${program} commit ${image.changes.map(change => ["--change", change])} ${id}`,
      );
      committed.set(host, result);
      context?.inform(`${host} was committed to the image ${short(result)}`);
    }
    await control.ask(`The container ${short(id)} of ${host} cannot be removed`, sh`${program} rm -f ${id}`);
  };

  return programConnector(
    {
      name: program,
      summary: `Run commands in a ${program} container: a running one, or one made from an image.`,
      dataKeys: DATA_KEYS,
      async open(target, { data, control, context: current }): Promise<ProgramPlace> {
        context = current;
        const host = target.name;
        const wrapIn =
          (id: string): ProgramPlace["wrap"] =>
          (words, { pty }): Shell =>
            sh`${program} exec ${pty ? "-it" : "-i"} ${id} ${words}`;
        const use = (one: Made): ProgramPlace => {
          one.users++;
          let isOver = false;
          const over = (): void => {
            if (!isOver) one.users--;
            isOver = true;
          };
          return {
            wrap: wrapIn(one.id),
            lost: over,
            async close(way) {
              over();
              // Others may have been closed with the connections that they went through.
              one.control = way;
              if (one.users === 0) await end(one);
            },
          };
        };
        const ending = endingOf(target, data);
        // After a lost connection the host is still what it was.
        const earlier = [...made].find(one => one.target.name === host);
        if (earlier) {
          const isUp = await isRunning(program, control, earlier.id);
          if (isUp === undefined)
            throw new ConnectError(
              `The container ${short(earlier.id)} of ${host} is not there any more, nor is what was done in it`,
              { host },
            );
          if (!isUp)
            await control.ask(
              `The container ${short(earlier.id)} of ${host} cannot be started again`,
              sh`${program} start ${earlier.id}`,
            );
          return use(earlier);
        }
        const wanted =
          data.string("dockerContainerId") ??
          data.string("dockerImage") ??
          data.string("dockerIdentifier") ??
          target.address;
        if (wanted === "")
          throw new ConnectError(`@${program} needs an image or a container`, {
            host,
            hint: `Write @${program}/debian:12`,
          });
        if (wanted.startsWith("-")) throw new ConnectError(`"${wanted}" is no image and no container`, { host });
        const identifier = committed.get(host) ?? wanted;
        const running =
          data.string("dockerImage") !== undefined && data.string("dockerContainerId") === undefined
            ? undefined
            : await isRunning(program, control, identifier);
        if (running === true) return { wrap: wrapIn(identifier) };
        if (running === false)
          throw new ConnectError(`Container "${identifier}" is not running`, {
            host,
            hint: `Start it with: ${program} start ${identifier}`,
          });
        controller ??= thisController();
        const maker = await controller;
        const [image, swept] = await Promise.all([
          findImage(program, control, { identifier, platform: platformOf(target, data) }),
          maker ? sweep(program, control, maker) : [],
        ]);
        for (const one of swept) context.inform(`The container ${short(one)} of a run that was killed was removed`);
        const id = await start(program, control.steady, {
          host,
          image,
          ...(maker && ending !== "keep" ? { maker } : {}),
        });
        const one: Made = { id, image, ending, target, control: control.steady, users: 0 };
        made.add(one);
        if (target.signal.aborted) {
          await end(one);
          target.signal.throwIfAborted();
        }
        return use(one);
      },
      async close() {
        // Hosts whose connection was lost and not made again.
        for (const one of [...made].reverse()) {
          await end(one).catch(error =>
            context?.warn(
              `${one.target.name} was not left in order: ${error instanceof Error ? error.message : error}`,
            ),
          );
        }
      },
    },
    options,
  );
}

/** True or false for a container, nothing where there is none. */
async function isRunning(program: Program, control: ProgramControl, identifier: string): Promise<boolean | undefined> {
  const state = await control.tryTo(sh`${program} container inspect --format ${"{{.State.Running}}"} ${identifier}`);
  return state === undefined ? undefined : state === "true";
}

interface Image {
  readonly identifier: string;
  readonly platform: string | undefined;
  readonly hasEntrypoint: boolean;
  /** What gives a committed image the command of this one, in place of ours. */
  readonly changes: readonly string[];
}

async function findImage(
  program: Program,
  control: ProgramControl,
  { identifier, platform }: Pick<Image, "identifier" | "platform">,
): Promise<Image> {
  const inspect = sh`${program} image inspect --format ${"{{.Os}}/{{.Architecture}}\n{{json .Config.Entrypoint}}\n{{json .Config.Cmd}}"} ${identifier}`;
  const read = (lines: string): Image & { readonly fits: boolean } => {
    const [own = "", entrypoint = "null", command = "null"] = lines.split("\n");
    const hasEntrypoint = !isEmpty(entrypoint);
    // An empty list would leave ours in place.
    const changes = hasEntrypoint
      ? [`ENTRYPOINT ${entrypoint}`, `CMD ${isEmpty(command) ? "[]" : command}`]
      : [`CMD ${isEmpty(command) ? '["/bin/sh"]' : command}`];
    return {
      identifier,
      platform,
      hasEntrypoint,
      changes,
      fits: platform === undefined || platform === own || platform.startsWith(`${own}/`),
    };
  };
  const known = await control.tryTo(inspect);
  const local = known === undefined ? undefined : read(known);
  if (local?.fits) return local;
  // Apart from the start: a pull that is interrupted leaves nothing behind.
  await control.ask(
    `Cannot pull the image "${identifier}"`,
    sh`${program} pull --quiet ${[platform !== undefined && ["--platform", platform]]} ${identifier}`,
    { seconds: PULL },
  );
  return read(await control.ask(`Cannot look at the image "${identifier}"`, inspect));
}
/** Seconds. */
const PULL = 1800;

const isEmpty = (json: string): boolean => ["null", "[]", ""].includes(json);

/** Process 1 ends when asked to, and takes care of processes that others leave. */
const IDLE = "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done";

interface Start {
  readonly host: string;
  readonly image: Image;
  /** Whose end is the container's too; absent for one that is to be kept. */
  readonly maker?: Controller;
}

async function start(program: Program, control: ProgramControl, { host, image, maker }: Start): Promise<string> {
  const { identifier, platform } = image;
  // In the name: an image that the container is committed to would hand a label on to other containers.
  const name = `${maker ? nameOf(maker) + maker.process : "tsinfra"}-${crypto.randomUUID()}`;
  const options = [
    "--name",
    name,
    "--label",
    `tsinfra=${host}`,
    platform !== undefined && ["--platform", platform],
    image.hasEntrypoint && ["--entrypoint", "/bin/sh"],
  ];
  const command = [image.hasEntrypoint ? [] : ["/bin/sh"], "-c", IDLE];
  try {
    return await control.ask(
      `Cannot start a container of "${identifier}"`,
      sh`${program} run -d ${options} ${identifier} ${command}`,
    );
  } catch (error) {
    // It may have been made before it could not be started.
    await control.tryTo(sh`${program} rm -f ${name}`).catch(() => undefined);
    throw error;
  }
}

const nameOf = ({ sees }: Controller): string => `tsinfra-${sees}-`;

/** Remove what was made by processes like this one that are dead: killed, or they would have done so. Returns the ids. */
async function sweep(program: Program, control: ProgramControl, maker: Controller): Promise<readonly string[]> {
  const start = nameOf(maker);
  const listed = await control.tryTo(
    sh`${program} ps --all --no-trunc --filter ${`name=${start}`} --format ${"{{.ID}} {{.Names}}"}`,
  );
  const swept: string[] = [];
  for (const line of (listed ?? "").split("\n")) {
    const [, id, name = ""] = /^(\w+) (\S+)$/.exec(line) ?? [];
    const [, made] = /^(\d+-\d+)-[0-9a-f-]{36}$/.exec(name.startsWith(start) ? name.slice(start.length) : "") ?? [];
    if (id === undefined || made === undefined || (await isAlive(made))) continue;
    // Another run may be just as far.
    if ((await control.tryTo(sh`${program} rm -f ${id}`)) !== undefined) swept.push(id);
  }
  return swept;
}

function platformOf(target: Target, data: DataReader<keyof typeof DATA_KEYS>): string | undefined {
  const [platform, architecture] = [data.string("dockerPlatform"), data.string("dockerArchitecture")];
  if (platform !== undefined && architecture !== undefined) {
    throw new ConnectorDataError(
      `The host data of ${target.name} has dockerPlatform and dockerArchitecture, but one says it all`,
      { host: target.name },
    );
  }
  return platform ?? (architecture === undefined ? undefined : `linux/${architecture}`);
}

function endingOf({ name }: Target, data: DataReader<keyof typeof DATA_KEYS>): ContainerEnding {
  const written = data.string("dockerOnDisconnect") ?? DATA_KEYS.dockerOnDisconnect.default;
  const known = ENDINGS.find(ending => ending === written);
  if (known) return known;
  throw new ConnectorDataError(
    `The host data dockerOnDisconnect of ${name} is "${written}", but must be one of ${ENDINGS.join(", ")}`,
    { host: name },
  );
}

const short = (id: string): string => id.replace(/^sha256:/, "").slice(0, 12);
