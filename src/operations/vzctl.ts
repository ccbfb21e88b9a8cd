/** Containers of OpenVZ. @module */
import { type Shell, sh } from "../core/command.ts";
import { OperationError, OperationTypeError } from "../core/errors.ts";
import { type Operation, operation } from "../core/operation.ts";
import { OpenvzContainers } from "../facts/vzctl.ts";
import { option } from "./shared/options.ts";

/** Which container. */
export interface ContainerArguments {
  /** Number of the container (CTID). */
  readonly ctid: string | number;
}

/** Arguments of `vzctl.start` and `vzctl.restart`. */
export interface StartArguments extends ContainerArguments {
  /** Start it even if it is disabled; default false. */
  readonly force?: boolean;
}

/** Arguments of `vzctl.create`. */
export interface CreateArguments extends ContainerArguments {
  /** Template of the operating system in it; default: the configured one. */
  readonly template?: string;
}

/** Arguments of `vzctl.set`. */
export interface SetArguments extends ContainerArguments {
  /** Keep the settings for the next start, too; default true. */
  readonly save?: boolean;
  /** Settings by the name of `vzctl`'s option; a list gives the option several times. */
  readonly settings: Readonly<Record<string, string | number | readonly (string | number)[]>>;
}

/**
 * Start a container.
 * @example vzctl.start({ ctid: 123 });
 */
export const start = operation<StartArguments>({
  name: "vzctl.start",
  positional: ["ctid"],
  idempotent: "The container is not asked whether it runs",
  async *steps(_, { ctid, force = false }) {
    yield sh`${vzctl("start", ctid)} ${force ? ["--force"] : []}`;
  },
});

/**
 * Stop a container.
 * @example vzctl.stop({ ctid: 123 });
 */
export const stop = simple("vzctl.stop", "stop");

/**
 * Stop and start a container.
 * @example vzctl.restart({ ctid: 123 });
 */
export const restart = operation<StartArguments>({
  name: "vzctl.restart",
  positional: ["ctid"],
  idempotent: "A restart is a change",
  async *steps(host, args) {
    yield* stop.steps(host, args);
    yield* start.steps(host, args);
  },
});

/**
 * Mount a container's file system.
 * @example vzctl.mount({ ctid: 123 });
 */
export const mount = simple("vzctl.mount", "mount");

/**
 * Unmount a container's file system.
 * @example vzctl.unmount({ ctid: 123 });
 */
export const unmount = simple("vzctl.unmount", "umount");

/**
 * Delete a container with everything in it.
 * @example vzctl.delete({ ctid: 123 });
 */
const destroy = simple("vzctl.delete", "delete");
export { destroy as delete };

/**
 * Create a container. It is an error if there is one with that number.
 * @example vzctl.create({ ctid: 123, template: "debian-12-x86_64" });
 */
export const create = operation<CreateArguments>({
  name: "vzctl.create",
  positional: ["ctid"],
  idempotent: "A container that exists is an error",
  async *steps(host, { ctid, template }) {
    const command = vzctl("create", ctid);
    if (Object.hasOwn(await host.getFact(OpenvzContainers), ctid))
      throw new OperationError(`An OpenVZ container with CTID ${ctid} already exists`);
    yield sh`${command} ${option("--ostemplate", template || undefined)}`;
  },
});

/**
 * Change settings of a container.
 * @example vzctl.set({ ctid: 123, settings: { hostname: "web.example.com", nameserver: ["10.0.0.1", "10.0.0.2"] } });
 */
export const set = operation<SetArguments>({
  name: "vzctl.set",
  positional: ["ctid"],
  idempotent: "The settings are given to the container every time",
  async *steps(_, { ctid, save = true, settings = {} }) {
    const options = Object.entries(settings).flatMap(([name, values]) =>
      [values].flat().flatMap(value => [`--${name}`, value]),
    );
    yield sh`${vzctl("set", ctid)} ${[save && "--save", ...options]}`;
  },
});

function simple(name: string, verb: string): Operation<ContainerArguments> {
  return operation<ContainerArguments>({
    name,
    positional: ["ctid"],
    idempotent: "The state of the container is not asked for",
    async *steps(_, { ctid }) {
      yield vzctl(verb, ctid);
    },
  });
}

/** Containers have numbers, and newer versions of OpenVZ names. */
function vzctl(verb: string, ctid: string | number): Shell {
  if (!/^\w[\w.-]*$/.test(String(ctid)))
    throw new OperationTypeError(`\`ctid\` must be the number or the name of a container, not ${JSON.stringify(ctid)}`);
  return sh`vzctl ${verb} ${ctid}`;
}
