/**
 * Pipes that are this program's standard output and error, and those of whoever started it: the runtime makes them non-blocking, for all who have them.
 * The next program in a script would lose what it writes to them.
 * @module
 */
import { constants, readFileSync } from "node:fs";
import { systemLibrary } from "./system-library.ts";

const STREAMS = [1, 2] as const;

/** As they are now, before anything has been written, by their numbers. Only Linux tells. */
export const blockingStreams = (): readonly number[] => STREAMS.filter(fd => isBlocking(fd) === true);

/** When the program ends these are as they were, if all has been taken by then that `hasLeft` tells of: the runtime would wait for who reads the rest. */
export function keepBlocking(before: readonly number[], hasLeft: () => boolean): void {
  if (before.length > 0) process.once("exit", () => hasLeft() || restore(before));
}

function restore(before: readonly number[]): void {
  const changed = before.filter(fd => isBlocking(fd) === false);
  if (changed.length === 0) return;
  try {
    const { fcntl } = systemLibrary({ fcntl: { args: ["i32", "i32", "i32"], returns: "i32" } });
    for (const fd of changed) fcntl(fd, F_SETFL, flagsOf(fd)! & ~constants.O_NONBLOCK);
  } catch {
    // Without the library there is no way.
  }
}
const F_SETFL = 4;

function isBlocking(fd: number): boolean | undefined {
  const flags = flagsOf(fd);
  return flags === undefined ? undefined : (flags & constants.O_NONBLOCK) === 0;
}

/** Of an open file; `undefined` where nobody tells. */
function flagsOf(fd: number): number | undefined {
  try {
    const [, flags] = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8")) ?? [];
    return flags === undefined ? undefined : Number.parseInt(flags, 8);
  } catch {
    return undefined;
  }
}
