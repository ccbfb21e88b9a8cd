/** Facts about processes under supervisord. @module */
import { Secret, sh, type Word } from "../core/command.ts";
import { fact } from "../core/fact.ts";
import { words } from "./shared/lines.ts";
import type { ServiceStatuses } from "./shared/services.ts";

/** How to reach supervisord. */
export interface SupervisorArguments {
  /** Configuration file of `supervisorctl`; default: where it looks itself. */
  readonly configFile?: string;
  /** URL or socket that supervisord listens on; default: from the configuration. */
  readonly serverUrl?: string;
  /** Name to log in with, where supervisord wants one. */
  readonly username?: string;
  /** Shown to other users of the host by `ps` while the command runs; a configuration file does not do that. */
  readonly password?: string | Secret;
}

const RUNNING = new Set(["RUNNING", "STARTING"]);
const STOPPED = new Set(["STOPPED", "STOPPING", "EXITED"]);
const BROKEN = new Set(["BACKOFF", "FATAL", "UNKNOWN"]);

/** State of the processes, by name, `group:name` in a group; `null`: it does not stay up. */
export const SupervisorctlStatus = fact<SupervisorArguments, ServiceStatuses>({
  name: "supervisorctl.SupervisorctlStatus",
  requires: "supervisorctl",
  // A process that does not run is an exit code of its own.
  command: args => sh`${supervisorctl(args)} status || true`,
  parse: lines =>
    Object.fromEntries(
      lines.flatMap(line => {
        const [name, state = ""] = words(line);
        const status = RUNNING.has(state) ? true : STOPPED.has(state) ? false : BROKEN.has(state) ? null : undefined;
        return name === undefined || status === undefined ? [] : [[name, status]];
      }),
    ),
  empty: {},
});

/** `supervisorctl` with the options that reach this supervisord. */
export function supervisorctl({ configFile, serverUrl, username, password }: SupervisorArguments): Word {
  return [
    "supervisorctl",
    ...option("--configuration", configFile),
    ...option("--serverurl", serverUrl),
    ...option("--username", username),
    ...option("--password", password === undefined ? undefined : Secret.of(password)),
  ];
}

const option = (name: string, value: string | Secret | undefined): (string | Secret)[] =>
  value === undefined ? [] : [name, value];
