/** How many files this process may have open: connections and pipes are files, too. @module */
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { ConnectError } from "../../core/errors.ts";
import { limitReached } from "../../core/limits.ts";

/** Kept free for what comes and goes: files that are read, programs that are run. */
const RESERVE = 24;

/** How many more files this process may open; infinite where that cannot be told. */
export function openFilesLeft(): number {
  try {
    // What counts is the hard limit: the runtime has raised the other one to it.
    const [, soft = ""] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === "" ? Infinity : Number(soft) - readdirSync("/proc/self/fd").length;
  } catch (error) {
    return limitReached(error) ? 0 : Infinity;
  }
}

/** Throws `ConnectError` where this process cannot hold connections to so many hosts, each of which takes `each` files. */
export function needOpenFiles(hosts: number, each: number): void {
  const left = openFilesLeft();
  const needed = hosts * each + RESERVE;
  if (needed <= left) return;
  throw new ConnectError(
    `${hosts} ${hosts === 1 ? "host needs" : "hosts need"} about ${needed} open files and connections, and this process may open ${left} more`,
    {
      hint: `Raise the limit with ulimit -n, or run on ${Math.max(1, Math.floor((left - RESERVE) / each))} hosts at a time: --limit, --shard`,
    },
  );
}

/** The error of the system if it lets this process open nothing more; `undefined` if it does. */
export function noFileLeft(): NodeJS.ErrnoException | undefined {
  try {
    closeSync(openSync("/dev/null", "r"));
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

/** The runtime says ECONNREFUSED of a socket that it could not even make: the error for what it is. */
export const withoutSocket = (error: NodeJS.ErrnoException): NodeJS.ErrnoException =>
  error.code === "ECONNREFUSED" ? (noFileLeft() ?? error) : error;
