/** Where in the user's files something was called or went wrong. @module */
import { dirname, isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";
import type { CallSite } from "../core/errors.ts";

/**
 * The user's files on the call stack, innermost first; of an error, on the stack on which it was made.
 * A function whose last act is the call (`return files.put(…)`) has left the stack by then: its caller is the innermost.
 */
export function callSites(error?: unknown): readonly CallSite[] {
  if (error !== undefined) return sitesOf(error);
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
  const sites = frames.map(frame => toUserSite(frame.getFileName(), frame.getLineNumber(), frame.getColumnNumber()));
  const own = sites.filter(site => site !== undefined);
  return { sites: own, isComplete: frames.length < limit || (own.length > 0 && sites.at(-1) === undefined) };
}

/** Where an error was made, in the user's files: innermost first. */
export function sitesOf(error: unknown): readonly CallSite[] {
  if (!(error instanceof Error) || typeof error.stack !== "string") return [];
  return [...error.stack.matchAll(STACK_FRAME)].flatMap(
    ([, file, line, column]) => toUserSite(file, Number(line), Number(column)) ?? [],
  );
}

/** The innermost place in the user's files where an error was made. */
export const locate = (error: unknown): CallSite | undefined => sitesOf(error)[0];

/** One of our own files: inside the executable, or of the sources that run. */
export const isOwnFile = (file: string): boolean =>
  file.startsWith(`${OWN_FILES}/`) || file.startsWith("/$bunfs/") || /^[A-Z]:[\\/]~BUN/i.test(file);

const NEAR_FRAMES = 6;
const STACK_LIMIT = 60;
const STACK_FRAME = /^\s*at (?:.*? \()?((?:file:\/\/)?\/.*?):(\d+):(\d+)\)?$/gm;
/** Our own files: those beside this one, or inside the executable. */
const OWN_FILES = dirname(import.meta.dir);

function toUserSite(
  fileName: string | null | undefined,
  line: number | null | undefined,
  column: number | null | undefined,
): CallSite | undefined {
  if (!fileName || !line) return undefined;
  const file = fileName.startsWith("file://") ? fileURLToPath(fileName) : fileName;
  return isAbsolute(file) && !isOwnFile(file) ? { file, line, column: column ?? 1 } : undefined;
}
