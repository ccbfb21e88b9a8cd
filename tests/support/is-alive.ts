/** Whether a process still runs. @module */
import { readFileSync } from "node:fs";

/** One that has ended, and whose end nobody has taken note of yet, does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
