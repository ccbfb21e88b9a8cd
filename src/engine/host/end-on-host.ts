/** Ending what runs on a host. @module */
import type { Connection } from "../../core/connector.ts";
import { escalate, type Surroundings } from "./escalation.ts";
import { killTree, NOT_THERE, STILL_THERE } from "./scripts.ts";
import { newNonce, preambleBytes } from "./streams.ts";

/**
 * What came of it: all of it is gone, some of it goes on, it had ended before anybody could end it (and may have left others behind, which
 * nobody finds any more), or nobody knows: it could not be tried, or what came of that was not heard.
 */
export type HowEnded = "ended" | "left" | "gone" | "unknown";

/**
 * End a process of the host and its descendants, as whoever it runs as: the connection may not be allowed to. Never rejects.
 * That user's login is not needed for it, and a login shell would expand what is for the shell inside.
 */
export async function endOnHost(
  connection: Connection,
  pid: number,
  surroundings: Surroundings,
  isAttached: boolean,
): Promise<HowEnded> {
  const { sudo, ...others } = surroundings;
  const plain = {
    ...others,
    ...(sudo ? { sudo: { ...sudo, login: false } } : {}),
    // Not every shell of a command understands what is for this one.
    ...(others.shell === false ? {} : { shell: "sh" }),
    chdir: undefined,
    env: {},
  };
  try {
    const { line, preamble } = escalate(killTree(pid, isAttached), plain, newNonce());
    const { exitCode } = await connection.run(line, {
      ...(preamble.length > 0 ? { stdin: preambleBytes(preamble) } : {}),
      signal: AbortSignal.timeout(KILL_DEADLINE_MS),
      capture: false,
    });
    return TOLD.get(exitCode) ?? "unknown";
  } catch {
    return "unknown";
  }
}
const TOLD: ReadonlyMap<number, HowEnded> = new Map([
  [0, "ended"],
  [STILL_THERE, "left"],
  [NOT_THERE, "gone"],
]);
const KILL_DEADLINE_MS = 5_000;
