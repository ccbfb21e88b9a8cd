/** Standard streams that whoever started the program had closed (`>&-`). @module */
import { readFileSync } from "node:fs";

export type StreamName = "stdin" | "stdout" | "stderr";

const STREAMS: readonly StreamName[] = ["stdin", "stdout", "stderr"];
const CLOSE_ON_EXEC = 0o2000000;
/** Carries the answer to the same process after it has begun anew. */
const CARRIED = "TSINFRA_CLOSED_STREAMS";

/**
 * Those that were closed when the program was started; to be asked once, at the start.
 * The runtime opens /dev/null in their place at once, so no file or socket of ours ever comes there; what is written to them would be lost
 * without a word. A stream that was given is never one that closes at an exec, as there was an exec since: that tells them from a /dev/null
 * that somebody wanted. Only Linux tells; elsewhere none is known.
 */
export function closedStreams(): readonly StreamName[] {
  const carried = process.env[CARRIED];
  // It is not for the programs that are started from here; `start.ts` tells which see it even so.
  delete process.env[CARRIED];
  return STREAMS.filter((name, fd) => (carried === undefined ? closesAtExec(fd) : carried.split(" ").includes(name)));
}

/** The environment in which the same program, begun anew in this process, knows of them. */
export const carrying = (closed: readonly StreamName[]): Readonly<Record<string, string>> => ({
  [CARRIED]: closed.join(" "),
});

function closesAtExec(fd: number): boolean {
  try {
    const [, flags = "0"] = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8")) ?? [];
    return (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) !== 0;
  } catch {
    return false;
  }
}
