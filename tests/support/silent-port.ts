/** A port that takes connections for granted and answers nothing: not even that it is there. @module */
import { connect, type Socket } from "node:net";
import { needTools } from "./machine.ts";

export interface SilentPort extends AsyncDisposable {
  readonly port: number;
}

/** Listen without ever accepting, with a queue that is full: the system lets further attempts run into nothing. */
export async function silentPort(address: string, port = 0): Promise<SilentPort> {
  await needTools({ perl: "perl-base" });
  const script =
    'use Socket; socket(S, PF_INET, SOCK_STREAM, 0); setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1); bind(S, sockaddr_in($ARGV[1], inet_aton($ARGV[0]))) or die $!; listen(S, 0); $| = 1; print((sockaddr_in(getsockname(S)))[0], "\\n"); sleep';
  const child = Bun.spawn(["perl", "-e", script, address, `${port}`], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const reader = child.stdout.getReader();
  const chosen = Number(Buffer.from((await reader.read()).value ?? []).toString());
  const filler = await connected(address, chosen);
  return {
    port: chosen,
    async [Symbol.asyncDispose]() {
      filler.destroy();
      child.kill();
      await child.exited;
    },
  };
}

async function connected(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port });
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return socket;
}
