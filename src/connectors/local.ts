/** The control machine itself. @module */
import { homedir } from "node:os";
import type { Connector, RunOptions } from "../core/connector.ts";
import type { Shell } from "../core/command.ts";
import { expandHome } from "./shared/paths.ts";
import { runProcess } from "./shared/process.ts";
import { needRsync } from "./shared/rsync.ts";

/** What the local connector needs from outside. */
export interface LocalConnectorOptions {
  /** Environment of the commands; default: this process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Directory that commands start in; default: this process's own. */
  readonly cwd?: string;
}

export function createLocalConnector(options: LocalConnectorOptions = {}): Connector {
  return {
    name: "local",
    summary: "Run commands on the control machine.",
    can: { pty: true, rsync: true },
    dataKeys: {},
    async connect(target) {
      target.signal.throwIfAborted();
      return {
        run: (command: Shell, runOptions: RunOptions = {}) => runProcess(["/bin/sh", "-c", command.wire()], { ...runOptions, ...options }),
        async rsync(src, dest, flags, runOptions = {}) {
          needRsync();
          return await runProcess(["rsync", ...flags, "--", src, expandHome(dest, { home: homedir() }, "")], { ...runOptions, ...options });
        },
        async close() {},
      };
    },
  };
}
