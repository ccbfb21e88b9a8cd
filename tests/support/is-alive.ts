/** Whether a process still runs. @module */
import { readFileSync } from "node:fs";
import { until } from "./until.ts";

/** One that has ended, and whose end nobody has taken note of yet, does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Wait for the end of what was signalled: it may take a moment on a busy machine. Throws when it goes on. */
export const ended = (pid: number): Promise<void> => until(`process ${pid} ends`, async () => !isAlive(pid), 20);
