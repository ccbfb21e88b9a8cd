/** A real ssh-agent. @module */
import { exists, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { until } from "./until.ts";

export interface Agent extends AsyncDisposable {
  /** Where it listens. */
  readonly socket: string;
  /** Hand it a key that has no passphrase. */
  add(key: string): Promise<void>;
}

/** Start an agent below `directory`. It ends when it is disposed of. */
export async function startAgent(directory: string): Promise<Agent> {
  const socket = join(await mkdtemp(join(directory, "agent-")), "socket");
  const child = Bun.spawn(["ssh-agent", "-D", "-a", socket], { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  await until("the agent listens", () => exists(socket));
  return {
    socket,
    async add(key) {
      await Bun.$`ssh-add -q ${key}`.env({ ...process.env, SSH_AUTH_SOCK: socket }).quiet();
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
    },
  };
}
