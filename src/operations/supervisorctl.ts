/** Processes under supervisord. @module */
import type { Condition } from "../core/arguments.ts";
import { operand, sh } from "../core/command.ts";
import { operation } from "../core/operation.ts";
import { type SupervisorArguments, SupervisorctlStatus, supervisorctl } from "../facts/supervisorctl.ts";

/** Which process. */
export interface ProcessNameArguments extends SupervisorArguments {
  /** Name of a process or a group; `group:*` is all of a group, `all` everything. */
  readonly process: string;
}

/** Arguments of `supervisorctl.process`. */
export interface ProcessArguments extends ProcessNameArguments {
  /** Whether it runs; `null` leaves that as it is. Default true. */
  readonly running?: boolean | null;
  /** Restart it if it runs already, or only on a condition such as a handle's `didChange`; default false. */
  readonly restarted?: boolean | Condition;
  /** Another command of `supervisorctl` to run for it, every time; its words are separated by spaces. */
  readonly command?: string;
}

/** Arguments of `supervisorctl.update`. */
export interface UpdateArguments extends SupervisorArguments {
  /** Names of the groups to update; default: all. */
  readonly groups?: readonly string[];
}

/** Arguments of `supervisorctl.signal`. */
export interface SignalArguments extends ProcessNameArguments {
  /** `HUP`, `USR2` … */
  readonly signal: string;
}

/**
 * Start, stop or restart a process, a group or everything. A process that does not stay up counts as stopped.
 * @example supervisorctl.process({ process: "workers:*", restarted: true });
 */
export const process = operation<ProcessArguments>({
  name: "supervisorctl.process",
  positional: ["process"],
  conditions: { restarted: true },
  async *steps(host, { process, running = true, restarted, command, ...server }) {
    const statuses = await host.getFact(SupervisorctlStatus, server);
    const group = process === "all" ? "" : process.endsWith(":*") ? process.slice(0, -1) : undefined;
    const members = group === undefined ? [process] : Object.keys(statuses).filter(name => name.startsWith(group));
    const someRun = members.some(name => statuses[name] === true);
    const allRun = members.length > 0 && members.every(name => statuses[name] === true);
    const control = (word: string) => sh`${supervisorctl(server)} ${word} ${operand(process)}`;
    if (running === false) {
      if (someRun) yield control("stop");
      else host.noop(`process ${process} is stopped`);
    }
    if (running === true) {
      if (allRun) host.noop(`process ${process} is running`);
      else yield control("start");
    }
    if (restarted && someRun) yield control("restart");
    if (command) yield sh`${supervisorctl(server)} ${command.trim().split(/\s+/)} ${operand(process)}`;
  },
});

/**
 * Have supervisord read its configuration again; nothing is started or stopped.
 * @example supervisorctl.reread();
 */
export const reread = operation<SupervisorArguments>({
  name: "supervisorctl.reread",
  idempotent: "it reads it every time",
  async *steps(_, server) {
    yield sh`${supervisorctl(server)} reread`;
  },
});

/**
 * Have supervisord read its configuration again, and start, restart or remove what changed in it.
 * @example supervisorctl.update({ groups: ["workers"] });
 */
export const update = operation<UpdateArguments>({
  name: "supervisorctl.update",
  idempotent: "supervisord itself looks for what changed",
  async *steps(_, { groups = [], ...server }) {
    yield sh`${[supervisorctl(server), "update", ...groups.map(operand)]}`;
  },
});

/**
 * Restart supervisord.
 * @example supervisorctl.reload();
 */
export const reload = operation<SupervisorArguments>({
  name: "supervisorctl.reload",
  idempotent: "it restarts every time",
  async *steps(_, server) {
    yield sh`${supervisorctl(server)} reload`;
  },
});

/**
 * Take up a process or group that is new in the configuration.
 * @example supervisorctl.add({ process: "workers" });
 */
export const add = operation<ProcessNameArguments>({
  name: "supervisorctl.add",
  positional: ["process"],
  idempotent: "supervisord itself knows what it has already",
  async *steps(_, { process, ...server }) {
    yield sh`${supervisorctl(server)} add ${operand(process)}`;
  },
});

/**
 * Let go of a process or group; it must be stopped.
 * @example supervisorctl.remove({ process: "workers" });
 */
export const remove = operation<ProcessNameArguments>({
  name: "supervisorctl.remove",
  positional: ["process"],
  idempotent: "supervisord itself knows what it has",
  async *steps(_, { process, ...server }) {
    yield sh`${supervisorctl(server)} remove ${operand(process)}`;
  },
});

/**
 * Empty the log files of a process.
 * @example supervisorctl.clear({ process: "web" });
 */
export const clear = operation<ProcessNameArguments>({
  name: "supervisorctl.clear",
  positional: ["process"],
  idempotent: "it empties them every time",
  async *steps(_, { process, ...server }) {
    yield sh`${supervisorctl(server)} clear ${operand(process)}`;
  },
});

/**
 * Send a signal to a process or group.
 * @example supervisorctl.signal({ signal: "USR2", process: "web" });
 */
export const signal = operation<SignalArguments>({
  name: "supervisorctl.signal",
  positional: ["signal", "process"],
  idempotent: "it sends it every time",
  async *steps(_, { signal: name, process, ...server }) {
    yield sh`${supervisorctl(server)} signal ${operand(name)} ${operand(process)}`;
  },
});
