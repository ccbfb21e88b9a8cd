/** The control machine itself. @module */
import { homedir } from "node:os";
import type { Connector, RunOptions, RunResult } from "../core/connector.ts";
import type { Shell } from "../core/command.ts";
import { expandHome } from "./shared/paths.ts";
import { runProcess } from "./shared/process.ts";
import { needRsync, rsyncOver } from "./shared/rsync.ts";

/** What the local connector needs from outside. */
export interface LocalConnectorOptions {
  /** Environment of the commands; default: this process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export function createLocalConnector(options: LocalConnectorOptions = {}): Connector {
  return {
    name: "local",
    summary: "Run commands on the control machine.",
    can: { pty: true, rsync: true },
    dataKeys: {},
    async connect(target) {
      target.signal.throwIfAborted();
      const run = (command: Shell, runOptions: RunOptions = {}): Promise<RunResult> =>
        runProcess(["/bin/sh", "-c", command.wire()], { ...runOptions, ...options });
      return {
        run,
        async rsync(src, dest, flags, runOptions = {}) {
          const path = expandHome(dest, { home: homedir() }, "");
          // Told what it is called over there, it needs an over there.
          if (flags.some(flag => flag.startsWith("--rsync-path")))
            return await rsyncOver(run, { src, dest: path, flags }, runOptions);
          needRsync();
          return await runProcess(["rsync", ...flags, "--", src, path], { ...runOptions, ...options });
        },
        async close() {},
      };
    },
  };
}
