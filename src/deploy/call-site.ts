/** Where in the user's files something was called or went wrong. @module */
import type { CallSite } from "../core/errors.ts";
import { evaluated, toUserSite } from "../core/thrown.ts";
import { thrownPlaces } from "./load-failure.ts";

/**
 * The user's files on the call stack, innermost first; of an error, on the stack on which it was made.
 * A function whose last act is the call (`return files.put(…)`) has left the stack by then: its caller is the innermost.
 */
export function callSites(error?: unknown): readonly CallSite[] {
  if (error !== undefined) return thrownPlaces(error);
  // Every frame costs a look into a source map, and below the user's frames there are only ours.
  const near = capture(NEAR_FRAMES);
  return near.isComplete ? near.sites : capture(STACK_LIMIT).sites;
}

/** Where in the user's own files, and not in a package of theirs, a function was called; `callee` is that function. */
export function callerSite(callee: (...given: never[]) => unknown): CallSite | undefined {
  const [site] = capture(1, callee).sites;
  return site?.file.includes("/node_modules/") ? undefined : site;
}

function capture(
  limit: number,
  above?: (...given: never[]) => unknown,
): { readonly sites: readonly CallSite[]; readonly isComplete: boolean } {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: NodeJS.CallSite[] } = {};
  Error.stackTraceLimit = limit;
  Error.prepareStackTrace = (_, frames) => frames;
  Error.captureStackTrace(holder, above);
  const frames = holder.stack ?? [];
  Error.prepareStackTrace = prepareStackTrace;
  Error.stackTraceLimit = stackTraceLimit;
  const isEvaluated = evaluated(frames.map(frame => frame.getFileName() ?? ""));
  const sites = frames.map((frame, index) =>
    isEvaluated(index) ? undefined : toUserSite(frame.getFileName(), frame.getLineNumber(), frame.getColumnNumber()),
  );
  const own = sites.filter(site => site !== undefined);
  return { sites: own, isComplete: frames.length < limit || (own.length > 0 && sites.at(-1) === undefined) };
}

const NEAR_FRAMES = 6;
const STACK_LIMIT = 60;
