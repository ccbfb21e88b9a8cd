/**
 * Pipes that are this program's standard output and error, and those of whoever started it: the runtime makes them non-blocking, for all who have them.
 * The next program in a script would lose what it writes to them.
 * @module
 */
import { constants, readFileSync } from "node:fs";
import { systemLibrary } from "./system-library.ts";

const STREAMS = [1, 2] as const;

/** To be called before anything is written: when the program ends they are as they are now. Only Linux tells. */
export function keepBlocking(): void {
  const before = STREAMS.filter(fd => isBlocking(fd) === true);
  if (before.length > 0) process.once("exit", () => restore(before));
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
