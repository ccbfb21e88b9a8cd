/** A real ssh-agent. @module */
import { mkdtemp } from "node:fs/promises";
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
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  // Its socket is there before it answers; 2: nobody does.
  await until("the agent answers", async () => (await Bun.$`ssh-add -l`.env(env).nothrow().quiet()).exitCode !== 2);
  return {
    socket,
    async add(key) {
      await Bun.$`ssh-add -q ${key}`.env(env).quiet();
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
    },
  };
}
