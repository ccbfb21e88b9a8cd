/** Starting with settings of the runtime that can only be made before it starts. @module */
import { carrying, type StreamName } from "./closed-streams.ts";

/**
 * JavaScriptCore and Bun read these once, from the environment.
 * A run mostly waits for hosts: it ends before code that was compiled for speed has paid for its compilation, which costs a short run
 * up to half of its CPU time and a tenth of its memory. Only what runs very often is compiled here.
 */
export const SETTINGS: Readonly<Record<string, string>> = {
  BUN_JSC_thresholdForJITAfterWarmUp: "10000",
  BUN_JSC_thresholdForJITSoon: "5000",
  BUN_JSC_thresholdForOptimizeAfterWarmUp: "5000",
  BUN_JSC_thresholdForOptimizeSoon: "5000",
  BUN_JSC_useFTLJIT: "0",
  // Errors name the line of a `return files.put(…)` only if the call leaves its function on the stack.
  BUN_JSC_useTailCalls: "0",
  // Bun's C compiler unpacks its headers into a directory of a name that others know; where there is none, it goes without.
  BUN_TMPDIR: "/dev/null",
};

/** Go on in the same process from the beginning, with these settings; where that cannot be done, go on as it is: `false`. */
export function startWithSettings(args: readonly string[], closed: readonly StreamName[]): boolean {
  const { env } = process;
  // Not in Node's types of this version; not on Windows.
  const { execve } = process as {
    readonly execve?: (file: string, args: readonly string[], env: NodeJS.ProcessEnv) => never;
  };
  const isStarted = Object.entries(SETTINGS).every(([name, value]) => env[name] === value);
  if (!isStarted && isExecutable && execve) {
    try {
      execve.call(process, process.execPath, [process.argv0, ...args], { ...env, ...SETTINGS, ...carrying(closed) });
    } catch {
      // A sandbox may forbid it: it goes well without.
    }
  }
  // They are not for the programs that are started from here. What a deploy file starts with Bun.spawn without an `env` of its own
  // sees them even so: Bun hands on the environment that the process began with.
  if (isStarted) for (const name of Object.keys(SETTINGS)) delete env[name];
  return isStarted;
}

/** As compiled; run from its sources, the settings are those of whoever runs it. */
const isExecutable = import.meta.path.startsWith("/$bunfs/");
